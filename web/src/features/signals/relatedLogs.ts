import type { ExploreEvent } from "@/api/types";
import { valueClauses } from "@/lib/queryText";
import { stringifySearch } from "@/lib/urlState";
import { custom, timeOf } from "./config";

const MARGIN_MS = 300_000;
const DEFAULT_WINDOW_MS = 900_000;

/** Where the logs, or the signals, are searched that this signal is made of (siem.md §3.1, `relatedQuery`). */
export function relatedLogs(signal: ExploreEvent, queryIndex?: number): string {
  const { workflow, relatedQuery, queries = [], groupByValues = {} } = custom(signal);
  const first = timeOf(workflow?.first_seen ?? signal.attributes.timestamp) ?? 0;
  const last = timeOf(workflow?.last_seen ?? signal.attributes.timestamp) ?? first;
  const from = timeOf(numeric(relatedQuery?.from)) ?? first - DEFAULT_WINDOW_MS - MARGIN_MS;
  const to = timeOf(numeric(relatedQuery?.to)) ?? last + MARGIN_MS;
  const chosen = queryIndex === undefined ? undefined : queries[queryIndex];
  const given = queryIndex === undefined ? relatedQuery?.query : relatedQuery?.queries?.[chosen?.name || String.fromCharCode(97 + queryIndex)];
  const written = [either(chosen ? [chosen.query] : queries.map((each) => each.query)), ...valueClauses(groupByValues)].filter(Boolean).join(" ");
  // Of a rule that reads both, the related queries are those over logs.
  const isOfSignals = relatedQuery?.track === "signals" || (chosen !== undefined && relatedQuery?.queries !== undefined && given === undefined);
  return `/${isOfSignals ? "signals" : "logs"}${stringifySearch({ query: given ?? written, from: String(from), to: String(to) })}`;
}

function either(queries: string[]): string {
  const texts = [...new Set(queries.map((query) => query.trim()))];
  if (texts.length === 0 || texts.includes("") || texts.includes("*")) return "";
  const [only] = texts;
  return texts.length === 1 && only !== undefined ? (/\bOR\b|\|\|/.test(only) ? `(${only})` : only) : `(${texts.map((text) => `(${text})`).join(" OR ")})`;
}

const numeric = (value: number | string | undefined): unknown => (typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value);
