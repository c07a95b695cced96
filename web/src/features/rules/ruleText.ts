/** A rule as text that two versions can be compared by: what people write of it, long texts on lines of their own. */
import type { Rule } from "@/api/types";
import { draftOf } from "./ruleDraft";

const ORDER = ["name", "customName", "type", "isEnabled", "tags", "queries", "thirdPartyCases", "cases", "options", "referenceTables", "groupSignalsBy", "schedulingOptions", "calculatedFields", "filters", "hasExtendedTitle", "message", "customMessage", "tests"];

/** One member a line, in an order that does not depend on the version. */
export function written(rule: Rule): string {
  const draft = draftOf(rule);
  const names = [...ORDER.filter((name) => name in draft), ...Object.keys(draft).filter((name) => !ORDER.includes(name)).sort()];
  return names.map((name) => write(name, sorted(draft[name]))).join("\n");
}

function write(name: string, value: unknown): string {
  if (typeof value === "string" && value.includes("\n")) return `${name}:\n${value.replace(/\n$/, "").replace(/^/gm, "    ")}`;
  return `${name}: ${JSON.stringify(value, null, 2)}`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}
