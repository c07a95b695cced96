import { describe, expect, it } from "vitest";
import { durationLabel, WINDOWS } from "@/features/rules/durations";
import { messagesAt, messagesUnder } from "@/features/rules/editor";
import { appended, chainOf, renamed, shortened } from "@/features/rules/sequence";
import { joinStages, stagesOf } from "@/features/rules/stages";
import { afterRemoval, parsePasted, payloadOf, testsOf, withTests } from "@/features/rules/testEvents";
import { jsonPlaces, placeOf } from "@/lib/jsonPlaces";
import { diffLines, folded, pairLines } from "@/lib/textDiff";

describe("the steps of a sequence", () => {
  const steps = ["b", "a", "c"].map((name) => ({ name, condition: `${name} > 0`, evaluationWindow: 60 }));
  const transitions = [
    { parent: "b", child: "c", evaluationWindow: 1 },
    { parent: "a", child: "b", evaluationWindow: 2 },
  ];

  it("stand in the order of their transitions", () => expect(chainOf(steps, transitions)).toEqual([1, 0, 2]));

  it.each([
    ["too few", [{ parent: "a", child: "b" }]],
    ["a fork", [{ parent: "a", child: "b" }, { parent: "a", child: "c" }]],
    ["a ring", [{ parent: "a", child: "b" }, { parent: "b", child: "c" }, { parent: "c", child: "a" }]],
    ["an unknown step", [{ parent: "a", child: "b" }, { parent: "b", child: "z" }]],
  ])("are no line with %s", (_, wrong) => expect(chainOf(steps, wrong)).toBeNull());

  it("are renamed in their transitions as well", () => {
    const line = renamed(steps, transitions, 0, "new");
    expect(line.stepTransitions.map(({ parent, child }) => [parent, child])).toEqual([["new", "c"], ["a", "new"]]);
    expect(chainOf(line.steps, line.stepTransitions)).toEqual([1, 0, 2]);
  });

  it("grow and shrink at the end", () => {
    const longer = appended(steps, transitions, [1, 0, 2]);
    expect(longer.steps.at(-1)?.name).toBe("step_a");
    const chain = chainOf(longer.steps, longer.stepTransitions);
    expect(chain).toEqual([1, 0, 2, 3]);
    expect(shortened(longer.steps, longer.stepTransitions, chain ?? [])).toEqual({ steps, stepTransitions: transitions });
  });
});

describe("conditions one after the other", () => {
  it.each(["a > 5 then b > 0", "a > 1 then b > 2 then c > 3", "a > 0"])("reads and writes %s", (text) => expect(joinStages(stagesOf(text))).toBe(text));
  it("does not part names that contain the word", () => expect(stagesOf("authenticated > 1")).toEqual(["authenticated > 1"]));
});

it("writes all allowed times", () => {
  expect(WINDOWS.map(durationLabel)).toEqual(["None", "1 minute", "5 minutes", "10 minutes", "15 minutes", "30 minutes", "1 hour", "2 hours", "3 hours", "6 hours", "12 hours", "24 hours"]);
  expect([90, 604_800, 172_800].map(durationLabel)).toEqual(["90 seconds", "7 days", "2 days"]);
});

it("puts messages at their fields, of lists at the list", () => {
  const faults = ["tags[2]", "cases[0].name", "cases", "tags"].map((target) => ({ target, message: target }));
  expect(messagesAt(faults, "tags")).toBe("tags[2] tags");
  expect(messagesAt(faults, "cases")).toBe("cases");
  expect(messagesAt(faults, "name")).toBeUndefined();
});

it("puts messages about what a member holds together", () => {
  const faults = ["cases[0].everyNewValue[1].recipient", "cases[0].everyNewValueX", "cases[0].everyNewValue"].map((target) => ({ target, message: target }));
  expect(messagesUnder(faults, "cases[0].everyNewValue")).toBe("cases[0].everyNewValue[1].recipient cases[0].everyNewValue");
  expect(messagesUnder(faults, "cases[1]")).toBeUndefined();
});

