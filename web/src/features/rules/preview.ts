/** Which part of a draft decides what it finds, so that other changes ask for no new preview; and where that is searched. */
import type { RuleQuery } from "@/api/types";
import { stringifySearch } from "@/lib/urlState";
import { methodOf, sourceOf } from "./methods";
import { omit, queriesOf, text, type RuleDraft } from "./ruleDraft";
import { NO_FIELDS, readsCalculated } from "./scheduling";

const SILENT = ["message", "customMessage", "tests", "isEnabled"];

/** Enough is written that the server can be asked. */
export const isUsable = (draft: RuleDraft): boolean => queriesOf(draft).length === 0 || queriesOf(draft).some((query) => text(query.query).trim() !== "" || text(query.ruleId ?? query.defaultRuleId) !== "");

/** The rule as a preview needs it; without a name it is called one, so that it can be tried before. */
export function previewed(draft: RuleDraft): RuleDraft {
  const cases = draft.cases.map((each) => ({ ...each, notifications: [], everyNewValue: undefined }));
  return { ...omit(draft, SILENT), name: draft.name.trim() === "" ? "Preview" : draft.name, message: "", isEnabled: true, tags: draft.tags, cases } as unknown as RuleDraft;
}

/** The search that finds what a query finds. */
export function searchOf(query: RuleQuery): string {
  const rule = text(query.ruleId ?? query.defaultRuleId);
  return rule === "" ? (query.query ?? "*") : `@workflow.rule.id:${rule}`;
}

/** What a query reads. */
export const readBy = (query: RuleQuery | undefined): "log" | "signal" => (query && sourceOf(query) !== "logs" ? "signal" : "log");

/** What a rule reads: both, which no search finds together, are events. */
export function readByAll(draft: Pick<RuleDraft, "queries">): "log" | "signal" | "event" {
  const read = new Set(draft.queries.map(readBy));
  return read.size === 2 ? "event" : read.has("signal") ? "signal" : "log";
}

/** Why a number is no link. */
export const NO_SEARCH = "No search finds logs and signals together";
const NOT_RECOGNISED = "No search recognises what this rule does";

/** Why what a query of the rule finds cannot be searched; null if it can. */
export const hiddenFromSearch = (draft: RuleDraft, query: string): string | null => (methodOf(draft) === "hardcoded" ? NOT_RECOGNISED : readsCalculated(draft, query) ? NO_FIELDS : null);

/** Where a search is opened. */
export const addressOf = (noun: "log" | "signal", query: string, range: { from: string; to: string }): string => `/${noun}s${stringifySearch({ query, ...range })}`;

export const readsSignals = (draft: RuleDraft): boolean => draft.type === "signal_correlation" || draft.queries.some((query) => sourceOf(query) !== "logs");
