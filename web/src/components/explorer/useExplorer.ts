import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { exploreKeys } from "@/api/explore";
import { useZone } from "@/components/zone";
import { resolveRange } from "@/lib/time";
import { readExplorer, writeExplorer, type ExplorerSearch } from "@/lib/urlState";
import type { ExplorerConfig, ExplorerHandle } from "./model";

/** To what the search becomes, given what it is by then. */
export type Navigate = (next: (search: ExplorerSearch) => ExplorerSearch, replace: boolean) => void;

interface Anchor {
  /** What "now" is until the next refresh. */
  anchor: number;
  isFollowing: boolean;
}

const asked = (anchor: number): Anchor => ({ anchor, isFollowing: false });

/**
 * The state of an explorer lives in the address; "now" stands still between refreshes, so that list, facets and
 * trend count the same events.
 */
export function useExplorer(config: ExplorerConfig, search: ExplorerSearch, navigate: Navigate): ExplorerHandle {
  const { zone } = useZone();
  const client = useQueryClient();
  const [{ anchor, isFollowing }, setAnchor] = useState(() => asked(Date.now()));
  const state = useMemo(() => readExplorer(search, config.defaults), [search, config.defaults]);

  const update = useCallback<ExplorerHandle["update"]>(
    (patch, options = {}) => {
      if (typeof patch === "function" || patch.query !== undefined || patch.range !== undefined) setAnchor(asked(Date.now()));
      // Two clicks may come before the page shows what the first one did: the second one changes what that led to.
      navigate((now) => {
        const current = readExplorer(now, config.defaults);
        return writeExplorer({ ...current, ...(typeof patch === "function" ? { query: patch(current.query) } : patch) }, config.defaults);
      }, options.replace ?? false);
    },
    [config.defaults, navigate],
  );

  const again = useCallback(
    (next: Anchor) => {
      setAnchor(next);
      // A fixed range does not move with "now": ask again for the same one.
      void client.invalidateQueries({ queryKey: exploreKeys.track(config.track) });
    },
    [client, config.track],
  );
  const refresh = useCallback(() => again(asked(Date.now())), [again]);
  const follow = useCallback(() => again({ anchor: Date.now(), isFollowing: true }), [again]);

  const { from, to } = state.range;
  const range = useMemo(() => resolveRange({ from, to }, anchor, zone, config.defaults.range), [from, to, anchor, zone, config.defaults.range]);
  const filter = useMemo(
    () => ({ query: state.query, from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() }),
    [state.query, range],
  );
  return useMemo(() => ({ config, state, update, range, filter, refresh, follow, isFollowing }), [config, state, update, range, filter, refresh, follow, isFollowing]);
}
