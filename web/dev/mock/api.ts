/** `npm run dev:mock`: the screens without a server, over data of our own invention. Any password signs in. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ExploreEvent, Filter, Rule, SignalCustom, TriageResult } from "../../src/api/types";
import { fieldTexts } from "../../src/components/explorer/model";
import { createWorld, trickle, USERS, type World } from "./data";
import { fault, find } from "./search";

type Body = Record<string, unknown>;
interface Call {
  url: URL;
  match: RegExpExecArray;
  body: Body;
}
interface Answer {
  status: number;
  body: unknown;
}
type Handler = (call: Call) => Answer;

const ok = (body: unknown, status = 200): Answer => ({ status, body });
const refuse = (status: number, ...errors: string[]): Answer => ({ status, body: { errors } });
const PERMISSIONS = ["security_monitoring_signals_read", "security_monitoring_signals_write", "security_monitoring_rules_read", "security_monitoring_rules_write", "logs_read_data", "logs_write_pipelines", "user_access_read", "user_access_invite", "user_access_manage", "api_keys_read", "api_keys_write", "api_keys_delete", "user_app_keys"];

/** Connect's middleware over one invented world that goes on by itself; `stop` ends it. */
export function createMock() {
  const world = createWorld(Date.now());
  const timer = setInterval(() => trickle(world, Date.now()), 4000);
  const routes = routesOf(world);
  const middleware = (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    const url = new URL(request.url ?? "/", "http://mock");
    if (!url.pathname.startsWith("/api/")) {
      next();
      return;
    }
    void readBody(request).then((body) => {
      const { status, body: answer } = route(routes, request.method ?? "GET", url, body);
      setTimeout(() => send(response, status, answer), 60);
    });
  };
  return { middleware, stop: () => clearInterval(timer) };
}

