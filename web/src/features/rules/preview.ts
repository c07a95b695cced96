/** Which part of a draft decides what it finds, so that other changes ask for no new preview. */
import { omit, text, type RuleDraft } from "./ruleDraft";

const SILENT = ["message", "customMessage", "tests", "isEnabled"];

/** Enough is written that the server can be asked. */
export const isUsable = (draft: RuleDraft): boolean => draft.queries.length === 0 || draft.queries.some((query) => text(query.query).trim() !== "" || query.ruleId !== undefined || query.defaultRuleId !== undefined);

/** The rule as a preview needs it; without a name it is called one, so that it can be tried before. */
export function previewed(draft: RuleDraft): RuleDraft {
  const cases = draft.cases.map((each) => ({ ...each, notifications: [], everyNewValue: undefined }));
  return { ...omit(draft, SILENT), name: draft.name.trim() === "" ? "Preview" : draft.name, message: "", isEnabled: true, tags: draft.tags, cases } as unknown as RuleDraft;
}

export const readsSignals = (draft: RuleDraft): boolean => draft.type === "signal_correlation" || draft.queries.some((query) => query.dataSource === "security_signals" || query.ruleId !== undefined || query.defaultRuleId !== undefined);
