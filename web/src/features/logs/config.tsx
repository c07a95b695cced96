import type { ExploreEvent } from "@/api/types";
import { fieldTexts, type ExplorerColumn, type ExplorerConfig } from "@/components/explorer/model";
import { LogStatus } from "@/components/Severity";
import { CellTime } from "@/components/Time";
import { sentence } from "@/lib/format";
import { LOG_STATUSES } from "@/lib/severity";

const texts = (field: string) => (event: ExploreEvent) => fieldTexts(event, field);
const joined = (field: string) => (event: ExploreEvent) => fieldTexts(event, field).join(", ");
const column = (id: string, header: string, field: string, width: number): ExplorerColumn => ({ id, header, field, width, render: joined(field), values: texts(field) });

const COLUMNS: ExplorerColumn[] = [
  { id: "time", header: "Time", field: "timestamp", width: 168, mono: true, rank: 2, render: (event) => <CellTime time={Date.parse(event.attributes.timestamp)} /> },
  { id: "status", header: "Status", field: "status", width: 88, rank: 3, render: (event) => <LogStatus status={event.attributes.status ?? ""} />, values: texts("status") },
  column("host", "Host", "host", 124),
  column("service", "Service", "service", 120),
  column("source", "Source", "source", 96),
  column("evt", "Event", "@evt.name", 160),
  column("outcome", "Outcome", "@evt.outcome", 90),
  column("user", "User", "@usr.id", 140),
  column("ip", "Client IP", "@network.client.ip", 140),
  column("country", "Country", "@network.client.geoip.country.iso_code", 80),
  column("code", "HTTP status", "@http.status_code", 96),
  { id: "message", header: "Message", width: 320, least: 200, grow: 1, mono: true, rank: 1, render: (event) => <span title={event.attributes.message ?? ""}>{event.attributes.message ?? ""}</span> },
];

const FILLS: Record<string, string> = { emergency: "--critical-fill", alert: "--critical-fill", critical: "--critical-fill", error: "--high-fill", warn: "--medium-fill", notice: "--low-fill", info: "--info-fill", debug: "--line-strong", ok: "--low-fill" };

export const LOGS: ExplorerConfig = {
  track: "logs",
  noun: "logs",
  placeholder: "Search logs: failed password source:sshd @http.status_code:>=500",
  columns: COLUMNS,
  facets: [
    { id: "source", label: "Source", field: "source" },
    { id: "service", label: "Service", field: "service" },
    { id: "host", label: "Host", field: "host" },
    { id: "status", label: "Status", field: "status", order: LOG_STATUSES, render: (value) => <LogStatus status={value} /> },
    { id: "evt", label: "Event", field: "@evt.name" },
    { id: "outcome", label: "Outcome", field: "@evt.outcome" },
    { id: "user", label: "User", field: "@usr.id" },
    { id: "username", label: "User name", field: "@usr.name" },
    { id: "ip", label: "Client IP", field: "@network.client.ip" },
    { id: "country", label: "Country", field: "@network.client.geoip.country.iso_code" },
    { id: "code", label: "HTTP status", field: "@http.status_code" },
  ],
  series: LOG_STATUSES.map((status) => ({ value: status, label: sentence(status), fill: FILLS[status] ?? "--info-fill" })),
  defaults: {
    range: { from: "now-1d", to: "now" },
    sort: { field: "timestamp", descending: true },
    columns: ["time", "status", "host", "source", "message"],
    facets: ["source", "service", "host", "status", "evt", "outcome"],
  },
};
