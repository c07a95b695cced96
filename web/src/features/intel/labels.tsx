/** Words and marks of threat intelligence; colour only ever beside the word. */
import type { Health } from "@/api/intel";
import { stringifySearch } from "@/lib/urlState";
import { quoteValue } from "@/lib/queryText";
import classes from "./intel.module.css";

export const INTENTIONS = ["malicious", "suspicious", "unknown", "benign"] as const;
export type Intention = (typeof INTENTIONS)[number];

export function IntentionLabel({ intention }: { intention: string }) {
  return (
    <span className={classes.mark} data-intention={intention}>
      <span aria-hidden="true" className={classes.dot} />
      {intention}
    </span>
  );
}

const TYPE_WORDS: Record<string, string> = {
  IP: "IP",
  DOMAIN: "Domain",
  URL: "URL",
  MD5: "MD5",
  SHA1: "SHA-1",
  SHA256: "SHA-256",
  SSDEEP: "ssdeep",
  AWS_ACCOUNT_ID: "AWS account",
  CONTAINER_IMAGE: "Container image",
  CONTAINER_REGISTRY_ACCOUNT: "Container registry",
  SSH_PUBLIC_KEY: "SSH public key",
  USER_AGENT: "User agent",
};

/** What kind of thing an indicator is: `USER_AGENT` as "User agent". */
export const typeLabel = (type: string): string => TYPE_WORDS[type] ?? type;

/** `residential_proxy` as "residential proxy". */
export const categoryLabel = (category: string): string => category.replace(/_/g, " ");

const HEALTH_WORDS: Record<Health["status"], string> = { ok: "Healthy", waiting: "Waiting for content", failing: "Failing", stale: "Out of date", disabled: "Disabled" };

export function HealthLabel({ health }: { health: Health }) {
  return (
    <span className={classes.mark} data-health={health.status}>
      <span aria-hidden="true" className={classes.dot} />
      {HEALTH_WORDS[health.status]}
    </span>
  );
}

export const INDICATOR_FIELD = "@threat_intel.results.indicator";
/** The span that the explorer of indicators counts in. */
const SPAN = { from: "now-30d", to: "now" };

export const logsOf = (indicator: string, more = ""): string => `/logs${stringifySearch({ query: `${INDICATOR_FIELD}:${quoteValue(indicator)}${more}`, ...SPAN })}`;
export const signalsOf = (indicator: string, more = ""): string => `/signals${stringifySearch({ query: `${INDICATOR_FIELD}:${quoteValue(indicator)}${more}`, ...SPAN })}`;

export const FORMAT_WORDS: Record<string, string> = { csv: "CSV", stix: "STIX 2.1", misp: "MISP", taxii: "TAXII 2.1" };

/** `3600` as `1 hour`. */
export function intervalLabel(seconds: number): string {
  const [size, unit] = seconds % 86_400 === 0 ? [86_400, "day"] : seconds % 3_600 === 0 ? [3_600, "hour"] : [60, "minute"];
  const count = Math.round((seconds / size) * 10) / 10;
  return `${String(count)} ${unit}${count === 1 ? "" : "s"}`;
}
