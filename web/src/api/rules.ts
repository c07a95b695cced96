/** Detection rules: list, read, write, validate, versions. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, post, request } from "./client";
import type { Rule, RuleHistoryAnswer, RulesPage } from "./types";

const BASE = "/api/v2/security_monitoring/rules";
const PAGE = 100;

export const rulesQuery = (query: string, sort: string) =>
  infiniteQueryOptions({
    queryKey: ["rules", query, sort],
    queryFn: ({ pageParam, signal }) => {
      const search = new URLSearchParams({ "page[size]": String(PAGE), "page[number]": String(pageParam), query, sort });
      return get<RulesPage>(`${BASE}?${search.toString()}`, signal);
    },
    initialPageParam: 0,
    getNextPageParam: (page, pages) => (page.data.length < PAGE ? null : pages.length),
    placeholderData: keepPreviousData,
  });

export const ruleQuery = (id: string) =>
  queryOptions({ queryKey: ["rule", id], queryFn: ({ signal }) => get<Rule>(`${BASE}/${encodeURIComponent(id)}`, signal) });

export const ruleHistoryQuery = (id: string) =>
  queryOptions({
    queryKey: ["rule", id, "history"],
    queryFn: ({ signal }) => get<RuleHistoryAnswer>(`${BASE}/${encodeURIComponent(id)}/version_history?page[size]=50&page[number]=0`, signal),
  });

export const createRule = (rule: object): Promise<Rule> => post<Rule>(BASE, rule);
export const updateRule = (id: string, fields: object): Promise<Rule> => request<Rule>("PUT", `${BASE}/${encodeURIComponent(id)}`, { body: fields });
export const validateRule = (rule: object): Promise<undefined> => post<undefined>(`${BASE}/validation`, rule);
export const deleteRule = (id: string): Promise<undefined> => request<undefined>("DELETE", `${BASE}/${encodeURIComponent(id)}`);
export const restoreRule = (id: string, version: number): Promise<Rule> => post<Rule>(`${BASE}/${encodeURIComponent(id)}/restore/${String(version)}`, {});
