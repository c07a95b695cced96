import { describe, expect, it } from "vitest";
import { between, countSelected, EVERYTHING, isSelected, NOTHING, setSelected, toggle } from "@/lib/selection";

describe("ticked rows", () => {
  it("are named ones", () => {
    const selection = toggle(toggle(NOTHING, "a"), "b");
    expect(countSelected(selection, 100)).toBe(2);
    expect(isSelected(toggle(selection, "a"), "a")).toBe(false);
  });

  it("are all that a query finds, but some", () => {
    const selection = toggle(EVERYTHING, "a");
    expect(selection).toEqual({ kind: "query", except: new Set(["a"]) });
    expect(countSelected(selection, 12_480)).toBe(12_479);
    expect(isSelected(selection, "never loaded")).toBe(true);
    expect(toggle(selection, "a")).toEqual({ kind: "query", except: new Set() });
  });

  it("do not change the selection they came from", () => {
    const before = toggle(NOTHING, "a");
    setSelected(before, ["b"], true);
    expect(countSelected(before, 9)).toBe(1);
  });

  it("never count below nothing", () => {
    expect(countSelected(setSelected(EVERYTHING, ["a", "b"], false), 1)).toBe(0);
  });
});

it("takes ranges in both directions, and a single row without an anchor", () => {
  const ids = ["a", "b", "c", "d"];
  expect(between(ids, "b", "d")).toEqual(["b", "c", "d"]);
  expect(between(ids, "d", "b")).toEqual(["b", "c", "d"]);
  expect(between(ids, null, "c")).toEqual(["c"]);
  expect(between(ids, "gone", "c")).toEqual(["c"]);
  expect(between(ids, "a", "gone")).toEqual([]);
});
