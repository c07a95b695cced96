import { describe, expect, it } from "vitest";
import type { Rule } from "@/api/types";
import { filtersOf, folded } from "@/features/rules/filters";
import { METHODS, methodOf, NEW_RULE, sourceOf, withSource } from "@/features/rules/methods";
import { changedFields, cloneOf, draftOf, emptyQuery, highestSeverity, isDirty, rebased, same, type RuleDraft } from "@/features/rules/ruleDraft";
import { shapeFault } from "@/features/rules/RuleJson";
import { live } from "@/features/rules/scheduling";
import { lostBetween, withMethod } from "@/features/rules/withMethod";

const answered = { id: "abc-def-001", version: 3, isDefault: false, isDeleted: false, createdAt: 1, updatedAt: 2, creationAuthorId: 4, updateAuthorId: 4, creator: { handle: "ana", name: "Ana" }, filters: [], hasExtendedTitle: false };
const query = (more: object) => ({ name: "", query: "source:okta", aggregation: "count", groupByFields: ["@usr.id"], distinctFields: [], hasOptionalGroupByFields: false, dataSource: "logs", ...more });
const base = { name: "A rule", message: "Say *this*.\n", type: "log_detection", isEnabled: true, tags: ["source:okta", "tactic:TA0006-x"] };
const times = { keepAlive: 3600, maxSignalDuration: 86400 };

/** One rule of each method, with members that no form shows. */
const EXAMPLES: Record<string, Record<string, unknown>> = {
  threshold: {
    ...base,
    queries: [query({ name: "failed", customMember: { kept: [1, null] } }), query({ aggregation: "sum", metrics: ["@bytes"] }), query({ dataSource: "security_signals" })],
    cases: [{ name: "both", status: "high", condition: "failed > 3 then b > 0", notifications: ["@soc"], everyNewValue: [{ recipient: "@soc", attribute: "@usr.id" }] }],
    options: { detectionMethod: "threshold", evaluationWindow: 300, ...times, reopenOnUpdate: true },
    referenceTables: [{ tableName: "vpn", columnName: "ip", logFieldPath: "@network.client.ip", ruleQueryName: "failed", checkPresence: false }],
    groupSignalsBy: ["@usr.id"],
    tests: { match: [{ query: 0, event: { message: "x" } }], no_match: [], samples: { one: {} } },
  },
  new_value: { ...base, queries: [query({ aggregation: "new_value", metrics: ["@device.id"] })], cases: [{ name: "", status: "low", notifications: [] }], options: { detectionMethod: "new_value", ...times, newValueOptions: { learningMethod: "threshold", learningThreshold: 0, forgetAfter: 28 } } },
  anomaly_detection: { ...base, queries: [query({})], cases: [{ name: "", status: "high", condition: "a > 0.995", notifications: [] }], options: { detectionMethod: "anomaly_detection", evaluationWindow: 1800, ...times, anomalyDetectionOptions: { bucketDuration: 300, learningDuration: 24, detectionTolerance: 3, learningPeriodBaseline: 0 } } },
  content_anomaly: { ...base, queries: [query({ metrics: ["@process.command_line"] })], cases: [{ name: "", status: "medium", condition: "a >= 3", notifications: [] }], options: { detectionMethod: "anomaly_threshold", evaluationWindow: 3600, ...times, contentAnomalyOptions: { learningDuration: 7 } } },
  impossible_travel: { ...base, queries: [query({ aggregation: "geo_data", metrics: ["@network.client.geoip"] })], cases: [{ name: "", status: "high", notifications: [] }], options: { detectionMethod: "impossible_travel", ...times, impossibleTravelOptions: { baselineUserLocations: true, baselineUserLocationsDuration: 7 } } },
  sequence_detection: {
    ...base,
    queries: [query({ name: "failed" }), { name: "raised", ruleId: "aaa-bbb-001", aggregation: "event_count", correlatedByFields: ["@usr.id"], correlatedQueryIndex: 0 }],
    cases: [{ name: "", status: "high", condition: "make > 0", notifications: [] }],
    options: { detectionMethod: "sequence_detection", ...times, sequenceDetectionOptions: { steps: [{ name: "guess", condition: "failed > 10", evaluationWindow: 300 }, { name: "make", condition: "raised > 0", evaluationWindow: 0 }], stepTransitions: [{ parent: "guess", child: "make", evaluationWindow: 3600 }] } },
  },
  signal_correlation: { ...base, type: "signal_correlation", queries: [{ name: "", ruleId: "aaa-bbb-001", aggregation: "event_count", correlatedByFields: ["host"], correlatedQueryIndex: 1 }, { name: "", defaultRuleId: "aaa-bbb-002", aggregation: "event_count", correlatedByFields: ["host"] }], cases: [{ name: "", status: "critical", condition: "a > 0 && b > 0", notifications: [] }], options: { evaluationWindow: 900, ...times } },
  third_party: {
    ...base,
    queries: [{ query: "@level:8", aggregation: "none", name: "" }],
    cases: [{ name: "urgent", status: "high", notifications: [] }],
    thirdPartyCases: [{ name: "urgent", status: "high", query: "@level:8", notifications: [] }],
    options: { detectionMethod: "third_party", evaluationWindow: 0, keepAlive: 0, maxSignalDuration: 86400, thirdPartyRuleOptions: { rootQueries: [{ query: "source:edr", groupByFields: ["@device.id"] }], defaultStatus: "info", defaultNotifications: [] } },
  },
};
const stored = (method: string): Rule => ({ ...answered, ...EXAMPLES[method] }) as unknown as Rule;
const methods = METHODS.map((method) => method.id);

