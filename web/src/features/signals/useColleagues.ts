import { useQuery, useQueryClient, type InfiniteData } from "@tanstack/react-query";
import { useState } from "react";
import { eventsPage, eventsQuery } from "@/api/explore";
import type { EventsPage, ExploreEvent } from "@/api/types";
import type { ExplorerHandle } from "@/components/explorer/model";
import { anyOf } from "@/lib/queryText";
import { isMoving } from "@/lib/time";
import { custom, versionOf } from "./config";
import { readAgain } from "./useTriage";

const POLL_MS = 5000;
/** The rows on top: those that people look at. */
const WATCHED = 50;
const UNMARKED: ReadonlySet<string> = new Set();

/** Watches the loaded rows for what others decide about them: they are shown as they are now, in their place; the ids are those to be marked. */
export function useColleagues({ config, filter, state }: ExplorerHandle): ReadonlySet<string> {
  const client = useQueryClient();
  const { queryKey } = eventsQuery(config.track, filter, state.sort);
  const [marked, setMarked] = useState({ filter, ids: UNMARKED });

  useQuery({
    queryKey: ["colleagues", ...queryKey],
    queryFn: async ({ signal }) => {
      const loaded = (client.getQueryData(queryKey)?.pages.flatMap((page) => page.data) ?? []).slice(0, WATCHED);
      const names = loaded.map((event) => custom(event).internal_id).filter((name) => typeof name === "string");
      if (names.length === 0) return 0;
      // By name and not by the search: what a colleague archived is not found by `open` any more.
      const { data } = await eventsPage(config.track, { ...filter, query: anyOf("@internal_id", names) }, state.sort, null, WATCHED, signal);
      const fresh = new Map(changed(client.getQueryData(queryKey), data).map((event) => [event.id, event]));
      if (fresh.size === 0) return 0;
      client.setQueryData(queryKey, (list) => list && { ...list, pages: list.pages.map((page) => ({ ...page, data: page.data.map((event) => fresh.get(event.id) ?? event) })) });
      for (const id of fresh.keys()) readAgain(client, id);
      setMarked((before) => ({ filter, ids: new Set([...(before.filter === filter ? before.ids : []), ...fresh.keys()]) }));
      return fresh.size;
    },
    enabled: isMoving(state.range) && !state.paused,
    refetchInterval: POLL_MS,
    retry: false,
    gcTime: 0,
  });
  return marked.filter === filter ? marked.ids : UNMARKED;
}

/** The rows that have a later decision than the list knows; of one's own the list knows. */
function changed(list: InfiniteData<EventsPage> | undefined, found: ExploreEvent[]): ExploreEvent[] {
  const known = new Map(list?.pages.flatMap((page) => page.data).map((event) => [event.id, versionOf(event)]));
  return found.filter((event) => (versionOf(event) ?? 0) > (known.get(event.id) ?? Infinity));
}
