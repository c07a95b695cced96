/** The detection methods: what each is for, what its queries may compute, and where they may look. */
import type { RuleQuery } from "@/api/types";
import { emptyCase, emptyQuery, list, omit, text, type RuleDraft } from "./ruleDraft";

export const METHODS = [
  { id: "threshold", label: "Threshold", purpose: "Counts events, different values, sums or maxima within a window, of one query or several together." },
  { id: "new_value", label: "New value", purpose: "A value that a group has not had before: a country, a device, an administrator's first command." },
  { id: "anomaly_detection", label: "Anomaly", purpose: "Many more events than a group usually has at this time of the day and week." },
  { id: "content_anomaly", label: "Content anomaly", purpose: "A log whose words are unlike those of the days before: a strange command line or query." },
  { id: "impossible_travel", label: "Impossible travel", purpose: "One account at two places, faster than anybody can travel." },
  { id: "sequence_detection", label: "Sequence", purpose: "Steps that follow one another: many failures, then a success, then a new key." },
  { id: "signal_correlation", label: "Signal correlation", purpose: "Signals of other rules that meet at one account, host or address." },
  { id: "third_party", label: "Third party", purpose: "Takes over the alerts of another product, each with a severity of your own." },
] as const;

export type MethodId = (typeof METHODS)[number]["id"];

/** Not offered for new rules: what it looks for is built in (siem.md §2.21). */
const BUILT_IN = [{ id: "hardcoded", label: "Log4Shell", purpose: "Attacks on Log4j by a lookup such as ${jndi:ldap://…}, however it is disguised, in the logs that the query finds." }] as const;

export const methodWith = (id: string) => [...METHODS, ...BUILT_IN].find((method) => method.id === id);

/** `signal_correlation` is a type of rule whose method is the threshold; `anomaly_threshold` another name. */
export function methodOf(draft: Pick<RuleDraft, "type" | "options">): string {
  if (draft.type === "signal_correlation") return "signal_correlation";
  const method = draft.options.detectionMethod ?? "threshold";
  return method === "anomaly_threshold" ? "content_anomaly" : method;
}

export const methodLabel = (id: string): string => methodWith(id)?.label ?? id;

export const AGGREGATIONS: Record<string, { value: string; label: string }[]> = {
  threshold: [
    { value: "count", label: "Count of events" },
    { value: "cardinality", label: "Distinct values" },
    { value: "sum", label: "Sum" },
    { value: "max", label: "Maximum" },
  ],
  anomaly_detection: [
    { value: "count", label: "Count of events" },
    { value: "cardinality", label: "Distinct values" },
  ],
};
AGGREGATIONS.sequence_detection = AGGREGATIONS.threshold ?? [];

/** Where the queries of a method may look. */
export const SOURCES: Record<string, readonly Source[]> = {
  threshold: ["logs", "signals"],
  sequence_detection: ["logs", "signals", "rule"],
  signal_correlation: ["rule"],
};
export type Source = "logs" | "signals" | "rule";

export function sourceOf(query: RuleQuery): Source {
  if (query.ruleId !== undefined || query.defaultRuleId !== undefined) return "rule";
  return query.dataSource === "security_signals" ? "signals" : "logs";
}

/** A query that looks elsewhere; what it is called and grouped by stays. */
export function withSource(query: RuleQuery, source: Source): RuleQuery {
  const groupByFields = list<string>(source === sourceOf(query) || sourceOf(query) !== "rule" ? query.groupByFields : query.correlatedByFields);
  if (source === "rule") return { name: query.name, ruleId: text(query.ruleId), aggregation: "event_count", correlatedByFields: groupByFields } as unknown as RuleQuery;
  const aggregation = query.aggregation === "event_count" ? "count" : query.aggregation;
  const kept = omit(query, ["ruleId", "defaultRuleId", "correlatedByFields", "correlatedQueryIndex", "dataSource", ...(source === "signals" ? ["index", "indexes"] : [])]);
  return { ...emptyQuery(), ...kept, aggregation, groupByFields, ...(source === "signals" ? { dataSource: "security_signals" } : {}) } as RuleQuery;
}

/** Methods whose one case has no condition, and those without an evaluation window of the rule. */
export const SINGLE_CASE: readonly string[] = ["new_value", "impossible_travel"];
export const WINDOWLESS: readonly string[] = ["new_value", "impossible_travel", "sequence_detection", "third_party"];
/** A new rule. */
export const NEW_RULE: RuleDraft = {
  type: "log_detection",
  name: "",
  message: "",
  isEnabled: true,
  tags: [],
  queries: [emptyQuery()],
  cases: [{ ...emptyCase(), condition: "a > 0" }],
  options: { detectionMethod: "threshold", evaluationWindow: 900, keepAlive: 3600, maxSignalDuration: 86400 },
};
