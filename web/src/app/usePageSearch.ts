import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

export type PageSearch = Record<string, string | undefined>;
/** Of some parameters, or of all as they are by then: two clicks may come before the page shows what the first one did. */
export type ChangeSearch = (change: PageSearch | ((current: PageSearch) => PageSearch), options?: { push?: boolean }) => void;

/** The search parameters of a page from `navigation.ts`, and a change to some of them: empty ones leave the address. */
export function usePageSearch(): [PageSearch, ChangeSearch] {
  const search = useSearch({ strict: false }) as PageSearch;
  const navigate = useNavigate();
  const change = useCallback<ChangeSearch>(
    (next, { push = false } = {}) => {
      const merged = (current: PageSearch) => Object.fromEntries(Object.entries({ ...current, ...(typeof next === "function" ? next(current) : next) }).filter(([, value]) => value !== undefined && value !== ""));
      void navigate({ to: ".", search: merged as never, replace: !push });
    },
    [navigate],
  );
  return [search, change];
}
