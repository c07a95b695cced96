import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

export type PageSearch = Record<string, string | undefined>;
export type ChangeSearch = (change: PageSearch, options?: { push?: boolean }) => void;

/** The search parameters of a page from `navigation.ts`, and a change to some of them: empty ones leave the address. */
export function usePageSearch(): [PageSearch, ChangeSearch] {
  const search = useSearch({ strict: false }) as PageSearch;
  const navigate = useNavigate();
  const change = useCallback<ChangeSearch>(
    (next, { push = false } = {}) => {
      const merged = (current: PageSearch) => Object.fromEntries(Object.entries({ ...current, ...next }).filter(([, value]) => value !== undefined && value !== ""));
      void navigate({ to: ".", search: merged as never, replace: !push });
    },
    [navigate],
  );
  return [search, change];
}
