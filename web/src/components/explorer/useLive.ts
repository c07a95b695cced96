import { useQuery } from "@tanstack/react-query";
import { useEffect, useEffectEvent } from "react";
import { countEvents } from "@/api/explore";
import { useZone } from "@/components/zone";
import { isMoving, resolveRange } from "@/lib/time";
import type { ExplorerHandle } from "./model";

const POLL_MS = 5000;

export interface Live {
  /** Following: the end of the range is "now" and nobody paused. */
  on: boolean;
  /** Arrived since the list was loaded. */
  arrived: number;
}

/**
 * Counts what arrived since the list was read, of which its `snapshot` tells (undefined: it is not there yet); `idle()` says
 * whether rows may move now.
 */
export function useLive(explorer: ExplorerHandle, snapshot: number | undefined, held: boolean, idle: () => boolean): Live {
  const { zone } = useZone();
  const { config, state, filter, follow } = explorer;
  const on = isMoving(state.range) && !state.paused && !held;

  const news = useQuery({
    queryKey: ["live-count", config.track, filter, snapshot],
    queryFn: async ({ signal }) => {
      const range = resolveRange(state.range, Date.now(), zone, config.defaults.range);
      const until = { query: state.query, from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() };
      return (await countEvents(config.track, until, snapshot ?? 0, signal)).data.count;
    },
    enabled: on && snapshot !== undefined,
    refetchInterval: POLL_MS,
    retry: false,
    gcTime: 0,
  });

  const arrived = on ? (news.data ?? 0) : 0;
  const takeNews = useEffectEvent(() => {
    if (arrived > 0 && idle()) follow();
  });
  useEffect(() => takeNews(), [arrived, news.dataUpdatedAt]);
  return { on, arrived };
}
