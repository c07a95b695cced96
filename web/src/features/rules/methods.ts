/** The detection methods: what each is for, what a new rule of it looks like, and what its queries may compute. */
import type { RuleCase, RuleOptions, RuleQuery } from "@/api/types";
import { emptyCase, emptyQuery, list, object, omit, text, type RuleDraft } from "./ruleDraft";

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

/** `signal_correlation` is a type of rule whose method is the threshold; `anomaly_threshold` another name. */
export function methodOf(draft: Pick<RuleDraft, "type" | "options">): string {
  if (draft.type === "signal_correlation") return "signal_correlation";
  const method = draft.options.detectionMethod ?? "threshold";
  return method === "anomaly_threshold" ? "content_anomaly" : method;
}

export const methodLabel = (id: string): string => METHODS.find((method) => method.id === id)?.label ?? id;

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
  const kept = omit(query, ["ruleId", "defaultRuleId", "correlatedByFields", "correlatedQueryIndex", "dataSource"]);
  return { ...emptyQuery(), ...kept, aggregation, groupByFields, ...(source === "signals" ? { dataSource: "security_signals" } : {}) } as RuleQuery;
}

/** Methods whose one case has no condition, and those without an evaluation window of the rule. */
export const SINGLE_CASE: readonly string[] = ["new_value", "impossible_travel"];
export const WINDOWLESS: readonly string[] = ["new_value", "impossible_travel", "sequence_detection", "third_party"];
const OPTION_NAMES = ["newValueOptions", "anomalyDetectionOptions", "contentAnomalyOptions", "impossibleTravelOptions", "sequenceDetectionOptions", "thirdPartyRuleOptions"];

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

/** The rule with another method: its texts, tags, queries and times as far as the method knows them. */
export function withMethod(draft: RuleDraft, method: MethodId): RuleDraft {
  const overLogs = method !== "signal_correlation" && method !== "third_party";
  const gone = ["thirdPartyCases", "groupSignalsBy", ...(overLogs ? [] : ["referenceTables", "tests"]), ...(method === "threshold" ? [] : ["schedulingOptions", "calculatedFields"])];
  // A third-party rule has no use for its times, and keeps others than any other method would begin with.
  const set = methodOf(draft) === "third_party" ? omit(draft.options, ["evaluationWindow", "keepAlive", "maxSignalDuration"]) : draft.options;
  const times = { evaluationWindow: 900, keepAlive: 3600, maxSignalDuration: 86400, ...set };
  const options: RuleOptions = { ...omit(times, [...OPTION_NAMES, ...(WINDOWLESS.includes(method) ? ["evaluationWindow"] : [])]), detectionMethod: overLogs || method === "third_party" ? method : "threshold" };
  return { ...omit(draft, gone), type: overLogs || method === "third_party" ? "log_detection" : "signal_correlation", options, ...SKELETONS[method](draft, options) } as RuleDraft;
}

type Skeleton = (draft: RuleDraft, options: RuleOptions) => Partial<RuleDraft>;

const SKELETONS: Record<MethodId, Skeleton> = {
  threshold: (draft) => ({ queries: logQueries(draft, "count"), cases: cases(draft, (first) => `${first} > 0`) }),
  new_value: (draft, options) => ({
    queries: logQueries(draft, "new_value").map((query) => ({ ...query, metrics: query.metrics ?? [] })),
    cases: oneCase(draft),
    options: { ...options, newValueOptions: { learningMethod: "duration", learningDuration: 7, forgetAfter: 28 } },
  }),
  anomaly_detection: (draft, options) => ({
    queries: logQueries(draft, "count"),
    cases: cases(draft, (first) => `${first} > 0.995`),
    options: { ...options, evaluationWindow: 1800, anomalyDetectionOptions: { bucketDuration: 300, learningDuration: 24, detectionTolerance: 3 } },
  }),
  content_anomaly: (draft, options) => ({
    queries: logQueries(draft, "count").map((query) => ({ ...query, metrics: query.metrics ?? [] })),
    cases: cases(draft, (first) => `${first} > 0`),
    options: { ...options, contentAnomalyOptions: { learningDuration: 7, forgetAfter: 7, similarityThreshold: 70, similarItemsThreshold: 1 } },
  }),
  impossible_travel: (draft, options) => ({
    queries: logQueries(draft, "geo_data")
      .slice(0, 1)
      .map((query) => ({ ...query, metrics: ["@network.client.geoip"], groupByFields: query.groupByFields.length > 0 ? query.groupByFields : ["@usr.id"] })),
    cases: oneCase(draft),
    options: { ...options, impossibleTravelOptions: { baselineUserLocations: true, baselineUserLocationsDuration: 7 } },
  }),
  sequence_detection: (draft, options) => {
    const given = logQueries(draft, "count");
    const queries = given.length > 1 ? given : [...given, emptyQuery()];
    const steps = queries.map((query, index) => ({ name: `step_${String.fromCharCode(97 + index)}`, condition: `${query.name || String.fromCharCode(97 + index)} > 0`, evaluationWindow: 300 }));
    const stepTransitions = steps.slice(1).map((step, index) => ({ parent: steps[index]?.name ?? "", child: step.name, evaluationWindow: 900 }));
    return {
      queries,
      cases: [{ ...emptyCase(), ...draft.cases[0], condition: `${steps.at(-1)?.name ?? ""} > 0` }],
      options: { ...options, sequenceDetectionOptions: { steps, stepTransitions } },
    };
  },
  signal_correlation: (draft) => ({
    queries: [0, 1].map(() => withSource(emptyQuery(), "rule")),
    cases: [{ ...emptyCase(), ...draft.cases[0], condition: "a > 0 && b > 0" }],
  }),
  third_party: (draft, options) => ({
    queries: [],
    cases: [],
    thirdPartyCases: [],
    options: { ...options, keepAlive: 0, thirdPartyRuleOptions: { rootQueries: logQueries(draft, "count").map(({ query, groupByFields }) => ({ query, groupByFields })), defaultStatus: draft.cases[0]?.status ?? "medium", defaultNotifications: [] } },
  }),
};

/** The queries as far as they look at logs; of third-party rules their roots. At least one. */
function logQueries(draft: RuleDraft, aggregation: string): RuleQuery[] {
  const roots = object<{ rootQueries: { query?: string; groupByFields?: string[] }[] }>(draft.options.thirdPartyRuleOptions).rootQueries;
  const given = roots ? roots.map((root) => ({ ...emptyQuery(), query: root.query ?? "", groupByFields: root.groupByFields ?? [] })) : draft.queries.filter((query) => sourceOf(query) === "logs");
  const queries = given.map((query) => ({ ...omit(query, ["metrics"]), aggregation, distinctFields: [] }) as unknown as RuleQuery);
  return queries.length > 0 ? queries : [{ ...emptyQuery(), aggregation }];
}

function cases(draft: RuleDraft, condition: (first: string) => string): RuleCase[] {
  const first = draft.queries[0]?.name || "a";
  return [{ ...emptyCase(), ...draft.cases[0], condition: condition(first) }];
}

function oneCase(draft: RuleDraft): RuleCase[] {
  return [omit({ ...emptyCase(), ...draft.cases[0] }, ["condition"]) as unknown as RuleCase];
}
