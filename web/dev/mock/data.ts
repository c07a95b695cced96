/** A few hundred signals and logs of our own invention, the same in every run but for the time. */
import type { ExploreEvent, HistoryEntry, Person, Rule, SignalCustom } from "../../src/api/types";
import type { Severity, TriageState } from "../../src/lib/severity";
import { generator } from "./random";

const HOUR = 3_600_000;
export const USERS: Person[] = [
  { uuid: "6f1c0000-0000-4000-8000-000000000001", handle: "ana@example.com", name: "Ana Ruiz", id: 1 },
  { uuid: "6f1c0000-0000-4000-8000-000000000002", handle: "ben@example.com", name: "Ben Okafor", id: 2 },
  { uuid: "6f1c0000-0000-4000-8000-000000000003", handle: "chi@example.com", name: "Chi Watanabe", id: 3 },
];
const NOBODY: Person = { uuid: "", handle: "", name: "Unassigned", id: -1 };

interface Kind {
  name: string;
  severity: Severity;
  source: string;
  service: string;
  tactic: string;
  technique: string;
  query: string;
  condition: string;
  group: string;
  event: string;
  outcome: string;
  text: (who: string, ip: string, host: string) => string;
}

const KINDS: Kind[] = [
  { name: "SSH brute force followed by a successful login", severity: "high", source: "sshd", service: "ssh", tactic: "ta0006-credential-access", technique: "t1110-brute-force", query: "source:sshd @evt.outcome:failure", condition: "failed > 20 && ok > 0", group: "@network.client.ip", event: "login", outcome: "failure", text: (who, ip) => `Failed password for ${who} from ${ip} port 52114 ssh2` },
  { name: "CloudTrail logging stopped", severity: "critical", source: "cloudtrail", service: "cloudtrail", tactic: "ta0005-defense-evasion", technique: "t1562-impair-defenses", query: "source:cloudtrail @evt.name:(StopLogging OR DeleteTrail)", condition: "a > 0", group: "@usr.id", event: "StopLogging", outcome: "success", text: (who, ip) => `StopLogging by ${who} from ${ip}` },
  { name: "Okta: many users denied from one address", severity: "medium", source: "okta", service: "okta", tactic: "ta0006-credential-access", technique: "t1110.003-password-spraying", query: "source:okta @evt.name:user.session.start @evt.outcome:failure", condition: "a >= 10", group: "@network.client.ip", event: "user.session.start", outcome: "failure", text: (who, ip) => `user.session.start FAILURE INVALID_CREDENTIALS for ${who} from ${ip}` },
  { name: "Web scanner probing for known paths", severity: "low", source: "nginx", service: "shop", tactic: "ta0043-reconnaissance", technique: "t1595-active-scanning", query: "source:nginx @http.status_code:404", condition: "a > 50", group: "@network.client.ip", event: "request", outcome: "failure", text: (_, ip) => `${ip} - - "GET /wp-login.php HTTP/1.1" 404 153` },
  { name: "GitHub repository made public", severity: "high", source: "github", service: "github", tactic: "ta0010-exfiltration", technique: "t1567-exfiltration-over-web-service", query: "source:github @evt.name:repo.access @visibility:public", condition: "a > 0", group: "@usr.id", event: "repo.access", outcome: "success", text: (who) => `${who} changed the visibility of acme/billing to public` },
  { name: "Encoded PowerShell command", severity: "medium", source: "windows", service: "sysmon", tactic: "ta0002-execution", technique: "t1059.001-powershell", query: "source:windows @evt.id:1 @process.command_line:*-enc*", condition: "a > 0", group: "host", event: "process.start", outcome: "success", text: (who, _, host) => `powershell.exe -nop -w hidden -enc SQBFAFgA… started by ${who} on ${host}` },
  { name: "Kubernetes secrets listed across namespaces", severity: "info", source: "kubernetes.audit", service: "kube-apiserver", tactic: "ta0007-discovery", technique: "t1613-container-discovery", query: "source:kubernetes.audit @verb:list @objectRef.resource:secrets", condition: "a > 3", group: "@usr.id", event: "list", outcome: "success", text: (who) => `${who} listed secrets in 9 namespaces` },
];
const PEOPLE = ["root", "admin", "j.meyer", "svc-deploy", "m.tan", "oracle", "k.novak", "ci-runner"];
const HOSTS = ["bastion-1", "web-1", "web-2", "db-3", "dc-01", "ws-114", "build-7"];
const PLACES = [["203.0.113.9", "NL"], ["198.51.100.23", "BR"], ["192.0.2.77", "VN"], ["203.0.113.140", "US"], ["198.51.100.4", "DE"], ["2001:db8::1f", "FR"]] as const;
const STATES: TriageState[] = ["open", "open", "open", "under_review", "archived"];

