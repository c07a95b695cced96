/** What the intake says about itself: accepted = stored + rejected; and what it rejected. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { get, post } from "./client";

export interface IntakeStatus {
  since_start: { started_at: string; accepted: number; stored: number; rejected: number; duplicates: number; throttled: number; failed: number; bytes: number };
  kept: { stored: number; rejected: Record<string, number> };
  buffer: { bytes: number; limit_bytes: number };
  newest_ingested_at: string | null;
  lag_ms: number | null;
}

export interface RejectedEvent {
  id: string;
  attributes: { received_at: string; code: string; reason: string; raw: string; replayed_at: string | null };
}

interface RejectedPage {
  data: RejectedEvent[];
  meta: { page: { after?: string | null } };
}

const BASE = "/api/v2/tocsin/intake";

export const intakeStatusQuery = queryOptions({
  queryKey: ["intake-status"],
  queryFn: async ({ signal }) => (await get<{ data: { attributes: IntakeStatus } }>(`${BASE}/status`, signal)).data.attributes,
  refetchInterval: 10_000,
  retry: false,
});

export const rejectedQuery = infiniteQueryOptions({
  queryKey: ["rejected"],
  queryFn: ({ pageParam, signal }) => get<RejectedPage>(`${BASE}/rejected?page[limit]=50${pageParam === null ? "" : `&page[cursor]=${encodeURIComponent(pageParam)}`}`, signal),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.meta.page.after ?? null,
});

/** Sends rejected events through the pipeline again; without ids all that were not replayed yet. */
export const replayRejected = async (ids: string[]): Promise<{ replayed: number; stored: number; rejected: number }> =>
  (await post<{ data: { attributes: { replayed: number; stored: number; rejected: number } } }>(`${BASE}/rejected/replay`, { filter: ids.length > 0 ? { ids } : {} })).data.attributes;
