import { createContext, use } from "react";
import type { IconName } from "@/components/icons";

export interface Elsewhere {
  label: string;
  icon: IconName;
  address: string;
}

/** What any value on the screen can do to the search. */
export interface ValueActions {
  include: (field: string, value: string) => void;
  exclude: (field: string, value: string) => void;
  /** The other explorer, searched for it; null where it has no such field, or the person may not look. */
  elsewhere: (field: string, value: string) => Elsewhere | null;
}

const ValueActionsContext = createContext<ValueActions | null>(null);

export const ValueActionsProvider = ValueActionsContext.Provider;
export const useValueActions = (): ValueActions | null => use(ValueActionsContext);
