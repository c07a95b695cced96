/** Triage of signals: single changes, bulk changes with an outcome per item, history. */
import { queryOptions } from "@tanstack/react-query";
import type { ArchiveReason, TriageState } from "@/lib/severity";
import { get, request } from "./client";
import { ApiError } from "./errors";
import type { BulkAnswer, ExploreEvent, HistoryEntry, TriageResult } from "./types";

const BASE = "/api/v2/security_monitoring/signals";
/** The contract's limit per bulk call (api.md §5). */
const BULK = 199;

export interface TriageChange {
  state?: TriageState;
  archive_reason?: ArchiveReason;
  archive_comment?: string;
  assignee?: { uuid: string };
  version?: number;
}

export async function changeSignal(id: string, change: TriageChange): Promise<TriageResult> {
  const body = { data: { id, type: "signal_metadata", attributes: change } };
  return (await request<{ data: { attributes: TriageResult } }>("PATCH", `${BASE}/${encodeURIComponent(id)}/update`, { body })).data.attributes;
}

export interface BulkOutcome {
  /** What each is now, by its id. */
  done: Map<string, TriageResult>;
  failed: { id: string; reason: string }[];
}

/** Changes each item in calls of at most 199; what one call refuses does not stop the next. */
export async function changeSignals(items: { id: string; change: TriageChange }[], progress: (done: number) => void): Promise<BulkOutcome> {
  const outcome: BulkOutcome = { done: new Map(), failed: [] };
  for (let at = 0; at < items.length; at += BULK) {
    const chunk = items.slice(at, at + BULK);
    try {
      const body = { data: chunk.map(({ id, change }) => ({ id, type: "signal", attributes: change })) };
      const answer = await request<BulkAnswer>("PATCH", `${BASE}/bulk/update`, { body });
      const reasons = new Map(answer.result.failures.map((failure) => [failure.id, failure.errors.join(" ")]));
      const done = new Map(answer.result.events.map(({ id, event }) => [id, event]));
      for (const { id } of chunk) {
        const result = done.get(id);
        if (result) outcome.done.set(id, result);
        else outcome.failed.push({ id, reason: reasons.get(id) ?? "the server did not answer for it" });
      }
    } catch (error) {
      const reason = error instanceof ApiError ? error.message : "the request failed";
      outcome.failed.push(...chunk.map(({ id }) => ({ id, reason })));
    }
    progress(Math.min(items.length, at + chunk.length));
  }
  return outcome;
}

/** One signal with its samples and the explanation why it fired. */
export const signalQuery = (id: string) =>
  queryOptions({
    queryKey: ["signal", id],
    queryFn: async ({ signal }) => (await get<{ data: ExploreEvent }>(`${BASE}/${encodeURIComponent(id)}`, signal)).data,
  });

export const historyQuery = (id: string) =>
  queryOptions({
    queryKey: ["signal-history", id],
    queryFn: async ({ signal }) => (await get<{ data: HistoryEntry[] }>(`${BASE}/${encodeURIComponent(id)}/history`, signal)).data,
  });
