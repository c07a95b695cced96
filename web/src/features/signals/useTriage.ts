import { useMutation, useQueryClient, type InfiniteData, type QueryClient } from "@tanstack/react-query";
import { ApiError } from "@/api/errors";
import { exploreKeys } from "@/api/explore";
import { changeSignal, historyQuery, signalQuery, type TriageChange } from "@/api/signals";
import type { EventsPage, ExploreEvent, SignalCustom, TriageResult } from "@/api/types";
import { tellFailure } from "@/components/telling";

/** Changes one signal and shows it at once in the list; the row keeps its place. */
export function useTriage(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: TriageChange) => changeSignal(id, change),
    onSuccess: (result) => {
      showDecisions(client, new Map([[id, result]]));
      refreshCounts(client);
    },
  });
}

/** Facets and the trend count anew; the list stays as it is. */
export function refreshCounts(client: QueryClient): void {
  void client.invalidateQueries({ queryKey: [...exploreKeys.track("signals"), "facet"] });
}

/** Writes decisions, by signal, into every loaded copy; copies that are on their way may be from before and are asked again. */
export function showDecisions(client: QueryClient, decisions: ReadonlyMap<string, Partial<TriageResult>>): void {
  const patch = (event: ExploreEvent): ExploreEvent => {
    const result = decisions.get(event.id);
    return result ? decided(event, result) : event;
  };
  const lists = [...exploreKeys.track("signals"), "events"];
  client.setQueriesData<InfiniteData<EventsPage>>({ queryKey: lists }, (data) =>
    data ? { ...data, pages: data.pages.map((page) => ({ ...page, data: page.data.map(patch) })) } : data,
  );
  // A further page holds rows that nobody could decide about yet.
  void client.invalidateQueries({ queryKey: lists, predicate: ({ state }) => state.fetchStatus === "fetching" && !state.fetchMeta?.fetchMore });
  for (const id of decisions.keys()) {
    client.setQueryData(signalQuery(id).queryKey, (event) => (event ? patch(event) : event));
    readAgain(client, id);
  }
}

/** The panel of a signal and its timeline, after somebody decided about it. */
export function readAgain(client: QueryClient, id: string): void {
  void client.invalidateQueries({ queryKey: signalQuery(id).queryKey });
  void client.invalidateQueries({ queryKey: historyQuery(id).queryKey });
}

function decided(event: ExploreEvent, result: Partial<TriageResult>): ExploreEvent {
  const custom = (event.attributes.custom ?? {}) as SignalCustom;
  const triage = custom.workflow?.triage ?? {};
  const next = {
    ...triage,
    ...(result.state ? { state: result.state } : {}),
    ...(result.assignee ? { assignee: result.assignee } : {}),
    ...(result.archive_reason ? { archiveReason: result.archive_reason, archive_reason: result.archive_reason } : {}),
    ...(result.archive_comment !== undefined ? { archiveComment: result.archive_comment, archive_comment: result.archive_comment } : {}),
    // Without the new version in the answer the next change carries none rather than a stale one.
    version: result.version,
  };
  return { ...event, attributes: { ...event.attributes, custom: { ...custom, workflow: { ...custom.workflow, triage: next } } } };
}

/** For changes by key, where no form can show the answer. */
export function tellRefusal(error: unknown): void {
  const title = error instanceof ApiError && error.isLocked ? "This signal is locked" : error instanceof ApiError && error.isStale ? "Somebody changed this signal meanwhile" : "Not changed";
  tellFailure(title, error instanceof Error ? error.message : "The request failed");
}
