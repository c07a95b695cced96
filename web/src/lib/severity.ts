/** Severities in falling order, with the one place that spells their words. */
export const SEVERITIES = ["critical", "high", "medium", "low", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

export const SEVERITY_WORDS: Record<Severity, string> = { critical: "Critical", high: "High", medium: "Medium", low: "Low", info: "Info" };

export function isSeverity(text: unknown): text is Severity {
  return typeof text === "string" && (SEVERITIES as readonly string[]).includes(text);
}

export const STATES = ["open", "under_review", "archived"] as const;
export type TriageState = (typeof STATES)[number];
export const STATE_WORDS: Record<TriageState, string> = { open: "Open", under_review: "Under review", archived: "Archived" };

export function isTriageState(text: unknown): text is TriageState {
  return typeof text === "string" && (STATES as readonly string[]).includes(text);
}

export const ARCHIVE_REASONS = {
  none: "No reason",
  false_positive: "False positive",
  testing_or_maintenance: "Testing or maintenance",
  remediated: "Remediated",
  investigated_case_opened: "Investigated, case opened",
  true_positive_benign: "True positive, benign",
  true_positive_malicious: "True positive, malicious",
  other: "Other",
} as const;
export type ArchiveReason = keyof typeof ARCHIVE_REASONS;

/** Statuses of logs, most serious first; syslog's eight and what people send besides. */
export const LOG_STATUSES = ["emergency", "alert", "critical", "error", "warn", "notice", "info", "debug", "ok"] as const;
