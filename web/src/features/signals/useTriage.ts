import { useMutation, useQueryClient, type InfiniteData, type QueryClient } from "@tanstack/react-query";
import { ApiError } from "@/api/errors";
import { exploreKeys } from "@/api/explore";
import { changeSignal, historyQuery, signalQuery, type TriageChange } from "@/api/signals";
import type { EventsPage, ExploreEvent, SignalCustom, TriageResult } from "@/api/types";
import { tellFailure } from "@/components/telling";
import { custom, stateOf, versionOf } from "./config";

/** Decisions may be made faster than the server answers: one after the other, each on what the one before it left. */
export const ONE_AFTER_ANOTHER = { id: "triage" };

const LISTS = [...exploreKeys.track("signals"), "events"];
const ownKey = (id: string) => ["signal-decided", id];

interface Decision {
  id: string;
  /** As it was when it was decided about; undefined: it had not come yet. */
  seen: ExploreEvent | undefined;
  change: TriageChange;
}

interface Heard {
  onDone?: (change: TriageChange) => void;
  onRefused?: (error: Error, id: string) => void;
}

/** Changes one signal and shows it at once in the list; the row keeps its place. What changes nothing is not sent. */
export function useTriage({ onDone, onRefused }: Heard) {
  const client = useQueryClient();
  return useMutation({
    scope: ONE_AFTER_ANOTHER,
    mutationFn: async ({ id, seen, change }: Decision) => {
      const { state, version } = known(client, seen ?? (await client.fetchQuery(signalQuery(id))));
      return isSame(change, state) ? null : changeSignal(id, { ...change, version });
    },
    onSuccess: (result, { id, change }) => {
      if (result) {
        showDecisions(client, new Map([[id, result]]));
        refreshCounts(client);
      }
      onDone?.(change);
    },
    onError: (error, { id }) => onRefused?.(error, id),
  });
}

/** Facets and the trend count anew; the list stays as it is. */
export function refreshCounts(client: QueryClient): void {
  void client.invalidateQueries({ queryKey: [...exploreKeys.track("signals"), "facet"] });
}

/** Whether a change leaves a signal in this state as it is. */
export const isSame = (change: TriageChange, state: string): boolean => change.state === state && change.archive_reason === undefined;

/** How a signal was decided: as somebody sees it, or as their own last change left it where that is later. */
export function known(client: QueryClient, seen: ExploreEvent): { state: string; version: number | undefined } {
  const own = client.getQueryData<TriageResult>(ownKey(seen.id));
  const version = versionOf(seen);
  return own && own.version > (version ?? 0) ? own : { state: stateOf(seen), version };
}

/** Writes decisions, by signal, into every loaded copy; copies that are on their way may be from before and are asked again. */
export function showDecisions(client: QueryClient, decisions: ReadonlyMap<string, TriageResult>): void {
  for (const [id, result] of decisions) {
    client.setQueryData(ownKey(id), result);
    client.setQueryData(signalQuery(id).queryKey, (event) => (event ? decided(event, result) : event));
    readAgain(client, id);
  }
  changeRows(client, (row) => {
    const result = decisions.get(row.id);
    return result ? decided(row, result) : row;
  });
  // A list that is read for the first time has no row yet to write into.
  void client.invalidateQueries({ queryKey: LISTS, predicate: ({ state }) => state.data === undefined });
}

/** Somebody else was faster: the panel, its timeline and the row are to say what they decided. */
export async function showTheirs(client: QueryClient, id: string): Promise<void> {
  readAgain(client, id);
  const theirs = await client.fetchQuery({ ...signalQuery(id), staleTime: 0 });
  changeRows(client, (row) => (row.id === id ? { ...row, attributes: { ...row.attributes, custom: { ...custom(row), workflow: custom(theirs).workflow } } } : row));
}

/** The panel of a signal and its timeline, after somebody decided about it. */
export function readAgain(client: QueryClient, id: string): void {
  void client.invalidateQueries({ queryKey: signalQuery(id).queryKey });
  void client.invalidateQueries({ queryKey: historyQuery(id).queryKey });
}

function changeRows(client: QueryClient, change: (row: ExploreEvent) => ExploreEvent): void {
  client.setQueriesData<InfiniteData<EventsPage>>({ queryKey: LISTS }, (list) => list && { ...list, pages: list.pages.map((page) => ({ ...page, data: page.data.map(change) })) });
}

function decided(event: ExploreEvent, { state, assignee, archive_reason, archive_comment, version }: TriageResult): ExploreEvent {
  const { workflow, ...rest } = custom(event);
  const triage = { ...workflow?.triage, state, assignee, archiveReason: archive_reason, archive_reason, archiveComment: archive_comment, archive_comment, version };
  const next: SignalCustom = { ...rest, workflow: { ...workflow, triage } };
  return { ...event, attributes: { ...event.attributes, custom: next } };
}

/** For changes by key, where no form can show the answer. */
export function tellRefusal(error: unknown): void {
  const title = error instanceof ApiError && error.isLocked ? "This signal is locked" : error instanceof ApiError && error.isStale ? "Somebody changed this signal meanwhile" : "Not changed";
  tellFailure(title, error instanceof Error ? error.message : "The request failed");
}
