import type { ExploreEvent, SignalCustom } from "@/api/types";
import { fieldTexts, type ExplorerColumn, type ExplorerConfig, type FacetDefinition } from "@/components/explorer/model";
import { SeverityLabel, StateLabel } from "@/components/Severity";
import { RelativeTime } from "@/components/Time";
import { attackLabel, formatNumber } from "@/lib/format";
import { SEVERITIES, SEVERITY_WORDS, STATES } from "@/lib/severity";
import { Entities } from "./Entities";

export const custom = (event: ExploreEvent): SignalCustom => (event.attributes.custom ?? {}) as SignalCustom;
export const severityOf = (event: ExploreEvent): string => custom(event).status ?? event.attributes.status ?? "";
export const stateOf = (event: ExploreEvent): string => custom(event).workflow?.triage?.state ?? "open";
export const titleOf = (event: ExploreEvent): string => custom(event).title ?? event.attributes.title ?? event.attributes.message ?? "";
export const assigneeOf = (event: ExploreEvent) => {
  const assignee = custom(event).workflow?.triage?.assignee;
  return assignee && assignee.uuid !== "" ? assignee : null;
};
export const versionOf = (event: ExploreEvent): number | undefined => custom(event).workflow?.triage?.version;

export function timeOf(text: unknown): number | null {
  if (typeof text === "number") return text;
  const time = typeof text === "string" ? Date.parse(text) : NaN;
  return Number.isNaN(time) ? null : time;
}

/** `failed = 8, ok = 1`; methods that count nothing have no values. */
export const countedValues = (values: Record<string, number | null>): string =>
  Object.entries(values)
    .flatMap(([name, value]) => (value === null ? [] : [`${name} = ${formatNumber(value)}`]))
    .join(", ");

const texts = (field: string) => (event: ExploreEvent) => fieldTexts(event, field);

const COLUMNS: ExplorerColumn[] = [
  { id: "severity", header: "Severity", field: "status", width: 92, least: 88, rank: 2, render: (event) => <SeverityLabel severity={severityOf(event)} />, values: (event) => [severityOf(event)] },
  { id: "state", header: "State", field: "@workflow.triage.state", width: 124, rank: 3, render: (event) => <StateLabel state={stateOf(event)} />, values: (event) => [stateOf(event)] },
  { id: "title", header: "Title", field: "title", width: 250, least: 150, grow: 2, rank: 1, render: (event) => <span title={titleOf(event)}>{titleOf(event)}</span>, values: (event) => [titleOf(event)] },
  { id: "rule", header: "Rule", field: "@workflow.rule.name", width: 200, least: 140, render: (event) => custom(event).workflow?.rule?.name ?? "", values: texts("@workflow.rule.name") },
  { id: "entities", header: "Entities", width: 226, least: 140, grow: 1, rank: 4, render: (event) => <Entities entities={custom(event).entities ?? []} /> },
  { id: "events", header: "Events", field: "@workflow.events_matched", width: 80, render: (event) => formatNumber(custom(event).workflow?.events_matched ?? 0), values: texts("@workflow.events_matched") },
  { id: "source", header: "Source", field: "source", width: 98, least: 76, render: (event) => fieldTexts(event, "source").join(", "), values: texts("source") },
  { id: "service", header: "Service", field: "service", width: 120, render: (event) => fieldTexts(event, "service").join(", "), values: texts("service") },
  { id: "tactic", header: "Tactic", field: "tactic", width: 180, least: 130, render: (event) => fieldTexts(event, "tactic").map(attackLabel).join(", "), values: texts("tactic") },
  { id: "technique", header: "Technique", field: "technique", width: 180, least: 130, render: (event) => fieldTexts(event, "technique").map(attackLabel).join(", "), values: texts("technique") },
  { id: "first_seen", header: "First seen", field: "@workflow.first_seen", width: 86, render: (event) => <RelativeTime time={timeOf(custom(event).workflow?.first_seen ?? event.attributes.timestamp)} /> },
  { id: "last_seen", header: "Last seen", field: "@workflow.last_seen", width: 86, rank: 5, render: (event) => <RelativeTime time={timeOf(custom(event).workflow?.last_seen ?? event.attributes.timestamp)} /> },
  { id: "time", header: "Time", field: "timestamp", width: 96, render: (event) => <RelativeTime time={timeOf(event.attributes.timestamp)} /> },
  {
    id: "assignee",
    header: "Assignee",
    field: "@workflow.triage.assignee.name",
    width: 112,
    least: 84,
    rank: 6,
    render: (event) => assigneeOf(event)?.name ?? <span style={{ color: "var(--faint)" }}>–</span>,
    values: (event) => [assigneeOf(event)?.name ?? "Unassigned"],
  },
];