describe("a draft and its JSON", () => {
  it("has an example of every method", () => expect(Object.keys(EXAMPLES).sort()).toEqual([...methods].sort()));

  it.each(methods)("loses nothing of a rule of %s", (method) => {
    const draft = draftOf(stored(method));
    expect(draft).toEqual({ ...EXAMPLES[method], filters: [], hasExtendedTitle: false });
    const back = JSON.parse(JSON.stringify(draft, null, 2)) as RuleDraft;
    expect(shapeFault(back)).toBeNull();
    expect(back).toEqual(draft);
    expect(changedFields(draft, back)).toEqual({});
    expect(methodOf(back)).toBe(method);
  });

  it.each(methods)("sends of a rule of %s only what was changed", (method) => {
    const draft = draftOf(stored(method));
    const renamed = { ...draft, name: "Another", options: { ...draft.options } };
    expect(changedFields(draft, renamed)).toEqual({ name: "Another" });
    expect(isDirty(draft, { ...renamed, name: draft.name })).toBe(false);
  });

  it("does not take another order of members for a change, but another order of a list", () => {
    expect(same({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toBe(true);
    expect(same({ a: 1, b: undefined }, { a: 1 })).toBe(true);
    expect(same([1, 2], [2, 1])).toBe(false);
    expect(same({ a: null }, { a: {} })).toBe(false);
    expect(same([], {})).toBe(false);
  });

  it.each(methods)("keeps what was typed into a rule of %s while it was saved", (method) => {
    const sent = draftOf(stored(method));
    const { message, ...rest } = { ...sent, name: "Typed meanwhile" };
    expect(message).toBe(sent.message);
    const fresh = { ...sent, tags: [...sent.tags, "added:by-the-server"] };
    const { message: gone, ...kept } = { ...fresh, name: "Typed meanwhile" };
    expect(gone).toBe(sent.message);
    expect(rebased(rest as RuleDraft, sent, fresh)).toEqual(kept);
    expect(rebased(sent, sent, fresh)).toEqual(fresh);
  });

  it("sends a list that is gone as an empty one", () => {
    const draft = draftOf(stored("threshold"));
    const { referenceTables, ...rest } = draft;
    expect(referenceTables).toHaveLength(1);
    expect(changedFields(draft, rest as RuleDraft)).toEqual({ referenceTables: [] });
  });

  it.each([
    ["[]", "A rule is an object"],
    ['{"name": "x", "message": "", "queries": [1], "cases": [], "tags": [], "options": {}}', "“queries” must hold objects"],
    ['{"name": "x", "message": "", "queries": [], "cases": [], "tags": [3], "options": {}}', "“tags” must hold texts"],
    ['{"name": "x", "message": "", "queries": [], "cases": [], "tags": [], "options": {}, "calculatedFields": ["x"]}', "“calculatedFields” must hold objects"],
    ['{"name": "x", "message": "", "queries": [], "cases": [{"everyNewValue": [null]}], "tags": [], "options": {}, "tests": {"match": [null]}}', "“cases” has a list that holds null"],
    ['{"name": "x", "message": 1, "queries": [], "cases": [], "tags": [], "options": {}}', "“message” must be a text"],
  ])("refuses to show %s in the form", (text, fault) => expect(shapeFault(JSON.parse(text))).toBe(fault));
});

describe("a clone", () => {
  it("is a rule of one's own: adjustments are part of it, and it begins disabled", () => {
    const rule = { ...stored("threshold"), isDefault: true, customName: "Ours", customMessage: "Do that", cases: [{ name: "", status: "low", customStatus: "high", condition: "a > 0", notifications: [] }], queries: [query({ query: "a OR b", customQueryExtension: "-c" })] } as unknown as Rule;
    const clone = cloneOf(rule);
    expect(clone).toMatchObject({ name: "Copy of Ours", message: "Do that", isEnabled: false, cases: [{ status: "high" }], queries: [{ query: "(a OR b) AND (-c)" }] });
    for (const name of ["id", "version", "customName", "customMessage"]) expect(clone).not.toHaveProperty(name);
    expect(clone.cases[0]).not.toHaveProperty("customStatus");
    expect(clone.queries[0]).not.toHaveProperty("customQueryExtension");
  });
});

describe("another method", () => {
  const begun: RuleDraft = { ...NEW_RULE, name: "N", message: "M", tags: ["t"], queries: [{ ...emptyQuery(), name: "failed", query: "x", groupByFields: ["host"] }] };

  it.each(methods)("keeps texts and tags, and has what %s needs", (method) => {
    const draft = withMethod(begun, method);
    expect(methodOf(draft)).toBe(method);
    expect(draft).toMatchObject({ name: "N", message: "M", tags: ["t"] });
    expect(shapeFault(draft)).toBeNull();
    expect(JSON.parse(JSON.stringify(draft))).toEqual(draft);
  });

  it.each(methods)("comes back from %s with query and group", (method) => {
    const there = withMethod(begun, method);
    const back = withMethod(there, "threshold");
    if (method === "signal_correlation") expect(back.queries).toEqual([emptyQuery()]);
    else expect(back.queries[0]).toMatchObject({ query: "x", groupByFields: ["host"], aggregation: "count" });
    for (const name of ["thirdPartyCases", "groupSignalsBy"]) expect(back).not.toHaveProperty(name);
    expect(back.options).toEqual({ detectionMethod: "threshold", evaluationWindow: method === "anomaly_detection" ? 1800 : 900, keepAlive: 3600, maxSignalDuration: 86400 });
  });

  const scheduled = { ...begun, queries: [{ ...begun.queries[0], index: "main" }], schedulingOptions: { rrule: "FREQ=DAILY", start: "2030-01-01T00:00:00", timezone: "UTC" }, calculatedFields: [{ name: "x", expression: "1" }] } as unknown as RuleDraft;

  it.each(methods)("keeps the schedule for %s, or says that it cannot", (method) => {
    const draft = withMethod(scheduled, method);
    const isKept = method !== "sequence_detection";
    const isOfLogs = isKept && method !== "signal_correlation";
    expect([draft.schedulingOptions, draft.calculatedFields]).toEqual([isKept ? scheduled.schedulingOptions : undefined, isOfLogs ? scheduled.calculatedFields : undefined]);
    if (method === "sequence_detection") expect(draft.queries[0]).not.toHaveProperty("index");
    expect(lostBetween(scheduled, draft)).toEqual(isOfLogs ? [] : [isKept ? "1 query" : "the schedule", "1 calculated field"]);
  });

  it("says what else goes", () => {
    const rich = { ...scheduled, cases: [NEW_RULE.cases[0], NEW_RULE.cases[0]], referenceTables: [{}, {}], tests: { match: [{ event: {} }] } } as unknown as RuleDraft;
    expect(lostBetween(rich, withMethod(rich, "third_party"))).toEqual(["2 cases", "2 table filters", "1 test event"]);
    expect(lostBetween(rich, withMethod(rich, "new_value"))).toEqual(["1 case"]);
    expect(lostBetween(rich, rich)).toEqual([]);
  });

  it("runs on logs as they come in without schedule and index, and keeps its fields for the check", () => {
    expect(live(scheduled)).toEqual({ ...begun, calculatedFields: scheduled.calculatedFields });
    expect(changedFields(scheduled, live(scheduled)).schedulingOptions).toBeNull();
  });

  it("looks elsewhere and keeps what it groups by", () => {
    const logs = { ...emptyQuery(), name: "q", query: "x", groupByFields: ["host"] };
    const rule = withSource(logs, "rule");
    expect(rule).toEqual({ name: "q", ruleId: "", aggregation: "event_count", correlatedByFields: ["host"] });
    expect([sourceOf(logs), sourceOf(withSource(logs, "signals")), sourceOf(rule)]).toEqual(["logs", "signals", "rule"]);
    expect(withSource(rule, "logs")).toEqual({ ...emptyQuery(), name: "q", groupByFields: ["host"] });
  });
});

describe("filters of older rules", () => {
  const filters = [{ action: "require", query: "env:prod" }, { action: "suppress", query: "a OR b" }, { action: "suppress", query: " " }];
  const narrow = (query: string) => `(${query}) AND (env:prod) AND NOT (a OR b)`;

  it("become part of each query", () => {
    const draft = folded({ ...draftOf(stored("threshold")), filters } as unknown as RuleDraft);
    expect(draft.queries.map((each) => each.query)).toEqual(Array.from({ length: 3 }, () => narrow("source:okta")));
    expect(filtersOf(draft)).toEqual([]);
  });

  it("become part of what a third-party rule looks for", () => {
    const before = draftOf(stored("third_party"));
    const draft = folded({ ...before, filters } as unknown as RuleDraft);
    expect(draft.options.thirdPartyRuleOptions).toMatchObject({ rootQueries: [{ query: narrow("source:edr"), groupByFields: ["@device.id"] }] });
    expect(draft.queries).toEqual(before.queries);
  });

  it("change nothing where none says anything", () => expect(folded({ ...NEW_RULE, filters: [{ action: "require", query: "" }] } as unknown as RuleDraft).queries).toEqual(NEW_RULE.queries));
});

it("knows the highest severity of vendors' alerts too", () => {
  expect(highestSeverity(draftOf(stored("third_party")))).toBe("high");
  expect(highestSeverity({ ...draftOf(stored("third_party")), thirdPartyCases: [], cases: [] })).toBe("info");
});
