/** What the intake says about itself: accepted = stored + rejected; and what it rejected. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { get, post } from "./client";
import type { RejectedPage, ReplayAnswer, StatusAnswer } from "./types";

const BASE = "/api/v2/tocsin/intake";

export const intakeStatusQuery = queryOptions({
  queryKey: ["intake-status"],
  queryFn: async ({ signal }) => (await get<StatusAnswer>(`${BASE}/status`, signal)).data.attributes,
  refetchInterval: 10_000,
  retry: false,
});

export const rejectedQuery = infiniteQueryOptions({
  queryKey: ["rejected"],
  queryFn: ({ pageParam, signal }) => get<RejectedPage>(`${BASE}/rejected?page[limit]=50${pageParam === null ? "" : `&page[cursor]=${encodeURIComponent(pageParam)}`}`, signal),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.meta?.page?.after ?? null,
});

/** Sends rejected events through the pipeline again; without ids all that were not replayed yet. */
export const replayRejected = async (ids: string[]): Promise<ReplayAnswer["data"]["attributes"]> =>
  (await post<ReplayAnswer>(`${BASE}/rejected/replay`, { filter: ids.length > 0 ? { ids } : {} })).data.attributes;
