/** What the ATT&CK map shows: pure, from the answer and the address. */
import type { AttackMapAnswer, AttackTactic, AttackTechnique, AttackTile } from "@/api/attack";
import { quoteValue } from "@/lib/queryText";

export const DENSITIES = [
  { id: "none", label: "None", from: 0, to: 0, range: "0" },
  { id: "low", label: "Low", from: 1, to: 2, range: "1–2" },
  { id: "medium", label: "Medium", from: 3, to: 6, range: "3–6" },
  { id: "high", label: "High", from: 7, to: Infinity, range: "7+" },
] as const;
export type Density = (typeof DENSITIES)[number]["id"];

export const densityOf = (rules: number): Density => DENSITIES.find((density) => rules <= density.to)?.id ?? "high";

export type RuleState = "enabled" | "disabled" | "all";
export type Origin = "all" | "default" | "custom";

/** What is on the screen, as text parameters; only what differs from the default is in the address. */
export interface MapFilter {
  /** `active`, `all`, or the name of one source. */
  source: string;
  state: RuleState;
  origin: Origin;
  text: string;
}

export function readFilter(search: Record<string, string | undefined>): MapFilter {
  return {
    source: search.source ?? "active",
    state: search.state === "disabled" || search.state === "all" ? search.state : "enabled",
    origin: search.origin === "default" || search.origin === "custom" ? search.origin : "all",
    text: search.query ?? "",
  };
}

/** The search for rules that a filter stands for. */
export function ruleQuery({ source, state, origin, text }: MapFilter): string {
  return [
    text.trim() === "" ? "" : `(${text.trim()})`,
    state === "all" ? "" : `enabled:${String(state === "enabled")}`,
    origin === "all" ? "" : `origin:${origin}`,
    source === "active" || source === "all" ? "" : `source:${quoteValue(source.toLowerCase())}`,
  ]
    .filter(Boolean)
    .join(" ");
}

/** The rules of one tile, in the list of rules: tags begin with the ids, in lower case as rules are searched. */
export const tileQuery = (mapQuery: string, tactic: string, technique: string): string => [mapQuery, `tactic:${tactic.toLowerCase()}*`, `technique:${technique.toLowerCase()}*`].filter(Boolean).join(" ");

/** The signals of rules, in the explorer. */
export const signalsQuery = (rules: readonly string[]): string => (rules.length === 1 ? `@workflow.rule.id:${rules[0] ?? ""}` : `@workflow.rule.id:(${rules.join(" OR ")})`);

export interface MatrixTile {
  tactic: AttackTactic;
  technique: AttackTechnique;
  tile: AttackTile;
  signals: number | null;
}

export interface Matrix {
  columns: { tactic: AttackTactic; tiles: MatrixTile[]; covered: number; all: number }[];
  /** Techniques (not tiles) by density of rules: a technique under several tactics counts as its densest tile. */
  techniques: Record<Density, number>;
}

interface Shown {
  tactic: string | undefined;
  densities: readonly string[];
  /** As MITRE's own matrix is read; by id where only ids are shown. */
  order: "name" | "id";
  signalsOf: ((rule: string) => number) | null;
}

/** The columns to show: all techniques of a tactic, or those of the densities chosen. */
export function matrixOf(answer: AttackMapAnswer, { tactic, densities, order, signalsOf }: Shown): Matrix {
  const byId = new Map(answer.included.map((technique) => [technique.id, technique]));
  const most = new Map<string, number>();
  for (const column of answer.data) {
    for (const tile of column.attributes.tiles) most.set(tile.technique, Math.max(most.get(tile.technique) ?? 0, tile.rules.length));
  }
  const techniques: Record<Density, number> = { none: 0, low: 0, medium: 0, high: 0 };
  for (const rules of most.values()) techniques[densityOf(rules)] += 1;
  const columns = answer.data
    .filter((column) => tactic === undefined || column.id === tactic)
    .map((column) => {
      const { tiles } = column.attributes;
      return {
        tactic: column,
        covered: tiles.filter((tile) => tile.rules.length > 0).length,
        all: tiles.length,
        tiles: tiles
          .filter((tile) => densities.length === 0 || densities.includes(densityOf(tile.rules.length)))
          .flatMap((tile): MatrixTile[] => {
            const technique = byId.get(tile.technique);
            return technique ? [{ tactic: column, technique, tile, signals: signalsOf && tile.rules.reduce((sum, rule) => sum + signalsOf(rule), 0) }] : [];
          })
          .sort((left, right) => (order === "id" ? left.technique.id.localeCompare(right.technique.id) : left.technique.attributes.name.localeCompare(right.technique.attributes.name))),
      };
    });
  return { columns, techniques };
}

export interface Position {
  column: number;
  row: number;
}

/** Where a key leads in columns of these lengths; null for other keys. Empty columns are stepped over. */
export function step(key: string, { column, row }: Position, lengths: readonly number[]): Position | null {
  const last = (index: number) => Math.max((lengths[index] ?? 0) - 1, 0);
  const beside = (by: 1 | -1): Position => {
    for (let index = column + by; index >= 0 && index < lengths.length; index += by) {
      if ((lengths[index] ?? 0) > 0) return { column: index, row: Math.min(row, last(index)) };
    }
    return { column, row };
  };
  switch (key) {
    case "ArrowDown":
      return { column, row: Math.min(row + 1, last(column)) };
    case "ArrowUp":
      return { column, row: Math.max(row - 1, 0) };
    case "ArrowRight":
      return beside(1);
    case "ArrowLeft":
      return beside(-1);
    case "Home":
      return { column, row: 0 };
    case "End":
      return { column, row: last(column) };
    default:
      return null;
  }
}
