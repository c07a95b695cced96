import { expect, it } from "vitest";
import { ApiError } from "@/api/errors";
import { suppressionFaults, type Suppression, type SuppressionPreview } from "@/api/suppressions";
import { differences } from "@/features/suppressions/differences";
import { changesBetween, forceOf, NEW_SUPPRESSION, presetFor } from "@/features/suppressions/draft";
import { previewLinks } from "@/features/suppressions/previewLinks";
import { valueClauses } from "@/lib/queryText";
import { newSuppression } from "@/lib/suppressions";
import { parseSearch } from "@/lib/urlState";

const preview = (rules: string[]): SuppressionPreview => ({
  from: "2026-01-01T00:00:00.000Z",
  to: "2026-01-31T00:00:00.001Z",
  rules_in_scope: rules.length,
  signals: { hidden: 1, total: 2, true_positives: 0, archived: {} },
  rules: rules.map((id) => ({ rule_id: id, rule_name: id, hidden: 1, total: 2 })),
  examples: [],
  warnings: [],
});

it("places what the server says at the fields that it is about", () => {
  const error = new ApiError(400, ["Invalid suppression", "rule_query cannot be empty; write * for every rule", "suppression_query: unknown word", "3 tags too many"], null);
  expect(suppressionFaults(error)).toEqual([
    { target: "rule_query", message: "Cannot be empty; write * for every rule" },
    { target: "suppression_query", message: "Unknown word" },
    { target: "", message: "3 tags too many" },
  ]);
  expect(suppressionFaults(new Error("no"))).toEqual([]);
});

it("sends only what was changed", () => {
  expect(changesBetween(NEW_SUPPRESSION, { ...NEW_SUPPRESSION, name: "a", tags: [] })).toEqual({ name: "a" });
  expect(changesBetween({ ...NEW_SUPPRESSION, expiration_date: 5 }, NEW_SUPPRESSION)).toEqual({ expiration_date: null });
});

it("says whether it is in force", () => {
  const at = (fields: object) => forceOf({ enabled: true, start_date: null, expiration_date: null, ...fields }, 100);
  expect([at({}), at({ enabled: false }), at({ start_date: 101 }), at({ expiration_date: 100 }), at({ start_date: 100, expiration_date: 101 })]).toEqual(["in force", "disabled", "not begun", "expired", "in force"]);
});

it("tells what a version has otherwise", () => {
  const before = { name: "a", enabled: true, rule_query: "*", suppression_query: "x", data_exclusion_query: "", expiration_date: 5, tags: ["a"] } as unknown as Suppression["attributes"];
  const after = { ...before, enabled: false, expiration_date: null, tags: ["a", "b"], version: 2 };
  expect(differences(before, after, (time) => `t${String(time)}`)).toEqual([
    { field: "enabled", label: "Enabled", before: "yes", after: "no" },
    { field: "expiration_date", label: "Until", before: "t5", after: "" },
    { field: "tags", label: "Tags", before: "a", after: "a, b" },
  ]);
});

it("opens each number of a preview as the signals that it counts", () => {
  const links = previewLinks(preview(["aaa-bbb-ccc", "ddd-eee-fff"]), "a OR b");
  const search = parseSearch((links.truePositives ?? "").split("?")[1] ?? "");
  expect(search).toEqual({
    query: "(a OR b) @workflow.rule.id:(aaa-bbb-ccc OR ddd-eee-fff) @workflow.triage.state:archived @workflow.triage.archive_reason:(true_positive_malicious OR true_positive_benign)",
    from: "2026-01-01T00:00:00.000Z",
    to: "2026-01-31T00:00:00.001Z",
  });
  expect(parseSearch((links.total ?? "").split("?")[1] ?? "").query).toBe("@workflow.rule.id:(aaa-bbb-ccc OR ddd-eee-fff)");
  expect(previewLinks(preview(Array.from({ length: 151 }, (_, n) => `r${String(n)}`)), "a").hidden).toBeNull();
  expect(previewLinks(preview([]), "a").hidden).toBeNull();
});

it("begins a suppression with the rule and the entity of a signal", () => {
  const entity = valueClauses({ "@usr.id": "ana maria", host: ["web-1", "web-2"], "@x": "N/A", "@a\\ b": "c" }).join(" ");
  const { rule, preset } = parseSearch(newSuppression("aaa-bbb-ccc", entity).split("?")[1] ?? "");
  expect(presetFor(rule, preset)).toMatchObject({ rule_query: "ruleId:aaa-bbb-ccc", suppression_query: '@usr.id:"ana maria" host:(web-1 OR web-2) @a\\ b:c' });
});
