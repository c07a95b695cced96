import type { Suppression, SuppressionFields } from "@/api/suppressions";

export const NEW_SUPPRESSION: SuppressionFields = {
  name: "",
  description: "",
  enabled: true,
  rule_query: "",
  suppression_query: "",
  data_exclusion_query: "",
  start_date: null,
  expiration_date: null,
  tags: [],
};

export function draftOf({ attributes }: Pick<Suppression, "attributes">): SuppressionFields {
  return {
    name: attributes.name,
    description: attributes.description ?? "",
    enabled: attributes.enabled,
    rule_query: attributes.rule_query,
    suppression_query: attributes.suppression_query,
    data_exclusion_query: attributes.data_exclusion_query,
    start_date: attributes.start_date ?? null,
    expiration_date: attributes.expiration_date ?? null,
    tags: attributes.tags ?? [],
  };
}

/** A new one for a rule and a search of signals, as other pages link to it. */
export const presetFor = (rule: string | undefined, query: string | undefined): SuppressionFields => ({
  ...NEW_SUPPRESSION,
  rule_query: rule ? `ruleId:${rule}` : "",
  suppression_query: query ?? "",
});

/** The members that differ, for a change that leaves the others to whoever else writes them. */
export function changesBetween(before: SuppressionFields, after: SuppressionFields): Partial<SuppressionFields> {
  const names = Object.keys(after) as (keyof SuppressionFields)[];
  return Object.fromEntries(names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name])).map((name) => [name, after[name]]));
}

export type Force = "in force" | "disabled" | "not begun" | "expired";

/** Whether it hides anything at a moment (siem.md §5.2). */
export function forceOf({ enabled, start_date: start, expiration_date: end }: Pick<Suppression["attributes"], "enabled" | "start_date" | "expiration_date">, now: number): Force {
  if (!enabled) return "disabled";
  if (typeof end === "number" && now >= end) return "expired";
  return typeof start === "number" && now < start ? "not begun" : "in force";
}
