import { describe, expect, it } from "vitest";
import type { CoverageCell } from "@/api/coverage";
import { minutesText, runsOf, step } from "@/features/coverage/model";

const cells = (...statuses: string[]): CoverageCell[] => statuses.map((status, index) => ({ start: new Date(index * 60_000).toISOString(), status, minutes: { [status]: 1 }, matches: 0, reasons: [] }));

describe("coverage", () => {
  it("joins neighbours of one status", () => {
    expect(runsOf(cells("late", "late", "evaluated", "late"))).toEqual([
      { status: "late", first: 0, length: 2 },
      { status: "evaluated", first: 2, length: 1 },
      { status: "late", first: 3, length: 1 },
    ]);
    expect(runsOf([])).toEqual([]);
  });

  it("says minutes worst first", () => {
    expect(minutesText({ evaluated: 1200, not_evaluated: 3, late: 0 })).toBe("3 min hole, 1,200 min evaluated");
    expect(minutesText({})).toBe("");
  });

  it("moves cell by cell, and from change to change", () => {
    const row = cells("evaluated", "evaluated", "late", "late", "evaluated");
    expect(step("ArrowRight", 4, row)).toBe(4);
    expect(step("ArrowLeft", 1, row)).toBe(0);
    expect(step("PageDown", 0, row)).toBe(2);
    expect(step("PageDown", 2, row)).toBe(4);
    expect(step("PageDown", 4, row)).toBe(4);
    expect(step("PageUp", 4, row)).toBe(3);
    expect(step("PageUp", 1, row)).toBe(0);
    expect(step("a", 1, row)).toBeNull();
  });
});
