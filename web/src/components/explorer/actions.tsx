import { createContext, use } from "react";

/** What any value on the screen can do to the search. */
export interface ValueActions {
  include: (field: string, value: string) => void;
  exclude: (field: string, value: string) => void;
}

const ValueActionsContext = createContext<ValueActions | null>(null);

export const ValueActionsProvider = ValueActionsContext.Provider;
export const useValueActions = (): ValueActions | null => use(ValueActionsContext);
