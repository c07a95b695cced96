/** What the page says of content packs. */
import type { Pack, PackStatus } from "@/api/packs";
import { formatNumber, plural } from "@/lib/format";
import { stringifySearch } from "@/lib/urlState";

interface Meaning {
  word: string;
  /** How it is marked beside the word. */
  mark: "good" | "trouble" | "waiting" | "off";
}

/** In the order of the list: what needs somebody first, what is not connected last. */
export const STATUSES: Record<PackStatus, Meaning> = {
  broken: { word: "Broken", mark: "trouble" },
  warning: { word: "No logs for a day", mark: "trouble" },
  not_configured: { word: "No rule is on", mark: "trouble" },
  initializing: { word: "Waiting for logs", mark: "waiting" },
  active: { word: "Working", mark: "good" },
  activate: { word: "Switched off", mark: "off" },
  install: { word: "Not connected", mark: "off" },
};
const ORDER = Object.keys(STATUSES);

export const isTrouble = (pack: Pack): boolean => STATUSES[pack.attributes.status].mark === "trouble";

/** Those that a text finds, by state and name. */
export function shown(packs: readonly Pack[], text: string): Pack[] {
  const wanted = text.trim().toLowerCase();
  const holds = ({ attributes: { name, about, sources, status } }: Pack) => [name, about, ...sources, STATUSES[status].word].join(" ").toLowerCase().includes(wanted);
  const rank = ({ attributes }: Pack) => ORDER.indexOf(attributes.status);
  return packs.filter(holds).toSorted((left, right) => rank(left) - rank(right) || left.attributes.name.localeCompare(right.attributes.name));
}

/** `2 in trouble, 5 working, 13 not connected`. */
export function summary(packs: readonly Pack[]): string {
  const count = (holds: (pack: Pack) => boolean) => packs.filter(holds).length;
  const parts: [number, string][] = [
    [count(isTrouble), "in trouble"],
    [count(({ attributes }) => attributes.status === "active"), "working"],
    [count(({ attributes }) => attributes.status === "install"), "not connected"],
  ];
  return [plural(packs.length, "pack"), ...parts.filter(([number]) => number > 0).map(([number, word]) => `${String(number)} ${word}`)].join(", ");
}

/** What the state means for whoever looks at it, and what to do. */
export function explained({ attributes: { status, details, rules, logs, pipelines } }: Pack): string[] {
  const since = { broken: "three days", warning: "a day" };
  const said: Record<PackStatus, string> = {
    broken: details.filters_configured ? `Its rules are on, but no log has come for more than ${since.broken}. Look at what sends them.` : "No security filter takes its logs, so no rule looks at them.",
    warning: `Its rules are on, but no log has come for more than ${since.warning}. Look at what sends them.`,
    not_configured: "It is activated, but somebody has disabled each of its rules.",
    initializing: "It is activated and waits for its first log.",
    active: `Logs come, and ${plural(rules.enabled, "rule")} ${rules.enabled === 1 ? "looks" : "look"} at them.`,
    activate: details.cp_activation === "deactivated" ? "Its rules were disabled with it." : "Each of its rules is disabled.",
    install: "Its rules are ready. No log of it has come in the last 30 days.",
  };
  const kept = logs.count - logs.analysed;
  return [
    said[status],
    ...(status !== "broken" && kept > 0 ? [`Security filters keep ${formatNumber(kept)} of its ${plural(logs.count, "log")} from the rules.`] : []),
    ...pipelines.filter((pipeline) => !pipeline.is_enabled).map(({ name }) => `The pipeline ${name} is off: rules miss what it takes out of the logs.`),
  ];
}

export const logsOf = ({ attributes }: Pack): string => `/logs${stringifySearch({ query: attributes.logs.query, from: "now-72h", to: "now" })}`;
export const signalsOf = ({ attributes }: Pack): string => `/signals${stringifySearch({ query: attributes.signals.query, from: "now-7d", to: "now" })}`;
export const rulesOf = ({ attributes }: Pack, onlyEnabled = false): string => `/rules${stringifySearch({ query: `${attributes.rules.query}${onlyEnabled ? " enabled:true" : ""}` })}`;
export const samplesOf = ({ attributes }: Pack): string => {
  const sources = attributes.sources.join(" OR ");
  return `/logs${stringifySearch({ query: `source:${attributes.sources.length > 1 ? `(${sources})` : sources} sample:true`, from: "now-24h", to: "now" })}`;
};

/** Where Tocsin is, in a text of the guide. */
export const placed = (text: string, { origin, host }: { origin: string; host: string }): string => text.replaceAll("{url}", origin).replaceAll("{host}", host);
