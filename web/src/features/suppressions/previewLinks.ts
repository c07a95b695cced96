import type { SuppressionPreview } from "@/api/suppressions";
import { anyOf } from "@/lib/queryText";
import { stringifySearch } from "@/lib/urlState";

/** More rules than this would make an address that no server takes. */
const MOST_RULES = 150;

export interface PreviewLinks {
  hidden: string | null;
  total: string | null;
  truePositives: string | null;
  /** The hidden ones archived for a reason. */
  archived: (reason: string) => string | null;
  ofRule: (id: string) => { hidden: string; total: string };
}

/** Each number of a preview as the search of signals that it counts. */
export function previewLinks(preview: SuppressionPreview, suppressionQuery: string): PreviewLinks {
  const ids = preview.rules.map((share) => share.rule_id);
  const rules = ids.length > 0 && ids.length <= MOST_RULES ? anyOf("@workflow.rule.id", ids) : null;
  const matching = `(${suppressionQuery.trim()})`;
  const address = (...clauses: string[]): string => `/signals${stringifySearch({ query: clauses.join(" "), from: preview.from, to: preview.to })}`;
  const archived = (reasons: string[]): string | null => rules && address(matching, rules, "@workflow.triage.state:archived", anyOf("@workflow.triage.archive_reason", reasons));
  return {
    hidden: rules && address(matching, rules),
    total: rules && address(rules),
    truePositives: archived(["true_positive_malicious", "true_positive_benign"]),
    archived: (reason) => archived([reason]),
    ofRule: (id) => ({ hidden: address(matching, anyOf("@workflow.rule.id", [id])), total: address(anyOf("@workflow.rule.id", [id])) }),
  };
}
