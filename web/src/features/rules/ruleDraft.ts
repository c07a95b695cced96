/** A rule while it is edited: the JSON that is sent, plain changes to a copy of it, and what of it must be sent. */
import type { Rule, RuleCase, RuleQuery } from "@/api/types";
import { SEVERITIES, isSeverity, type Severity } from "@/lib/severity";

export type RuleDraft = Pick<Rule, "name" | "message" | "type" | "isEnabled" | "tags" | "queries" | "cases" | "options"> & Record<string, unknown>;

/** What the server fills in and nobody edits. */
const SERVER_FIELDS = ["id", "version", "createdAt", "creationAuthorId", "updatedAt", "updateAuthorId", "isDefault", "isDeleted", "defaultTags", "deprecationDate", "creator", "updater", "metadata", "isPartner", "isBeta", "isDeprecated", "blocking"];

export function draftOf(rule: Rule): RuleDraft {
  return omit(rule, SERVER_FIELDS) as RuleDraft;
}

/** The object without some of its members. */
export function omit(value: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

/** The same rule once more, for somebody to change: disabled until they have, and under their own name. */
export function cloneOf(rule: Rule): RuleDraft {
  const draft = draftOf(rule);
  const cases = draft.cases.map((each) => ({ ...omit(each, ["customStatus"]), status: isSeverity(each.customStatus) ? each.customStatus : each.status }));
  const queries = draft.queries.map((query) => {
    const extension = text(query.customQueryExtension).trim();
    return { ...omit(query, ["customQueryExtension"]), ...(extension === "" ? {} : { query: `(${query.query}) AND (${extension})` }) };
  });
  const name = `Copy of ${text(rule.customName) || rule.name}`;
  return { ...omit(draft, ["customName", "customMessage"]), cases, queries, name, message: rule.customMessage ?? rule.message, isEnabled: false } as RuleDraft;
}

/** The members that differ; one that is gone is sent empty. A default rule's own name changes as `customName`. */
export function changedFields(original: RuleDraft, draft: RuleDraft): Record<string, unknown> {
  const changed = Object.fromEntries(Object.entries(draft).filter(([name, value]) => !same(value, original[name])));
  for (const [name, value] of Object.entries(original)) if (!(name in draft)) changed[name] = Array.isArray(value) ? [] : typeof value === "string" ? "" : null;
  return changed;
}

/** What was changed in a draft since `from`, on another version of the rule. */
export function rebased(draft: RuleDraft, from: RuleDraft, onto: RuleDraft): RuleDraft {
  const changed = Object.entries(draft).filter(([name, value]) => !same(value, from[name]));
  const gone = Object.keys(from).filter((name) => !(name in draft));
  return omit({ ...onto, ...Object.fromEntries(changed) }, gone) as RuleDraft;
}

/** Whether two values say the same as JSON, in whatever order their members stand. */
export function same(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (Array.isArray(left) || Array.isArray(right)) return Array.isArray(left) && Array.isArray(right) && left.length === right.length && left.every((item, index) => same(item, right[index]));
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  const [one, other] = [left as Record<string, unknown>, right as Record<string, unknown>];
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => same(one[name], other[name]));
}

export const isDirty = (original: RuleDraft, draft: RuleDraft): boolean => Object.keys(changedFields(original, draft)).length > 0;

export function replaceAt<T>(items: readonly T[], index: number, change: Partial<T>): T[] {
  return items.map((item, position) => (position === index ? { ...item, ...change } : item));
}

export const removeAt = <T>(items: readonly T[], index: number): T[] => items.filter((_, position) => position !== index);

export function moveUp<T>(items: readonly T[], index: number): T[] {
  const moved = [...items];
  const [item] = moved.splice(index, 1);
  if (item !== undefined) moved.splice(Math.max(0, index - 1), 0, item);
  return moved;
}

export function emptyQuery(): RuleQuery {
  return { name: "", query: "", aggregation: "count", groupByFields: [], distinctFields: [] };
}

export function emptyCase(): RuleCase {
  return { name: "", status: "medium", condition: "", notifications: [] };
}

/** The letter of an unnamed query, as conditions call it. */
export const queryLabel = (query: Pick<RuleQuery, "name">, index: number): string => query.name || String.fromCharCode(97 + index);

/** Members of a rule that may be absent, or not of the type that a form expects. */
export const list = <T>(value: unknown): T[] => (Array.isArray(value) ? (value as T[]) : []);
export const object = <T extends object>(value: unknown): Partial<T> => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Partial<T>) : {});
export const text = (value: unknown): string => (typeof value === "string" ? value : "");

export interface ThirdPartyCase {
  name?: string;
  status: Severity;
  query?: string;
  notifications?: string[];
  customStatus?: Severity;
}

export interface ThirdPartyOptions {
  rootQueries: { query?: string; groupByFields?: string[] }[];
  defaultStatus: Severity;
  defaultNotifications: string[];
  signalTitleTemplate: string;
}

/** The queries that people write; of third-party rules their roots, of which the server makes its own. */
export function queriesOf(draft: Pick<RuleDraft, "queries" | "options">): RuleQuery[] {
  const roots = object<ThirdPartyOptions>(draft.options.thirdPartyRuleOptions).rootQueries;
  return roots ? roots.map((root) => ({ ...emptyQuery(), query: root.query ?? "", groupByFields: list<string>(root.groupByFields) })) : draft.queries;
}

/** What a query groups by; of one that reads a rule's signals, what these meet by. */
export const groupsOf = (query: RuleQuery): string[] => list<string>(query.groupByFields ?? query.correlatedByFields);

export function highestSeverity(draft: Pick<RuleDraft, "cases" | "options"> & { thirdPartyCases?: unknown }): Severity {
  const vendor = object<ThirdPartyOptions>(draft.options.thirdPartyRuleOptions);
  const statuses = [...draft.cases, ...list<ThirdPartyCase>(draft.thirdPartyCases)].map((each) => (isSeverity(each.customStatus) ? each.customStatus : each.status));
  if (draft.options.detectionMethod === "third_party" && vendor.defaultStatus) statuses.push(vendor.defaultStatus);
  return SEVERITIES.find((severity) => statuses.includes(severity)) ?? "info";
}