export interface World {
  signals: ExploreEvent[];
  logs: ExploreEvent[];
  rules: Rule[];
  history: Map<string, HistoryEntry[]>;
  arrivedAt: Map<string, number>;
}

export function createWorld(now: number): World {
  const world: World = { signals: [], logs: [], rules: KINDS.map((kind, index) => ruleOf(kind, index, now)), history: new Map(), arrivedAt: new Map() };
  const random = generator(7);
  for (let index = 0; index < 640; index += 1) addSignal(world, random, now - random.next() * random.next() * 168 * HOUR);
  for (let index = 0; index < 4000; index += 1) addLog(world, random, now - random.next() * random.next() * 24 * HOUR);
  const byTime = (left: ExploreEvent, right: ExploreEvent) => Date.parse(right.attributes.timestamp) - Date.parse(left.attributes.timestamp);
  world.signals.sort(byTime);
  world.logs.sort(byTime);
  return world;
}

/** One more of each, as time goes by. */
export function trickle(world: World, now: number): void {
  const random = generator(now);
  addLog(world, random, now);
  if (random.next() < 0.4) addSignal(world, random, now);
}

type Random = ReturnType<typeof generator>;

function scene(random: Random, kind: Kind) {
  const [ip, country] = random.pick(PLACES);
  const who = random.pick(PEOPLE);
  const host = random.pick(HOSTS);
  const attributes = {
    usr: { id: who, name: who },
    evt: { name: kind.event, outcome: kind.outcome },
    network: { client: { ip, port: 40000 + random.below(20000), geoip: { country: { iso_code: country, name: country } } } },
    ...(kind.source === "nginx" ? { http: { status_code: 404, method: "GET", url_details: { path: "/wp-login.php" }, useragent: "Mozilla/5.0 zgrab/0.x" } } : {}),
  };
  return { ip, who, host, attributes, message: kind.text(who, ip, host) };
}

function addLog(world: World, random: Random, time: number): void {
  const kind = random.pick(KINDS);
  const { host, attributes, message } = scene(random, kind);
  const id = `AwAAA${Math.round(time).toString(36)}${String(random.below(1e6))}`;
  const status = random.pick(["info", "info", "info", "warn", "error", "notice"]);
  world.logs.unshift({ id, type: "log", attributes: { timestamp: new Date(time).toISOString(), status, message, host, service: kind.service, source: kind.source, tags: [`source:${kind.source}`, "env:prod", "team:platform"], attributes } });
  world.arrivedAt.set(id, time);
}

