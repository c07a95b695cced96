/** Queries that narrow all of a rule's own (siem.md §2.2): older rules have them, newer ones say it in each query. */
import { list, object, text, type RuleDraft, type ThirdPartyOptions } from "./ruleDraft";

export interface RuleFilter {
  action?: "require" | "suppress";
  query?: string;
}

export const filtersOf = (draft: RuleDraft): RuleFilter[] => list<RuleFilter>(draft.filters);

/** The rule with its filters as part of its queries: it finds the same. */
export function folded(draft: RuleDraft): RuleDraft {
  const terms = filtersOf(draft)
    .filter((filter) => text(filter.query).trim() !== "")
    .map((filter) => `${filter.action === "require" ? "" : "NOT "}(${text(filter.query)})`);
  const narrowed = (query: unknown): string => [`(${text(query)})`, ...terms].join(" AND ");
  const all = <T extends { query?: string }>(queries: readonly T[]): T[] => (terms.length === 0 ? [...queries] : queries.map((each) => ({ ...each, query: narrowed(each.query) })));
  const vendor = object<ThirdPartyOptions>(draft.options.thirdPartyRuleOptions);
  const options = vendor.rootQueries ? { ...draft.options, thirdPartyRuleOptions: { ...vendor, rootQueries: all(vendor.rootQueries) } } : draft.options;
  return { ...draft, filters: [], queries: vendor.rootQueries ? draft.queries : all(draft.queries), options } as RuleDraft;
}
