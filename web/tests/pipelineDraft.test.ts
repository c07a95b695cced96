import { describe, expect, it } from "vitest";
import type { Pipeline } from "@/api/pipelines";
import { changesBetween, changesOf, draftOf, faultAt, faultsIn, isDirty, isOn, member, moved, pipelineOf, sampleOf, samplesIn, withMember } from "@/features/pipelines/pipelineDraft";
import { KINDS, newProcessor } from "@/features/pipelines/processorKinds";

const PIPELINE: Pipeline = {
  id: "p",
  type: "pipeline",
  version: "1",
  name: "Doors",
  is_enabled: true,
  is_read_only: false,
  filter: { query: "source:door" },
  tags: [],
  processors: [
    { type: "grok-parser", name: "words", is_enabled: true, source: "message", samples: ["opened ana"], grok: { match_rules: "r %{word:a}" } },
    { type: "pipeline", name: "inner", is_enabled: true, filter: { query: "@a:b" }, processors: [{ type: "exclude-attribute", attribute_to_exclude: "a" }] },
  ],
};

describe("a draft", () => {
  it("gives back what it was made of, nested processors too", () => {
    const draft = draftOf(PIPELINE);
    expect(pipelineOf(draft).processors).toEqual(PIPELINE.processors);
    expect(isDirty(draft, draftOf(PIPELINE))).toBe(false);
    expect(samplesIn(draft.items)).toEqual(["opened ana"]);
  });

  it("keeps the keys of items when they move", () => {
    const draft = draftOf(PIPELINE);
    const keys = draft.items.map((item) => item.key);
    expect(moved(draft.items, 1, 0).map((item) => item.key)).toEqual(keys.toReversed());
    expect(isDirty(draft, { ...draft, items: moved(draft.items, 1, 0) })).toBe(true);
  });

  it("knows every processor that it offers", () => {
    for (const type of Object.keys(KINDS)) {
      const body = newProcessor(type);
      expect(isOn(body)).toBe(true);
      for (const field of KINDS[type]?.fields(body) ?? []) expect(field.label).not.toBe("");
    }
  });
});

describe("members", () => {
  it("are read in the API's spelling and in that of published pipelines", () => {
    expect(member({ grok: { matchRules: "r" } }, "grok.match_rules")).toBe("r");
    expect(isOn({ enabled: true })).toBe(true);
    expect(isOn({ type: "url-parser" })).toBe(false);
  });

  it("are written once, in the API's spelling", () => {
    expect(withMember({ overrideOnConflict: true, target: "a" }, "override_on_conflict", false)).toEqual({ target: "a", override_on_conflict: false });
    expect(withMember({ grok: { matchRules: "r", supportRules: "s" } }, "grok.match_rules", "q")).toEqual({ grok: { supportRules: "s", match_rules: "q" } });
    expect(withMember({ a: 1, b: 2 }, "a", undefined)).toEqual({ b: 2 });
  });
});

describe("faults", () => {
  const faults = [
    { target: "processors[1].grok.match_rules", message: "no rule" },
    { target: "processors[10].sources", message: "empty" },
    { target: "processors[2].categories[0].name", message: "is required" },
  ];
  it("stand at their field", () => {
    expect(faultAt(faults, "processors[1].grok.match_rules")).toBe("no rule");
    expect(faultAt(faults, "processors[2].categories")).toBe("is required");
    expect(faultAt(faults, "processors[1].sources")).toBeUndefined();
  });
  it("are counted by processor, and told there when no field is theirs", () => {
    expect(faultsIn(faults, "processors[1]", ["grok.match_rules"])).toEqual({ count: 1, loose: undefined });
    expect(faultsIn(faults, "processors[1]", ["source"])).toEqual({ count: 1, loose: "grok.match_rules: no rule" });
    expect(faultsIn([{ target: "processors[1]", message: "an object is expected" }], "processors[1]", [])).toEqual({ count: 1, loose: "an object is expected" });
  });
});

describe("trying", () => {
  it("takes an object as an object, and anything else as a text", () => {
    expect(sampleOf('{"message": "a"}')).toEqual({ message: "a" });
    expect(sampleOf("[1]")).toBe("[1]");
    expect(sampleOf("opened ana")).toBe("opened ana");
    expect(sampleOf("  ")).toBeNull();
  });

  it("says what a step added, changed and removed", () => {
    const before = { message: "m", tags: ["a:b"], attributes: { who: "ana", n: 1 } };
    const after = { message: "m", tags: ["a:b", "c:d"], attributes: { usr: { id: "ana" }, n: 2 } };
    expect(changesBetween(before, after)).toEqual([
      { path: "tags", kind: "changed", before: "a:b", after: "a:b, c:d" },
      { path: "@usr.id", kind: "added", before: "", after: "ana" },
      { path: "@n", kind: "changed", before: "1", after: "2" },
      { path: "@who", kind: "removed", before: "ana", after: "" },
    ]);
  });

  it("compares each step with the one before", () => {
    const step = (where: string, attributes: object) => ({ where, type: "x", name: "", outcome: "changed", failed: null, event: { attributes } });
    const told = changesOf({ attributes: {} }, [step("processors[0]", { a: 1 }), step("processors[1]", { a: 1, b: 2 })]);
    expect(told.map(({ changes }) => changes.map((change) => change.path))).toEqual([["@a"], ["@b"]]);
  });
});
