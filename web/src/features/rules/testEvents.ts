/** Logs that are kept with a rule, and logs pasted from anywhere as they would be sent (siem.md §2.27). */

export type Payload = Record<string, unknown>;

export interface TestEvent {
  /** Position of the query. */
  query: number;
  expected: boolean;
  event: Payload;
}

const isObject = (value: unknown): value is Payload => typeof value === "object" && value !== null && !Array.isArray(value);

/** The tests of a rule, those that must match first. What a form cannot show (samples of files) is left out. */
export function testsOf(tests: unknown): TestEvent[] {
  if (!isObject(tests)) return [];
  return (["match", "no_match"] as const).flatMap((name) => items(tests, name).filter(isShown).map((item) => ({ query: typeof item.query === "number" ? item.query : 0, expected: name === "match", event: item.event as Payload })));
}

/** The member `tests` with other events; what a form cannot show stays. */
export function withTests(tests: unknown, events: readonly TestEvent[]): Payload | undefined {
  const kept = isObject(tests) ? tests : {};
  const write = (name: "match" | "no_match", expected: boolean) => [...items(kept, name).filter((item) => !isShown(item)), ...events.filter((each) => each.expected === expected).map(({ query, event }) => ({ query, event }))];
  const next = { ...kept, match: write("match", true), no_match: write("no_match", false) };
  return Object.keys(kept).length === 0 && events.length === 0 ? undefined : next;
}

/** Tests after a query was removed: its own go with it, those of later ones follow them. */
export const afterRemoval = (tests: unknown, removed: number): Payload | undefined =>
  withTests(
    tests,
    testsOf(tests)
      .filter((each) => each.query !== removed)
      .map((each) => (each.query > removed ? { ...each, query: each.query - 1 } : each)),
  );

const items = (tests: Payload, name: string): Payload[] => (Array.isArray(tests[name]) ? (tests[name] as unknown[]).filter(isObject) : []);
const isShown = (item: Payload): boolean => isObject(item.event);

/** Members of an event as the explorer shows it that a sender calls otherwise. */
const NAMES: Record<string, string> = { source: "ddsource", host: "hostname", tags: "ddtags", status: "status", service: "service", message: "message", timestamp: "timestamp" };

/** A log as it could be sent: of a line of text, of JSON as it was sent, or of an event copied from an explorer. */
export function payloadOf(value: unknown): Payload {
  if (!isObject(value)) return { message: String(value) };
  if ("ddsource" in value) return value;
  const inner = isObject(value.attributes) && (typeof value.type === "string" || "timestamp" in value.attributes) ? value.attributes : null;
  const shown = inner ?? value;
  const own = isObject(shown.attributes) ? shown.attributes : isObject(shown.custom) ? shown.custom : null;
  if (own === null) return value;
  const named = Object.entries(shown).flatMap(([name, member]) => (NAMES[name] && member !== null && member !== "" ? [[NAMES[name], one(name, member)] as const] : []));
  return { ...own, ...Object.fromEntries(named) };
}

const one = (name: string, value: unknown): unknown => (Array.isArray(value) ? (name === "tags" ? value.join(",") : value[0]) : value);

export interface Pasted {
  events: Payload[];
  /** Why nothing could be read. */
  fault: string | null;
}

/** What somebody pasted: a JSON log or a list of them, one JSON log a line, or plain lines. */
export function parsePasted(text: string): Pasted {
  const trimmed = text.trim();
  if (trimmed === "") return { events: [], fault: "Paste a log: JSON, or its line of text" };
  const whole = tryJson(trimmed);
  if (whole !== undefined) {
    const given = Array.isArray(whole) ? whole : [whole];
    return given.length > 0 ? { events: given.map(payloadOf), fault: null } : { events: [], fault: "This list is empty" };
  }
  const lines = trimmed.split("\n").filter((line) => line.trim() !== "");
  const parsed = lines.map(tryJson);
  if (parsed.every((each) => isObject(each))) return { events: parsed.map(payloadOf), fault: null };
  if (/^[[{]/.test(trimmed)) return { events: [], fault: "This begins like JSON but cannot be read: is a part of it missing?" };
  return { events: lines.map((message) => ({ message })), fault: null };
}

function tryJson(text: string): unknown {
  if (!/^[[{]/.test(text.trim())) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