describe("logs to test with", () => {
  it("are read from what the explorer copies, as they could be sent", () => {
    const copied = { id: "x", type: "log", attributes: { timestamp: "2030-01-01T00:00:00Z", source: "sshd", host: "web", service: ["shop"], tags: ["env:prod", "a"], message: "hi", status: "info", attributes: { usr: { id: "ana" } } } };
    expect(payloadOf(copied)).toEqual({ timestamp: "2030-01-01T00:00:00Z", ddsource: "sshd", hostname: "web", service: "shop", ddtags: "env:prod,a", message: "hi", status: "info", usr: { id: "ana" } });
    expect(payloadOf({ ddsource: "okta", attributes: { kept: true } })).toEqual({ ddsource: "okta", attributes: { kept: true } });
    expect(payloadOf({ eventName: "ConsoleLogin" })).toEqual({ eventName: "ConsoleLogin" });
  });

  it("are JSON, several, or lines of text", () => {
    expect(parsePasted('{"a": 1}').events).toEqual([{ a: 1 }]);
    expect(parsePasted('[{"a": 1}, {"b": 2}]').events).toHaveLength(2);
    expect(parsePasted('{"a": 1}\n{"b": 2}\n').events).toEqual([{ a: 1 }, { b: 2 }]);
    expect(parsePasted("one line\n\nanother").events).toEqual([{ message: "one line" }, { message: "another" }]);
    expect(parsePasted('{"a": ').fault).toContain("cannot be read");
    expect(parsePasted("  ").fault).toContain("Paste");
  });

  it("are kept as files have them, with what no form shows", () => {
    const kept = { match: [{ query: 1, event: { m: 1 } }, { sample: "one" }], no_match: [{ event: { m: 2 } }], timelines: [{ name: "t" }] };
    const events = testsOf(kept);
    expect(events).toEqual([
      { query: 1, expected: true, event: { m: 1 } },
      { query: 0, expected: false, event: { m: 2 } },
    ]);
    expect(withTests(kept, events)).toEqual({ match: [{ sample: "one" }, { query: 1, event: { m: 1 } }], no_match: [{ query: 0, event: { m: 2 } }], timelines: [{ name: "t" }] });
    expect(withTests(undefined, [])).toBeUndefined();
  });

  it("follow their query when another is removed", () => {
    const tests = { match: [{ query: 0, event: {} }, { query: 2, event: { m: 1 } }], no_match: [{ query: 1, event: {} }] };
    expect(testsOf(afterRemoval(tests, 1))).toEqual([
      { query: 0, expected: true, event: {} },
      { query: 1, expected: true, event: { m: 1 } },
    ]);
  });
});

describe("places in JSON", () => {
  const text = JSON.stringify({ name: "a \"quoted\" ] name", queries: [{ query: "x" }, { query: "y", n: [1, true] }], o: {} }, null, 2);
  const value = (path: string) => {
    const place = placeOf(jsonPlaces(text), path);
    return place ? text.slice(place.from, place.to) : null;
  };
  it.each([
    ["name", '"a \\"quoted\\" ] name"'],
    ["queries[1].query", '"y"'],
    ["queries[1].n[1]", "true"],
    ["o", "{}"],
    ["queries[1].n[7].deeper", "[\n        1,\n        true\n      ]"],
    ["missing", "{"],
  ])("finds %s", (path, found) => expect(value(path)).toBe(found));
  it("finds nothing in what is no JSON", () => expect(jsonPlaces('{"a": ')).toEqual(new Map()));
});

describe("two texts", () => {
  const before = "a\nb\nc\nd\ne";
  const after = "a\nX\nc\nd\nY\ne";

  it("differ line by line", () => {
    expect(diffLines(before, after).map((line) => `${line.kind.charAt(0)} ${line.text}`)).toEqual(["k a", "r b", "a X", "k c", "k d", "a Y", "k e"]);
    expect(diffLines(before, before).every((line) => line.kind === "kept")).toBe(true);
  });

  it("can be put together again from what differs", () => {
    const letters = "abcab";
    for (let seed = 1; seed < 60; seed++) {
      const make = (factor: number) => Array.from({ length: (seed * factor) % 9 }, (_, at) => letters.charAt((seed * factor * (at + 3) + at) % letters.length)).join("\n");
      const [one, other] = [make(7), make(11)];
      const lines = diffLines(one, other);
      expect(lines.filter((line) => line.kind !== "added").map((line) => line.text).join("\n")).toBe(one);
      expect(lines.filter((line) => line.kind !== "removed").map((line) => line.text).join("\n")).toBe(other);
    }
  });

  it("stand side by side, with equal parts folded", () => {
    const rows = pairLines(diffLines(before, after));
    expect(rows.map((row) => [row.before?.text ?? null, row.after?.text ?? null])).toEqual([["a", "a"], ["b", "X"], ["c", "c"], ["d", "d"], [null, "Y"], ["e", "e"]]);
    expect(folded(["k", "k", "k", "x", "k", "k"], (line) => line === "k", 1)).toEqual([2, "k", "x", "k", 1]);
  });
});
