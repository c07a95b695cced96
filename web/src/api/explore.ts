/** Searching a track: list, facets, trend, counts, completion and checks. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { printSort, type Sort } from "@/lib/urlState";
import { get, post } from "./client";
import type { QueryFault } from "./errors";
import type { CheckAnswer, CompletionAnswer, CountAnswer, EventsPage, ExploreEvent, FacetsAnswer, Filter, Hint, TimeseriesAnswer, Track } from "./types";

const PAGE = 100;
const MOST_FACET_VALUES = 1000;
const path = (track: Track, what: string): string => `/api/v2/explore/${track}/${what}`;

export const exploreKeys = { track: (track: Track) => ["explore", track] as const };

export function eventsPage(track: Track, filter: Filter, sort: Sort, cursor: string | null, limit = PAGE, signal?: AbortSignal): Promise<EventsPage> {
  return post<EventsPage>(
    path(track, "events"),
    {
      filter,
      sort: [{ field: sort.field, order: sort.descending ? "desc" : "asc" }],
      page: cursor === null ? { limit } : { limit, cursor },
    },
    signal,
  );
}

export const eventsQuery = (track: Track, filter: Filter, sort: Sort) =>
  infiniteQueryOptions({
    queryKey: [...exploreKeys.track(track), "events", filter, printSort(sort)],
    queryFn: ({ pageParam, signal }) => eventsPage(track, filter, sort, pageParam, PAGE, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.meta.page?.after ?? null,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });

export const facetQuery = (track: Track, filter: Filter, facet: string, limit: number, search: string) =>
  queryOptions({
    queryKey: [...exploreKeys.track(track), "facet", facet, filter, limit, search],
    queryFn: ({ signal }) =>
      post<FacetsAnswer>(path(track, "facets"), { filter, facets: [facet], limit, ...(search ? { search: { facet, text: search } } : {}) }, signal),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });

/** Several at once, of one search. */
export const facetsOf = (track: Track, filter: Filter, facets: readonly string[], signal?: AbortSignal): Promise<FacetsAnswer> => post<FacetsAnswer>(path(track, "facets"), { filter, facets, limit: MOST_FACET_VALUES }, signal);

export const timeseriesQuery = (track: Track, filter: Filter, buckets: number) =>
  queryOptions({
    queryKey: [...exploreKeys.track(track), "timeseries", filter, buckets],
    queryFn: ({ signal }) => post<TimeseriesAnswer>(path(track, "timeseries"), { filter, buckets, group_by: "status" }, signal),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });

/** How many arrived later than a moment. */
export const countEvents = (track: Track, filter: Filter, ingestedAfter: number, signal?: AbortSignal): Promise<CountAnswer> => post<CountAnswer>(path(track, "count"), { filter, ingested_after: ingestedAfter }, signal);

export const eventQuery = (track: Track, id: string) =>
  queryOptions({
    queryKey: [...exploreKeys.track(track), "event", id],
    queryFn: async ({ signal }) => (await get<{ data: ExploreEvent }>(path(track, `events/${encodeURIComponent(id)}`), signal)).data,
  });

export const complete = (track: Track, text: string, cursor: number, from: string, to: string): Promise<CompletionAnswer> =>
  post<CompletionAnswer>(path(track, "complete"), { text, cursor, from, to });

/** What the parser says about a query: the first fault, or hints. */
export interface Verdict {
  fault: QueryFault | null;
  hints: Hint[];
}

export const checkQuery = (track: Track, query: string) =>
  queryOptions({
    queryKey: [...exploreKeys.track(track), "check", query],
    queryFn: async ({ signal }): Promise<Verdict> => {
      const { data } = await post<CheckAnswer>(path(track, "check"), { query }, signal);
      return { fault: data.error ?? null, hints: data.hints ?? [] };
    },
    staleTime: Infinity,
    retry: false,
  });
