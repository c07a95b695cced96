import { describe, expect, it } from "vitest";
import type { CoverageCell, RuleCoverageResource } from "@/api/coverage";
import { minutesText, runsOf, step, totalsOf, withOff, withStatus } from "@/features/coverage/model";

const cells = (...statuses: string[]): CoverageCell[] => statuses.map((status, index) => ({ start: new Date(index * 60_000).toISOString(), status, minutes: { [status]: 1 }, matches: 0, reasons: [] }));
const rule = (id: string, summary: Record<string, number>): RuleCoverageResource => ({ id, type: "coverage", attributes: { name: id, enabled: true, sources: null, matches: 0, summary, cells: [] } });

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

  it("finds the rules that have such minutes, and adds up", () => {
    const rules = [rule("a", { evaluated: 5 }), rule("b", { evaluated: 2, late: 3 }), rule("c", { late: 0 })];
    expect(withStatus(rules, []).length).toBe(3);
    expect(withStatus(rules, ["late", "failed"]).map(({ id }) => id)).toEqual(["b"]);
    expect(totalsOf(rules)).toEqual({ evaluated: 7, late: 3 });
  });

  it("tells minutes in which a rule was only off from those in which something was passed over", () => {
    const [off, mixed, passed] = cells("skipped", "skipped", "skipped") as [CoverageCell, CoverageCell, CoverageCell];
    const told = withOff({
      ...rule("a", { skipped: 4, late: 1 }),
      attributes: {
        ...rule("a", { skipped: 4, late: 1 }).attributes,
        cells: [
          { ...off, reasons: ["not enabled"] },
          { ...mixed, minutes: { skipped: 2, late: 1 }, reasons: ["not enabled"] },
          { ...passed, reasons: ["not enabled", "late"] },
        ],
      },
    }).attributes;
    expect(told.cells.map(({ status }) => status)).toEqual(["off", "late", "skipped"]);
    expect(told.summary).toEqual({ skipped: 1, late: 1, off: 3 });
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
