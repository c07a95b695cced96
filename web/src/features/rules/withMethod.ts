/** A rule with another method, and what goes with the one it had. */
import type { RuleCase, RuleOptions, RuleQuery } from "@/api/types";
import { plural } from "@/lib/format";
import { methodOf, sourceOf, WINDOWLESS, withSource, type MethodId } from "./methods";
import { emptyCase, emptyQuery, list, omit, queriesOf, text, type RuleDraft } from "./ruleDraft";
import { isScheduled, live, maySchedule } from "./scheduling";
import { testsOf } from "./testEvents";

const OPTION_NAMES = ["newValueOptions", "anomalyDetectionOptions", "contentAnomalyOptions", "impossibleTravelOptions", "sequenceDetectionOptions", "thirdPartyRuleOptions"];

/** The rule with another method: its texts, tags, queries, schedule and times as far as the method knows them. */
export function withMethod(before: RuleDraft, method: MethodId): RuleDraft {
  const overLogs = method !== "signal_correlation" && method !== "third_party";
  const draft = maySchedule(method) ? before : live(before);
  const gone = ["thirdPartyCases", "groupSignalsBy", ...(overLogs ? [] : ["referenceTables", "tests"]), ...(maySchedule(method) && method !== "signal_correlation" ? [] : ["calculatedFields"])];
  // A third-party rule has no use for its times, and keeps others than any other method would begin with.
  const set = methodOf(draft) === "third_party" ? omit(draft.options, ["evaluationWindow", "keepAlive", "maxSignalDuration"]) : draft.options;
  const times = { evaluationWindow: 900, keepAlive: 3600, maxSignalDuration: 86400, ...set };
  const options: RuleOptions = { ...omit(times, [...OPTION_NAMES, ...(WINDOWLESS.includes(method) ? ["evaluationWindow"] : [])]), detectionMethod: overLogs || method === "third_party" ? method : "threshold" };
  return { ...omit(draft, gone), type: overLogs || method === "third_party" ? "log_detection" : "signal_correlation", options, ...SKELETONS[method](draft, options) } as RuleDraft;
}

/** What a rule has that it has no longer with another method, in words. */
export function lostBetween(before: RuleDraft, after: RuleDraft): string[] {
  const counts: [string, (draft: RuleDraft) => number][] = [
    ["query", (draft) => queriesOf(draft).filter((query) => text(query.query).trim() !== "").length],
    ["case", (draft) => draft.cases.length + list(draft.thirdPartyCases).length],
    ["calculated field", (draft) => list(draft.calculatedFields).length],
    ["table filter", (draft) => list(draft.referenceTables).length],
    ["test event", (draft) => testsOf(draft.tests).length],
  ];
  const fewer = counts.flatMap(([noun, count]) => {
    const gone = count(before) - count(after);
    // A new rule's one case is no loss where a method has none.
    return gone > 0 && !(noun === "case" && count(before) === 1) ? [plural(gone, noun, noun === "query" ? "queries" : undefined)] : [];
  });
  return [...(isScheduled(before) && !isScheduled(after) ? ["the schedule"] : []), ...fewer];
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

/** Those that look at logs. At least one. */
function logQueries(draft: RuleDraft, aggregation: string): RuleQuery[] {
  const given = queriesOf(draft).filter((query) => sourceOf(query) === "logs");
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
