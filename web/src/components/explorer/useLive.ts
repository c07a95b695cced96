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

/** Counts what arrived since the list was loaded; `idle()` says whether rows may move now. */
export function useLive(explorer: ExplorerHandle, held: boolean, idle: () => boolean): Live {
  const { zone } = useZone();
  const { config, state, filter, follow } = explorer;
  const on = isMoving(state.range) && !state.paused && !held;

  // The mark: the newest arrival that the loaded list can know.
  const mark = useQuery({
    queryKey: ["live-mark", config.track, filter],
    queryFn: async ({ signal }) => (await countEvents(config.track, { ...filter, query: "" }, null, signal)).data.latest_ingested_at ?? 0,
    enabled: isMoving(state.range),
    staleTime: Infinity,
    gcTime: 0,
  });

  const news = useQuery({
    queryKey: ["live-count", config.track, filter, mark.data],
    queryFn: async ({ signal }) => {
      const range = resolveRange(state.range, Date.now(), zone, config.defaults.range);
      const until = { query: state.query, from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() };
      return (await countEvents(config.track, until, mark.data ?? 0, signal)).data.count;
    },
    enabled: on && mark.data !== undefined,
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
