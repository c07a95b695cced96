/** The coverage ledger: for every rule and minute what became of it, and whether detection works. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get } from "./client";
import type { CoverageAnswer, EngineAnswer } from "./generated/types.gen";

export type { CoverageCell, EngineHealth, RuleCoverageResource } from "./generated/types.gen";

const PATH = "/api/v2/security_monitoring/coverage";
const PAGE = 100;
/** An engine that stands still is told by the server after 30 s, so with this it is on the screen within a minute. */
const POLL = 10_000;

/** Which rules, and in which order; empty members ask for nothing. */
export interface CoverageChoice {
  query: string;
  /** Only rules with a minute of one of these, separated by commas. */
  status: string;
  sort: string;
  /** One rule by its id. */
  rule: string;
}

export const coverageQuery = (from: string, to: string, { query, status, sort, rule }: CoverageChoice) =>
  infiniteQueryOptions({
    queryKey: ["coverage", from, to, query, status, sort, rule],
    queryFn: ({ pageParam, signal }) => {
      const parameters = new URLSearchParams({ from, to, query, status, sort, rule_id: rule, "page[size]": String(PAGE), "page[number]": String(pageParam) });
      return get<CoverageAnswer>(`${PATH}?${parameters.toString()}`, signal);
    },
    initialPageParam: 0,
    getNextPageParam: (page, pages) => (pages.length * PAGE < page.meta.page.total_filtered_count ? pages.length : null),
    placeholderData: keepPreviousData,
    retry: false,
  });

export const engineQuery = queryOptions({
  queryKey: ["coverage", "engine"],
  queryFn: async ({ signal }) => (await get<EngineAnswer>(`${PATH}/engine`, signal)).data.attributes,
  refetchInterval: POLL,
  retry: false,
});
