/** Detection rules: list, read, write, validate, versions. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, post, request, requestFile } from "./client";
import type { BulkDeleteAnswer, HintsAnswer, RenderedAnswer, SuppressionsOfRule, TocsinApiSchemasBacktestsPreviewData } from "./generated/types.gen";
import type { Rule, RuleHistoryAnswer, RulesPage } from "./types";

/** The permission to change rules. */
export const RULES_WRITE = "security_monitoring_rules_write";

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

const HISTORY_PAGE = 50;

/** The versions of a rule, latest first. */
export const ruleHistoryQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ["rule", id, "history"],
    queryFn: ({ pageParam, signal }) => get<RuleHistoryAnswer>(`${BASE}/${encodeURIComponent(id)}/version_history?page[size]=${String(HISTORY_PAGE)}&page[number]=${String(pageParam)}`, signal),
    initialPageParam: 0,
    getNextPageParam: (page, pages) => (pages.length * HISTORY_PAGE < page.data.attributes.count ? pages.length : null),
  });

export const createRule = (rule: object): Promise<Rule> => post<Rule>(BASE, rule);
export const updateRule = (id: string, fields: object): Promise<Rule> => request<Rule>("PUT", `${BASE}/${encodeURIComponent(id)}`, { body: fields });
export const deleteRule = (id: string): Promise<undefined> => request<undefined>("DELETE", `${BASE}/${encodeURIComponent(id)}`);
/** In one call. */
const MAX_BULK = 1000;
/** Requests beside each other, where there is no call for many. */
const AT_ONCE = 4;

/** Switch rules on or off, and nothing else of them; the answer says of each that was refused why. */
export async function enableRules(ids: readonly string[], isEnabled: boolean): Promise<{ id: string; reason: string }[]> {
  const refused: { id: string; reason: string }[] = [];
  const waiting = [...ids];
  const next = async (): Promise<void> => {
    const id = waiting.shift();
    if (id === undefined) return;
    try {
      await updateRule(id, { isEnabled });
    } catch (error) {
      refused.push({ id, reason: error instanceof Error ? error.message : "the request failed" });
    }
    return next();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return refused;
}

/** The ids of those that are still there: shipped rules, or such as somebody else deleted. */
export const deleteRules = async (ids: readonly string[]): Promise<string[]> => {
  const failed = [];
  for (const part of chunks(ids, MAX_BULK)) {
    const body = { data: { type: "bulk_delete_rules", attributes: { ruleIds: part } } };
    failed.push(...(await request<BulkDeleteAnswer>("DELETE", `${BASE}/bulk_delete`, { body })).data.attributes.failedRules);
  }
  return failed;
};

/** A zip with a file for each rule. */
export const exportRules = (ids: readonly string[]): Promise<Blob> => requestFile("POST", `${BASE}/bulk_export`, { body: { data: { type: "security_monitoring_rules_bulk_export", attributes: { ruleIds: ids } } } });

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}

export const restoreRule = (id: string, version: number): Promise<Rule> => post<Rule>(`${BASE}/${encodeURIComponent(id)}/restore/${String(version)}`, {});

/** Remarks on a rule that could be stored; a rule that could not is an error with its faults. Leaves no audit event. */
export const hintsQuery = (rule: object) =>
  queryOptions({
    queryKey: ["rule-hints", rule],
    queryFn: async ({ signal }) => (await post<HintsAnswer>(`${BASE}/hints`, rule, signal)).data,
    retry: false,
    staleTime: Infinity,
    gcTime: 30_000,
  });

export type RulePreview = TocsinApiSchemasBacktestsPreviewData;

/** What a rule that is not stored finds in stored logs, and the signals it would have raised. */
export const previewQuery = (rule: object, ruleId: string | undefined, from: string, to: string) =>
  queryOptions({
    queryKey: ["rule-preview", rule, ruleId, from, to],
    queryFn: async ({ signal }) => (await post<{ data: RulePreview }>(`${BASE}/preview`, { rule, ruleId, from, to, limit: 100 }, signal)).data,
    retry: false,
    staleTime: 60_000,
    gcTime: 60_000,
  });

/** Title and message of the signal that a log would make. */
export const renderQuery = (rule: object, payload: Record<string, unknown>, caseIndex: number) =>
  queryOptions({
    queryKey: ["rule-render", rule, payload, caseIndex],
    queryFn: async ({ signal }) => (await post<RenderedAnswer>(`${BASE}/render`, { rule, payload, case: caseIndex }, signal)).data,
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 60_000,
    gcTime: 30_000,
  });

export interface QueryPayload {
  index: number;
  expectedResult: boolean;
  payload: Record<string, unknown>;
}

/** Whether each query does with its log as expected, in order. */
export const testRule = async (rule: object, ruleQueryPayloads: QueryPayload[], signal?: AbortSignal): Promise<boolean[]> =>
  (await post<{ results: boolean[] }>(`${BASE}/test`, { rule, ruleQueryPayloads }, signal)).results;

/** Rules whose name, tags or id speak of a text, for a choice among them. */
export const ruleChoicesQuery = (text: string) =>
  queryOptions({
    queryKey: ["rules", "choices", text],
    queryFn: async ({ signal }) => (await get<RulesPage>(`${BASE}?${new URLSearchParams({ query: text, "page[size]": "50", "page[number]": "0" }).toString()}`, signal)).data,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

/** Tags that rules have, the most frequent first. */
export const ruleTagsQuery = queryOptions({
  queryKey: ["rules", "tags"],
  queryFn: async ({ signal }) => {
    const { meta } = await get<{ meta: { facets?: Record<string, { value: string; count: number }[]> } }>(`${BASE}?page[size]=1&facets=true`, signal);
    return (meta.facets?.tags ?? []).map((facet) => facet.value);
  },
  staleTime: 300_000,
});

/** The suppressions that concern a rule now. */
export const ruleSuppressionsQuery = (id: string) =>
  queryOptions({
    queryKey: ["suppressions", "rule", id],
    queryFn: async ({ signal }) => (await get<SuppressionsOfRule>(`/api/v2/security_monitoring/configuration/suppressions/rules/${encodeURIComponent(id)}`, signal)).data,
  });
