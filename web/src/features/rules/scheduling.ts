/** Which rules run on a schedule, and what else only those may have (siem.md §2.22). */
import { methodOf } from "./methods";
import { scheduleOf } from "./recurrence";
import { list, omit, text, type RuleDraft } from "./ruleDraft";

const SCHEDULABLE: readonly string[] = ["threshold", "new_value", "anomaly_detection", "content_anomaly", "impossible_travel", "third_party", "signal_correlation"];

export interface CalculatedField {
  name: string;
  expression: string;
}

export const maySchedule = (method: string): boolean => SCHEDULABLE.includes(method);

export const isScheduled = (draft: Record<string, unknown>): boolean => scheduleOf(draft.schedulingOptions) !== null;

/** Whether the form has something to say about when the rule runs. */
export const hasRuns = (draft: RuleDraft): boolean => maySchedule(methodOf(draft)) || isScheduled(draft);

/** Why a number is no link. */
export const NO_FIELDS = "The logs explorer knows no calculated fields";

/** Whether a query reads calculated fields, which the explorer does not know. */
export const readsCalculated = (draft: RuleDraft, query: unknown): boolean => list<CalculatedField>(draft.calculatedFields).some(({ name }) => name !== "" && text(query).includes(`#${name}`));

/** The rule without its schedule and the indexes that its queries name; calculated fields stay, for the check to speak of. */
export function live(draft: RuleDraft): RuleDraft {
  return { ...omit(draft, ["schedulingOptions"]), queries: draft.queries.map((query) => omit(query, ["index", "indexes"])) } as RuleDraft;
}
