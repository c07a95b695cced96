/** Historical jobs: a rule, or what one would be, run once over stored logs; their results, and signals made of them. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, post, request } from "./client";
import type { JobAnswer, JobCreated, JobData, JobList } from "./generated/types.gen";
import type { ExploreEvent } from "./types";

export type { JobData } from "./generated/types.gen";

const BASE = "/api/v2/siem-historical-detections/jobs";
const PAGE = 50;
const RESULTS = 100;
const POLL_ACTIVE = 1_500;
const POLL_IDLE = 15_000;

export const isActive = (job: JobData): boolean => job.attributes.jobStatus === "pending" || job.attributes.jobStatus === "running";

export const jobsQuery = (query: string, sort: string) =>
  infiniteQueryOptions({
    queryKey: ["jobs", "list", query, sort],
    queryFn: ({ pageParam, signal }) => {
      const parameters = new URLSearchParams({ "page[size]": String(PAGE), "page[number]": String(pageParam), sort, "filter[query]": query });
      return get<JobList>(`${BASE}?${parameters.toString()}`, signal);
    },
    initialPageParam: 0,
    getNextPageParam: (page, pages) => (pages.length * PAGE < page.meta.totalCount ? pages.length : null),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.pages.some(({ data }) => data.some(isActive)) ? POLL_ACTIVE : POLL_IDLE),
  });

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ["jobs", "one", id],
    queryFn: async ({ signal }) => (await get<JobAnswer>(`${BASE}/${encodeURIComponent(id)}`, signal)).data,
    refetchInterval: ({ state }) => (state.data && isActive(state.data) ? POLL_ACTIVE : false),
  });

/** The last page has no `meta`. */
interface ResultsPage {
  data: ExploreEvent[];
  meta?: { page?: { after?: string } };
}

/** `found`: how many there are, so that a job that goes on finding shows more. */
export const resultsQuery = (id: string, found: number) =>
  infiniteQueryOptions({
    queryKey: ["jobs", "results", id, found],
    queryFn: ({ pageParam, signal }) => {
      const parameters = new URLSearchParams({ "page[limit]": String(RESULTS), sort: "-timestamp", ...(pageParam === null ? {} : { "page[cursor]": pageParam }) });
      return get<ResultsPage>(`${BASE}/${encodeURIComponent(id)}/histsignals?${parameters.toString()}`, signal);
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.meta?.page?.after ?? null,
    placeholderData: keepPreviousData,
  });

export interface FromRule {
  id: string;
  from: number;
  to: number;
  index: "main";
  /** One case of the rule; all of them when left out. */
  caseIndex?: number;
}

export const runJob = async (asked: { fromRule: FromRule } | { jobDefinition: Record<string, unknown> }, signalOutput: boolean): Promise<string> =>
  (await post<JobCreated>(BASE, { data: { type: "historicalDetectionsJobCreate", attributes: { ...asked, signalOutput } } })).data.id;

export const cancelJob = (id: string): Promise<undefined> => request("PATCH", `${BASE}/${encodeURIComponent(id)}/cancel`);
export const deleteJob = (id: string): Promise<undefined> => request("DELETE", `${BASE}/${encodeURIComponent(id)}`);

export const convertResults = (jobResultIds: string[], signalSeverity: string, signalMessage: string): Promise<undefined> =>
  post(`${BASE}/signal_convert`, { data: { type: "historicalDetectionsJobResultSignalConversion", attributes: { jobResultIds, signalSeverity, signalMessage, notifications: [] } } });
