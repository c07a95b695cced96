import type { Suppression } from "@/api/suppressions";

type Attributes = Suppression["attributes"];

export interface Difference {
  field: string;
  label: string;
  /** As people read it; empty where there was, or is, nothing. */
  before: string;
  after: string;
}

const LABELS = {
  name: "Name",
  enabled: "Enabled",
  rule_query: "Rules",
  suppression_query: "Hides signals",
  data_exclusion_query: "Keeps events",
  start_date: "From",
  expiration_date: "Until",
  description: "Why",
  tags: "Tags",
} as const satisfies Partial<Record<keyof Attributes, string>>;

/** What one version has otherwise than the one before it. */
export function differences(before: Attributes, after: Attributes, writeTime: (time: number) => string): Difference[] {
  const write = (value: unknown, field: string): string => {
    if (value === null || value === undefined) return "";
    if (typeof value === "boolean") return value ? "yes" : "no";
    if (typeof value === "number") return field.endsWith("_date") ? writeTime(value) : String(value);
    return Array.isArray(value) ? value.join(", ") : String(value);
  };
  return (Object.keys(LABELS) as (keyof typeof LABELS)[])
    .map((field) => ({ field, label: LABELS[field], before: write(before[field], field), after: write(after[field], field) }))
    .filter((each) => each.before !== each.after);
}
