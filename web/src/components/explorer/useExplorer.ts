import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { exploreKeys } from "@/api/explore";
import { useZone } from "@/components/zone";
import { resolveRange } from "@/lib/time";
import { readExplorer, writeExplorer, type ExplorerSearch, type ExplorerState } from "@/lib/urlState";
import type { ExplorerConfig, ExplorerHandle } from "./model";

/**
 * The state of an explorer lives in the address; "now" stands still between refreshes, so that list, facets and
 * trend count the same events.
 */
export function useExplorer(
  config: ExplorerConfig,
  search: ExplorerSearch,
  navigate: (search: ExplorerSearch, replace: boolean) => void,
): ExplorerHandle {
  const { zone } = useZone();
  const client = useQueryClient();
  const [anchor, setAnchor] = useState(() => Date.now());
  const state = useMemo(() => readExplorer(search, config.defaults), [search, config.defaults]);

  const update = useCallback(
    (patch: Partial<ExplorerState>, options: { replace?: boolean } = {}) => {
      if (patch.query !== undefined || patch.range !== undefined) setAnchor(Date.now());
      navigate(writeExplorer({ ...state, ...patch }, config.defaults), options.replace ?? false);
    },
    [state, config.defaults, navigate],
  );

  const refresh = useCallback(() => {
    setAnchor(Date.now());
    // A fixed range does not move with "now": ask again for the same one.
    void client.invalidateQueries({ queryKey: exploreKeys.track(config.track) });
  }, [client, config.track]);

  const { from, to } = state.range;
  const range = useMemo(() => resolveRange({ from, to }, anchor, zone, config.defaults.range), [from, to, anchor, zone, config.defaults.range]);
  const filter = useMemo(
    () => ({ query: state.query, from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() }),
    [state.query, range],
  );
  return useMemo(() => ({ config, state, update, range, filter, refresh }), [config, state, update, range, filter, refresh]);
}