function route(routes: [string, RegExp, Handler][], method: string, url: URL, body: Body): Answer {
  for (const [wanted, pattern, handler] of routes) {
    const match = wanted === method ? pattern.exec(url.pathname) : null;
    if (match) return handler({ url, match, body });
  }
  return refuse(404, `The mock does not know ${method} ${url.pathname}`);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json", "X-Request-Id": "mock-0001" });
  response.end(status === 204 ? "" : JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<Body> {
  let text = "";
  for await (const part of request) text += String(part);
  return text === "" ? {} : (JSON.parse(text) as Body);
}

function routesOf(world: World): [string, RegExp, Handler][] {
  let signedIn = true;
  const eventsOf = (track: string | undefined): ExploreEvent[] => (track === "signals" ? world.signals : world.logs);
  const filterOf = (body: Body): Filter => body.filter as Filter;
  const checked = (body: Body, answer: () => Answer): Answer => {
    const error = fault(filterOf(body).query);
    return error ? { status: 400, body: { errors: [error.message], error } } : answer();
  };
  const session = ok({ data: { type: "session", attributes: { csrf_token: "mock", expires_at: new Date(Date.now() + 3_600_000).toISOString() } } });
  const [me] = USERS;
  return [
    ["POST", /^\/api\/v2\/session$/, ({ body }) => ((signedIn = body.password !== "wrong"), signedIn ? session : refuse(401, "Unauthorized"))],
    ["GET", /^\/api\/v2\/session$/, () => (signedIn ? session : refuse(401, "Unauthorized"))],
    ["DELETE", /^\/api\/v2\/session/, () => ((signedIn = false), ok(null, 204))],
    ["GET", /^\/api\/v2\/current_user$/, () => ok({ data: userResource(me) })],
    ["GET", /^\/api\/v2\/users\/[^/]+\/permissions$/, () => ok({ data: PERMISSIONS.map((name) => ({ id: name, type: "permissions", attributes: { name } })) })],
    ["GET", /^\/api\/v2\/users$/, () => ok({ data: USERS.map(userResource) })],
    ["GET", /^\/api\/v2\/roles$/, () => ok({ data: [{ id: "r1", type: "roles", attributes: { name: "Admin" } }, { id: "r2", type: "roles", attributes: { name: "Standard" } }] })],
    ["GET", /^\/api\/v2\/(api_keys|current_user\/application_keys)$/, () => ok({ data: [{ id: "k1", type: "api_keys", attributes: { name: "Shippers", last4: "9f3c", created_at: "2026-10-02T10:00:00Z", date_last_used: new Date(Date.now() - 60_000).toISOString() } }] })],
    ["POST", /^\/api\/v2\/(api_keys|current_user\/application_keys)$/, () => ok({ data: { id: "k2", type: "api_keys", attributes: { name: "New", last4: "0000", key: "0123456789abcdef0123456789abcdef", created_at: new Date().toISOString() } } }, 201)],
    ["GET", /^\/api\/v2\/tocsin\/intake\/status$/, () => ok({ data: { attributes: { since_start: { started_at: new Date(Date.now() - 7_200_000).toISOString(), accepted: world.logs.length + 3, stored: world.logs.length, rejected: 3, duplicates: 12, throttled: 0, failed: 0, bytes: 4_800_000 }, kept: { stored: world.logs.length, rejected: { bad_json: 3 } }, buffer: { bytes: 0, limit_bytes: 67_108_864 }, newest_ingested_at: new Date().toISOString(), lag_ms: null } } })],
    ["GET", /^\/api\/v2\/tocsin\/intake\/rejected$/, () => ok({ data: [1, 2, 3].map((index) => ({ id: `x${String(index)}`, type: "rejected_event", attributes: { received_at: new Date(Date.now() - index * 4e6).toISOString(), code: "bad_timestamp", reason: "the time 'yesterday-ish' is not a date that Tocsin can read", raw: '{"timestamp":"yesterday-ish","message":"…"}', context: {}, replayed_at: null } })), meta: { page: {} } })],
    ["POST", /^\/api\/v2\/tocsin\/intake\/rejected\/replay$/, () => ok({ data: { attributes: { replayed: 3, stored: 0, rejected: 3 } } })],

    ["POST", /^\/api\/v2\/explore\/(\w+)\/events$/, ({ match, body }) => checked(body, () => events(find(eventsOf(match[1]), filterOf(body)), body))],
    ["GET", /^\/api\/v2\/explore\/(\w+)\/events\/(.+)$/, ({ match }) => one(eventsOf(match[1]), decodeURIComponent(match[2] ?? ""))],
    ["POST", /^\/api\/v2\/explore\/(\w+)\/facets$/, ({ match, body }) => checked(body, () => facets(find(eventsOf(match[1]), filterOf(body)), body))],
    ["POST", /^\/api\/v2\/explore\/(\w+)\/timeseries$/, ({ match, body }) => checked(body, () => timeseries(find(eventsOf(match[1]), filterOf(body)), filterOf(body), Number(body.buckets ?? 60)))],
    [
      "POST",
      /^\/api\/v2\/explore\/(\w+)\/count$/,
      ({ match, body }) =>
        checked(body, () => {
          const arrived = find(eventsOf(match[1]), filterOf(body)).map((event) => world.arrivedAt.get(event.id) ?? 0);
          const after = Number(body.ingested_after ?? -1);
          return ok({ data: { count: arrived.filter((time) => time > after).length, latest_ingested_at: arrived.length > 0 ? arrived.reduce((left, right) => Math.max(left, right)) : null } });
        }),
    ],
    ["POST", /^\/api\/v2\/explore\/(\w+)\/complete$/, ({ match, body }) => complete(eventsOf(match[1]), String(body.text), Number(body.cursor))],
    [
      "POST",
      /^\/api\/v2\/explore\/\w+\/check$/,
      ({ body }) => {
        const error = fault(String(body.query));
        return ok({ data: error ? { ok: false, error } : { ok: true, hints: / and /.test(String(body.query)) ? [{ start: String(body.query).indexOf(" and ") + 1, end: String(body.query).indexOf(" and ") + 4, message: "“and” is a word here; the operator is AND", fix: String(body.query).replace(" and ", " AND ") }] : [] } });
      },
    ],

    ["GET", /^\/api\/v2\/security_monitoring\/signals\/([^/]+)\/history$/, ({ match }) => ok({ data: world.history.get(match[1] ?? "") ?? [] })],
    [
      "PATCH",
      /^\/api\/v2\/security_monitoring\/signals\/bulk\/update$/,
      ({ body }) => {
        const items = body.data as { id: string; attributes: Body }[];
        const results = items.map(({ id, attributes }) => ({ id, answer: decide(world, id, attributes) }));
        const done = results.filter(({ answer }) => answer.status === 200);
        const failures = results.filter(({ answer }) => answer.status !== 200).map(({ id, answer }) => ({ id, status: answer.status, code: "", ...(answer.body as Body) }));
        return ok({ type: "status", status: "done", result: { count: done.length, events: done.map(({ id, answer }) => ({ id, event: (answer.body as { data: { attributes: Body } }).data.attributes })), failures } });
      },
    ],
    ["PATCH", /^\/api\/v2\/security_monitoring\/signals\/([^/]+)\/update$/, ({ match, body }) => decide(world, match[1] ?? "", (body.data as { attributes: Body }).attributes)],

    ["GET", /^\/api\/v2\/security_monitoring\/rules$/, ({ url }) => rules(world, url)],
    ["POST", /^\/api\/v2\/security_monitoring\/rules\/validation$/, ({ body }) => validate(body) ?? ok(null, 204)],
    ["GET", /^\/api\/v2\/security_monitoring\/rules\/([^/]+)\/version_history$/, ({ match }) => versions(world, match[1] ?? "")],
    ["GET", /^\/api\/v2\/security_monitoring\/rules\/([^/]+)$/, ({ match }) => ruleAnswer(world.rules.find((rule) => rule.id === match[1]))],
    [
      "PUT",
      /^\/api\/v2\/security_monitoring\/rules\/([^/]+)$/,
      ({ match, body }) => {
        const rule = world.rules.find((each) => each.id === match[1]);
        const refused = validate({ ...rule, ...body });
        if (refused) return refused;
        if (rule) Object.assign(rule, body, { version: rule.version + 1, updatedAt: Date.now() });
        return ruleAnswer(rule);
      },
    ],
    [
      "POST",
      /^\/api\/v2\/security_monitoring\/rules$/,
      ({ body }) => {
        const refused = validate(body);
        if (refused) return refused;
        const rule = { ...(body as unknown as Rule), id: `abc-def-1${String(world.rules.length).padStart(2, "0")}`, version: 1, createdAt: Date.now(), updatedAt: Date.now() };
        world.rules.push(rule);
        return ok(rule);
      },
    ],
  ];
}

function userResource(person: (typeof USERS)[number] | undefined) {
  return { id: person?.uuid, type: "users", attributes: { name: person?.name, email: person?.handle, handle: person?.handle, status: "Active", disabled: false, last_login_time: new Date().toISOString() }, relationships: { roles: { data: [{ id: "r1", type: "roles" }] } } };
}

const one = (list: ExploreEvent[], id: string): Answer => {
  const event = list.find((each) => each.id === id);
  return event ? ok({ data: event }) : refuse(404, "There is no such event; it may be older than what is kept");
};

function events(found: ExploreEvent[], body: Body): Answer {
  const [sort] = body.sort as { field: string; order: string }[];
  const { limit = 10, cursor } = (body.page ?? {}) as { limit?: number; cursor?: string };
  const ranks: Record<string, number> = { critical: 5, high: 4, medium: 3, low: 2, info: 1 };
  const key = (event: ExploreEvent): string => (sort?.field === "status" ? String(ranks[event.attributes.status ?? ""] ?? 0) : (fieldTexts(event, sort?.field ?? "timestamp")[0] ?? ""));
  const sign = sort?.order === "asc" ? 1 : -1;
  const sorted = found.toSorted((left, right) => sign * key(left).localeCompare(key(right)) || right.attributes.timestamp.localeCompare(left.attributes.timestamp));
  const start = Number(cursor ?? 0);
  const after = start + limit < sorted.length ? String(start + limit) : null;
  return ok({ data: sorted.slice(start, start + limit), meta: { page: { after }, elapsed: 3, snapshot: Date.now() } });
}

function facets(found: ExploreEvent[], body: Body): Answer {
  const search = body.search as { facet: string; text: string } | undefined;
  const data = (body.facets as string[]).map((facet) => {
    const counts = new Map<string, number>();
    let missing = 0;
    for (const event of found) {
      const texts = new Set(fieldTexts(event, facet));
      if (texts.size === 0) missing += 1;
      for (const text of texts) if (!search || text.toLowerCase().includes(search.text.toLowerCase())) counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    const values = [...counts].map(([value, count]) => ({ value, count })).sort((left, right) => right.count - left.count || left.value.localeCompare(right.value));
    return { facet, values: values.slice(0, Number(body.limit ?? 10)), distinct: values.length, missing };
  });
  return ok({ data, meta: { total: found.length, elapsed: 2 } });
}

function timeseries(found: ExploreEvent[], filter: Filter, count: number): Answer {
  const from = Date.parse(filter.from);
  const interval = Math.ceil((Date.parse(filter.to) - from) / count);
  const start = Math.floor(from / interval) * interval;
  const buckets = Array.from({ length: count + 1 }, (_, index) => ({ time: start + index * interval, count: 0, by: {} as Record<string, number> }));
  for (const event of found) {
    const bucket = buckets[Math.floor((Date.parse(event.attributes.timestamp) - start) / interval)];
    if (!bucket) continue;
    const status = event.attributes.status ?? "";
    bucket.count += 1;
    bucket.by[status] = (bucket.by[status] ?? 0) + 1;
  }
  return ok({ data: { interval_ms: interval, buckets }, meta: { total: found.length, elapsed: 2 } });
}

function complete(list: ExploreEvent[], text: string, cursor: number): Answer {
  const start = text.slice(0, cursor).search(/[^\s()]*$/);
  const word = text.slice(start, cursor);
  const colon = word.indexOf(":");
  if (colon > 0) {
    const field = word.slice(0, colon).replace(/^-/, "");
    const typed = word.slice(colon + 1).toLowerCase();
    const { data } = facets(list, { facets: [field], limit: 20 }).body as { data: [{ values: { value: string; count: number }[] }] };
    const options = data[0].values.filter(({ value }) => value.toLowerCase().includes(typed)).map(({ value, count }) => ({ text: value, insert: /^[\w.@/-]+$/.test(value) ? value : `"${value}"`, count, detail: null }));
    return ok({ data: { start: start + colon + 1, end: cursor, kind: "value", options } });
  }
  const fields = ["status", "source", "service", "host", "@usr.id", "@usr.name", "@network.client.ip", "@network.client.geoip.country.iso_code", "@evt.name", "@evt.outcome", "@workflow.rule.name", "@workflow.triage.state", "tactic", "technique", "env"];
  const typed = word.replace(/^-/, "").toLowerCase();
  return ok({ data: { start: word.startsWith("-") ? start + 1 : start, end: cursor, kind: "field", options: fields.filter((field) => field.includes(typed)).map((field) => ({ text: field, insert: field, count: null, detail: null })) } });
}

function decide(world: World, id: string, change: Body): Answer {
  const signal = world.signals.find((each) => each.id === id);
  if (!signal) return refuse(404, "Signal not found");
  const triage = ((signal.attributes.custom ?? {}) as SignalCustom).workflow?.triage;
  if (!triage) return refuse(404, "Signal not found");
  if (typeof change.version === "number" && change.version < (triage.version ?? 1)) return refuse(409, `Signal ${id} was changed meanwhile: you saw version ${String(change.version)}, it is at version ${String(triage.version)} (Ben Okafor changed state from open to under_review). Look at it again, then decide.`);
  const person = change.assignee as { uuid: string } | undefined;
  const before = triage.state ?? "open";
  triage.state = (change.state as TriageResult["state"] | undefined) ?? before;
  if (person) triage.assignee = USERS.find((user) => user.uuid === person.uuid) ?? { uuid: "", handle: "", name: "Unassigned", id: -1 };
  triage.archiveReason = triage.state === "archived" ? ((change.archive_reason as typeof triage.archiveReason) ?? triage.archiveReason) : "none";
  if (typeof change.archive_comment === "string") triage.archiveComment = change.archive_comment;
  triage.version = (triage.version ?? 1) + 1;
  const entry = person ? { kind: "assignee", from: "", to: triage.assignee?.name ?? "" } : { kind: "state", from: before, to: triage.state };
  world.history.get(id)?.push({ at: Date.now(), by: { name: USERS[0]?.name ?? "", handle: "" }, comment: triage.archiveComment ?? "", ...entry });
  return ok({ data: { id, type: "signal_metadata", attributes: { state: triage.state, assignee: triage.assignee, archive_reason: triage.archiveReason, archive_comment: triage.archiveComment, version: triage.version } } });
}

function rules(world: World, url: URL): Answer {
  const query = (url.searchParams.get("query") ?? "").toLowerCase();
  const sort = url.searchParams.get("sort") ?? "name";
  const found = world.rules.filter((rule) => `${rule.name} ${rule.tags.join(" ")}`.toLowerCase().includes(query));
  const key = (rule: Rule): string => (sort.endsWith("update_date") ? String(rule.updatedAt) : rule.name);
  const data = found.toSorted((left, right) => (sort.startsWith("-") ? -1 : 1) * key(left).localeCompare(key(right)));
  return ok({ data, meta: { page: { total_count: world.rules.length, total_filtered_count: found.length } } });
}

const ruleAnswer = (rule: Rule | undefined): Answer => (rule ? ok(rule) : refuse(404, "Rule not found"));

function validate(rule: Body): Answer | null {
  const details: { target: string; message: string }[] = [];
  if (String(rule.name ?? "").trim() === "") details.push({ target: "name", message: "Rule name cannot be empty" });
  for (const [index, query] of ((rule.queries ?? []) as { query: string }[]).entries()) if (query.query.trim() === "") details.push({ target: `queries[${String(index)}].query`, message: "Query filter cannot be empty" });
  for (const [index, each] of ((rule.cases ?? []) as { condition?: string }[]).entries()) if (!each.condition) details.push({ target: `cases[${String(index)}].condition`, message: "A threshold rule needs a condition, such as a > 5" });
  return details.length === 0 ? null : { status: 400, body: { errors: ["Invalid rule configuration", ...details.map((detail) => detail.message)], error: { code: "InvalidArgument", message: "Invalid rule configuration", details } } };
}

function versions(world: World, id: string): Answer {
  const rule = world.rules.find((each) => each.id === id);
  if (!rule) return refuse(404, "Rule not found");
  const data = Object.fromEntries(Array.from({ length: rule.version }, (_, index) => [String(index + 1), { rule: { ...rule, version: index + 1 }, changes: index === 0 ? [{ type: "create", field: "rule", change: "created" }] : [{ type: "update", field: "options.evaluationWindow", change: "600 → 300" }] }]));
  return ok({ data: { id, type: "GetRuleVersionHistoryResponse", attributes: { count: rule.version, data } } });
}
