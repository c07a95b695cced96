/** A rule while it is edited: plain changes to a copy, and what of it must be sent. */
import type { Rule, RuleCase, RuleQuery } from "@/api/types";
import { SEVERITIES, type Severity } from "@/lib/severity";

export type RuleDraft = Pick<Rule, "name" | "message" | "type" | "isEnabled" | "tags" | "queries" | "cases" | "options"> & Record<string, unknown>;

/** What the server fills in and nobody edits. */
const SERVER_FIELDS = ["id", "version", "createdAt", "creationAuthorId", "updatedAt", "updateAuthorId", "isDefault", "isDeleted", "defaultTags", "deprecationDate", "creator", "updater", "metadata", "isPartner", "isBeta", "isDeprecated", "blocking"];

export function draftOf(rule: Rule): RuleDraft {
  return Object.fromEntries(Object.entries(rule).filter(([name]) => !SERVER_FIELDS.includes(name))) as RuleDraft;
}

export const NEW_RULE: RuleDraft = {
  type: "log_detection",
  name: "",
  message: "",
  isEnabled: true,
  tags: [],
  queries: [{ name: "", query: "", aggregation: "count", groupByFields: [], distinctFields: [] }],
  cases: [{ name: "", status: "medium", condition: "a > 0", notifications: [] }],
  options: { detectionMethod: "threshold", evaluationWindow: 900, keepAlive: 3600, maxSignalDuration: 86400 },
};

/** The fields that differ; a default rule's own name and message change as `customName` and `customMessage`. */
export function changedFields(original: RuleDraft, draft: RuleDraft): Record<string, unknown> {
  return Object.fromEntries(Object.entries(draft).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(original[name])));
}

export const isDirty = (original: RuleDraft, draft: RuleDraft): boolean => Object.keys(changedFields(original, draft)).length > 0;

export function replaceAt<T>(items: T[], index: number, change: Partial<T>): T[] {
  return items.map((item, position) => (position === index ? { ...item, ...change } : item));
}

export const removeAt = <T>(items: T[], index: number): T[] => items.filter((_, position) => position !== index);

export function moveUp<T>(items: T[], index: number): T[] {
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

export function highestSeverity(cases: Pick<RuleCase, "status">[]): Severity {
  return SEVERITIES.find((severity) => cases.some((each) => each.status === severity)) ?? "info";
}