const FACETS: FacetDefinition[] = [
  { id: "severity", label: "Severity", field: "status", order: SEVERITIES, render: (value) => <SeverityLabel severity={value} /> },
  { id: "state", label: "Signal state", field: "@workflow.triage.state", order: STATES, render: (value) => <StateLabel state={value} /> },
  { id: "assignee", label: "Assignee", field: "@workflow.triage.assignee.name" },
  { id: "rule", label: "Rule", field: "@workflow.rule.name" },
  { id: "source", label: "Source", field: "source" },
  { id: "tactic", label: "Tactic", field: "tactic", render: attackLabel },
  { id: "technique", label: "Technique", field: "technique", render: attackLabel },
  { id: "service", label: "Service", field: "service" },
  { id: "host", label: "Host", field: "host" },
  { id: "user", label: "User", field: "@usr.id" },
  { id: "ip", label: "Client IP", field: "@network.client.ip" },
  { id: "country", label: "Country", field: "@network.client.geoip.country.iso_code" },
];

const NAME_OF_SUPPRESSION = "@workflow.suppression.name";

export const SIGNALS: ExplorerConfig = {
  track: "signals",
  noun: "signals",
  placeholder: "Search signals: status:high @usr.id:root -source:okta",
  columns: COLUMNS,
  facets: FACETS,
  series: SEVERITIES.map((severity) => ({ value: severity, label: SEVERITY_WORDS[severity], fill: `--${severity}-fill` })),
  defaults: {
    range: { from: "now-7d", to: "now" },
    sort: { field: "timestamp", descending: true },
    columns: ["severity", "state", "title", "entities", "source", "first_seen", "last_seen", "assignee"],
    facets: ["severity", "state", "assignee", "rule", "source", "tactic"],
  },
};

/** Signals that suppressions hide: the same, but nobody triages them. */
export const SUPPRESSED: ExplorerConfig = {
  ...SIGNALS,
  track: "suppressed",
  noun: "hidden signals",
  placeholder: "Search hidden signals: status:high @workflow.suppression.name:*test*",
  columns: [
    ...COLUMNS.filter(({ id }) => id !== "state" && id !== "assignee"),
    { id: "suppression", header: "Hidden by", field: NAME_OF_SUPPRESSION, width: 220, least: 140, render: (event) => fieldTexts(event, NAME_OF_SUPPRESSION).join(", "), values: texts(NAME_OF_SUPPRESSION) },
    { id: "hides", header: "Hides", field: "@workflow.suppression.hides", width: 130, render: (event) => hiddenWhat(event), values: texts("@workflow.suppression.hides") },
    { id: "hidden_since", header: "Hidden since", field: "@workflow.suppression.since", width: 110, render: (event) => <RelativeTime time={timeOf(custom(event).workflow?.suppression?.since)} /> },
  ],
  facets: [{ id: "suppression", label: "Hidden by", field: NAME_OF_SUPPRESSION }, { id: "hides", label: "Hides", field: "@workflow.suppression.hides" }, ...FACETS.filter(({ id }) => id !== "state" && id !== "assignee")],
  defaults: { ...SIGNALS.defaults, range: { from: "now-30d", to: "now" }, columns: ["severity", "title", "entities", "source", "suppression", "hides", "first_seen", "last_seen"], facets: ["suppression", "severity", "rule", "source"] },
};

/** A suppression may hide a signal, or only how a shown one went on. */
const hiddenWhat = (event: ExploreEvent): string => (custom(event).workflow?.suppression?.hides === "update" ? "further updates" : "the signal");
