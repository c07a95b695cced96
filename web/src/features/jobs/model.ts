/** What the page of historical jobs derives: pure. */
import type { JobData } from "@/api/jobs";
import type { ExploreEvent, SignalCustom } from "@/api/types";
import { valueClauses } from "@/lib/queryText";
import { stringifySearch } from "@/lib/urlState";

const MARGIN_MS = 300_000;

export const STATUS_WORDS: Record<string, string> = { pending: "Pending", running: "Running", completed: "Completed", cancelled: "Cancelled", failed: "Failed" };

/** The definition of a job as JSON to begin with: it finds failed sign-ins by user. */
export const EXAMPLE = JSON.stringify(
  {
    name: "Many failed sign-ins of one user",
    message: "{{@usr.id}} failed to sign in again and again",
    queries: [{ query: "@evt.category:authentication @evt.outcome:failure", groupByFields: ["@usr.id"], aggregation: "count" }],
    cases: [{ name: "", status: "medium", condition: "a > 10" }],
    options: { detectionMethod: "threshold", evaluationWindow: 900, keepAlive: 3600, maxSignalDuration: 86400 },
    tags: [],
  },
  null,
  2,
);

export type Parsed = { definition: Record<string, unknown>; fault: null } | { definition: null; fault: string };

/** A definition as typed; what is no JSON object is refused here, all else by the server. */
export function parseDefinition(text: string): Parsed {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return { definition: null, fault: "A definition is an object: { … }" };
    return { definition: value as Record<string, unknown>, fault: null };
  } catch (error) {
    return { definition: null, fault: error instanceof Error ? error.message : "This is not JSON" };
  }
}

export const customOf = (result: ExploreEvent): SignalCustom => (result.attributes.custom ?? {}) as SignalCustom;

/** Whom or what a result is about: the values of its group. Its title is for most results of a job the same. */
export function nameOf(result: ExploreEvent): string {
  const { title, groupByValues = {} } = customOf(result);
  const values = Object.values(groupByValues)
    .flat()
    .filter((value) => value !== "" && value !== "N/A");
  return values.length > 0 ? values.join(", ") : (title ?? result.attributes.title ?? result.attributes.message ?? result.id);
}

/** The logs that a result is made of, in the explorer: the queries of its job for its values, around its time. */
export function resultLogs(result: ExploreEvent): string {
  const { workflow, queries = [], groupByValues = {} } = customOf(result);
  const first = Date.parse(workflow?.first_seen ?? result.attributes.timestamp);
  const last = Date.parse(workflow?.last_seen ?? result.attributes.timestamp);
  const texts = [...new Set(queries.map(({ query }) => query.trim()).filter((query) => query !== "" && query !== "*"))];
  const asked = texts.length === queries.length ? [texts.map((query) => `(${query})`).join(" OR ")] : [];
  const query = [...asked.map((either) => (texts.length > 1 ? `(${either})` : either)), ...valueClauses(groupByValues)].join(" ");
  return `/logs${stringifySearch({ query, from: String(first - MARGIN_MS), to: String(last + MARGIN_MS) })}`;
}

/** Both ends of what a job looks at, in Unix milliseconds. */
export function rangeOf(job: JobData): { from: number; to: number } {
  const { from, to } = job.attributes.jobDefinition;
  return { from: Number(from), to: Number(to) };
}