function addSignal(world: World, random: Random, time: number): void {
  const index = random.below(KINDS.length);
  const kind = KINDS[index];
  const rule = world.rules[index];
  if (!kind || !rule) return;
  const { ip, who, host, attributes } = scene(random, kind);
  const id = `AwAAB${Math.round(time).toString(36)}${String(random.below(1e6))}`;
  const state = random.pick(STATES);
  const assignee = state === "open" && random.next() < 0.7 ? NOBODY : random.pick(USERS);
  const count = 1 + random.below(240);
  const groupValue = kind.group === "host" ? host : kind.group === "@usr.id" ? who : ip;
  const first = time - random.below(900_000);
  const samples = Array.from({ length: Math.min(10, count) }, (_, position) => ({
    eventId: `${id}-${String(position)}`,
    queryIndex: 0,
    trackKey: { type: "logs" },
    content: { timestamp: new Date(first + ((time - first) * position) / 10).toISOString(), status: "warn", host, service: [kind.service], source: kind.source, tags: ["env:prod"], message: kind.text(who, ip, host), custom: attributes },
  }));
  const custom: SignalCustom = {
    title: `${kind.name}: ${groupValue}`,
    status: kind.severity,
    hostname: host,
    service: [kind.service],
    workflow: {
      rule: { id: rule.id, name: rule.name, type: "Log Detection", version: rule.version, detectionMethod: "threshold" },
      triage: { state, assignee, archiveReason: state === "archived" ? "false_positive" : "none", archiveComment: state === "archived" ? "Known scanner" : "", version: 1 },
      first_seen: new Date(first).toISOString(),
      last_seen: new Date(time).toISOString(),
      events_matched: count,
    },
    triggeringRuleCase: { name: rule.cases[0]?.name, status: kind.severity, condition: kind.condition },
    entities: [`@network.client.ip:${ip}`, `host:${host}`, `@usr.id:${who}`],
    groupByValues: { [kind.group]: groupValue },
    queries: [{ name: rule.queries[0]?.name ?? "", query: kind.query, aggregation: "count", metric: null, distinctFields: [], groupByPaths: [kind.group], aggregationDetails: { eventsCount: count, value: count, distinctValues: [] } }],
    samples,
    ...attributes,
  };
  world.signals.unshift({
    id,
    type: "signal",
    attributes: {
      timestamp: new Date(time).toISOString(),
      status: kind.severity,
      host,
      service: [kind.service],
      title: custom.title,
      message: `## What happened\n**${who}** from \`${ip}\` set off *${kind.name}* on ${host}.\n\n## First steps\n1. Is the address known? See [the register](https://example.com/registry).\n2. Reset the credentials of ${who}.\n3. [not a link](javascript:alert(1)) <img src=x onerror=alert(1)>\n`,
      tags: [`source:${kind.source}`, "env:prod", `tactic:${kind.tactic}`, `technique:${kind.technique}`, "security:attack"],
      custom: custom as Record<string, unknown>,
    },
  });
  world.arrivedAt.set(id, time);
  const by = { name: assignee.name, handle: assignee.handle };
  world.history.set(id, [
    { at: time, by: { name: "Tocsin", handle: "" }, kind: "created", from: "", to: kind.severity, comment: "" },
    ...(assignee.uuid ? [{ at: time + 240_000, by, kind: "assignee", from: "", to: assignee.name, comment: "" }] : []),
    ...(state !== "open" ? [{ at: time + 600_000, by, kind: "state", from: "open", to: state, comment: state === "archived" ? "Known scanner" : "" }] : []),
  ]);
}

function ruleOf(kind: Kind, index: number, now: number): Rule {
  const name = kind.condition.startsWith("failed") ? "failed" : "";
  return {
    id: `abc-def-00${String(index + 1)}`,
    name: kind.name,
    type: "log_detection",
    isEnabled: index !== 6,
    isDefault: index % 2 === 1,
    version: 2,
    createdAt: now - 40 * 24 * HOUR,
    updatedAt: now - index * 20 * HOUR,
    creator: { name: "Tocsin", handle: "" },
    updater: { name: "Ana Ruiz", handle: "ana@example.com" },
    tags: [`source:${kind.source}`, `tactic:${kind.tactic}`, `technique:${kind.technique}`],
    message: `## Goal\nFind when *${kind.name.toLowerCase()}*.\n\n## Triage\n1. Look at \`{{@usr.id}}\` and \`{{@network.client.ip}}\`.\n2. Ask the owner of {{host}}.`,
    queries: [
      { name, query: kind.query, aggregation: "count", groupByFields: [kind.group], distinctFields: [] },
      ...(name ? [{ name: "ok", query: "source:sshd @evt.outcome:success", aggregation: "count", groupByFields: [kind.group], distinctFields: [] }] : []),
    ],
    cases: [{ name: "", status: kind.severity, condition: kind.condition, notifications: [] }],
    options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  };
}
