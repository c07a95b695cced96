/** Addresses about suppressions that several pages use. */
import { stringifySearch } from "./urlState";

/** The days that hidden signals are counted for in lists. */
export const HIDDEN_DAYS = 30;
export const HIDDEN_RANGE = { from: `now-${String(HIDDEN_DAYS)}d`, to: "now" };

export const hiddenBy = (id: string): string => `@workflow.suppression.id:${id}`;

/** Where the signals that a suppression hides are searched. */
export const hiddenSignals = (id: string): string => `/signals/suppressed${stringifySearch({ query: hiddenBy(id), ...HIDDEN_RANGE })}`;

/** Where a new suppression is written, for a rule and a search of signals. */
export const newSuppression = (rule: string, preset: string): string => `/suppressions${stringifySearch({ open: "new", rule, preset })}`;
