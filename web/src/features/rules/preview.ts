/** Which part of a draft decides what it finds, so that other changes ask for no new preview. */
import { sourceOf } from "./methods";
import { omit, queriesOf, text, type RuleDraft } from "./ruleDraft";

const SILENT = ["message", "customMessage", "tests", "isEnabled"];

/** Enough is written that the server can be asked. */
export const isUsable = (draft: RuleDraft): boolean => queriesOf(draft).length === 0 || queriesOf(draft).some((query) => text(query.query).trim() !== "" || text(query.ruleId ?? query.defaultRuleId) !== "");

/** The rule as a preview needs it; without a name it is called one, so that it can be tried before. */
export function previewed(draft: RuleDraft): RuleDraft {
  const cases = draft.cases.map((each) => ({ ...each, notifications: [], everyNewValue: undefined }));
  return { ...omit(draft, SILENT), name: draft.name.trim() === "" ? "Preview" : draft.name, message: "", isEnabled: true, tags: draft.tags, cases } as unknown as RuleDraft;
}

export const readsSignals = (draft: RuleDraft): boolean => draft.type === "signal_correlation" || draft.queries.some((query) => sourceOf(query) !== "logs");
