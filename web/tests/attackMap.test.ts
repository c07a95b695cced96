import { describe, expect, it } from "vitest";
import type { AttackMapAnswer } from "@/api/attack";
import { densityOf, matrixOf, readFilter, ruleQuery, signalsQuery, step, tileQuery } from "@/features/attack/model";

const tactic = (id: string, tiles: Record<string, string[]>): AttackMapAnswer["data"][number] => ({
  id,
  type: "attack_tactic",
  attributes: { name: id, url: "", rules: 0, tiles: Object.entries(tiles).map(([technique, rules]) => ({ technique, rules, enabled: rules.length, sub_techniques: {} })) },
});
const answer = {
  data: [tactic("TA1", { T1: ["a", "b", "c"], T2: [] }), tactic("TA2", { T1: ["a"], T3: ["a", "b", "c", "d", "e", "f", "g"] })],
  included: ["T1", "T2", "T3"].map((id) => ({ id, type: "attack_technique" as const, attributes: { name: id, url: "", text: "" } })),
  meta: { version: "18.1", attribution: "", rules: 7, query: "enabled:true", active_sources: [], sourceless: 0, not_on_map: [] },
} satisfies AttackMapAnswer;

describe("the ATT&CK map", () => {
  it("says how dense rules are", () => {
    expect([0, 1, 2, 3, 6, 7, 900].map(densityOf)).toEqual(["none", "low", "low", "medium", "medium", "high", "high"]);
  });

  it("turns the filter into a search for rules", () => {
    expect(ruleQuery(readFilter({}))).toBe("enabled:true");
    expect(ruleQuery(readFilter({ state: "all", query: "a OR b" }))).toBe("(a OR b)");
    expect(ruleQuery(readFilter({ state: "disabled", origin: "custom", source: 'o"kta' }))).toBe(String.raw`enabled:false origin:custom source:"o\"kta"`);
    expect(ruleQuery(readFilter({ state: "nonsense", source: "all" }))).toBe("enabled:true");
  });

  it("opens the rules and signals of a tile", () => {
    expect(tileQuery("enabled:true", "TA0003", "T1098.001")).toBe("enabled:true tactic:ta0003* technique:t1098.001*");
    expect(tileQuery("", "TA0003", "T1098")).toBe("tactic:ta0003* technique:t1098*");
    expect(signalsQuery(["a"])).toBe("@workflow.rule.id:a");
    expect(signalsQuery(["a", "b"])).toBe("@workflow.rule.id:(a OR b)");
  });

  it("counts a technique once, where it is densest, and signals by the rules of a tile", () => {
    const { columns, techniques } = matrixOf(answer, { tactic: undefined, densities: [], order: "name", signalsOf: (rule) => (rule === "a" ? 5 : 1) });
    expect(techniques).toEqual({ none: 1, low: 0, medium: 1, high: 1 });
    expect(columns.map(({ covered, all, tiles }) => [covered, all, tiles.map(({ signals }) => signals)])).toEqual([
      [1, 2, [7, 0]],
      [2, 2, [5, 11]],
    ]);
  });

  it("shows the chosen tactic and densities, and keeps the totals of all", () => {
    const { columns, techniques } = matrixOf(answer, { tactic: "TA2", densities: ["low"], order: "id", signalsOf: null });
    expect(columns.map(({ tiles }) => tiles.map(({ technique, signals }) => [technique.id, signals]))).toEqual([[["T1", null]]]);
    expect(techniques.none).toBe(1);
  });

  it("moves among the tiles and never off them", () => {
    const lengths = [3, 0, 1];
    expect(step("ArrowRight", { column: 0, row: 2 }, lengths)).toEqual({ column: 2, row: 0 });
    expect(step("ArrowLeft", { column: 0, row: 1 }, lengths)).toEqual({ column: 0, row: 1 });
    expect(step("ArrowDown", { column: 0, row: 2 }, lengths)).toEqual({ column: 0, row: 2 });
    expect(step("End", { column: 0, row: 0 }, lengths)).toEqual({ column: 0, row: 2 });
    expect(step("x", { column: 0, row: 0 }, lengths)).toBeNull();
  });
});
