/** RRULEs (siem.md §2.22) as a form shows them and as a sentence; what neither knows stays text, for the server to read. */

export const UNITS = { MINUTELY: "minute", HOURLY: "hour", DAILY: "day", WEEKLY: "week", MONTHLY: "month" } as const;
export type Unit = keyof typeof UNITS;

export const WEEKDAYS = { MO: "Monday", TU: "Tuesday", WE: "Wednesday", TH: "Thursday", FR: "Friday", SA: "Saturday", SU: "Sunday" } as const;
export type Weekday = keyof typeof WEEKDAYS;

/** The last day of a month, as RRULEs write it. */
export const LAST_DAY = -1;

/** How often, and when within an hour, day, week or month; what is empty is as the start has it. */
export interface Repeat {
  unit: Unit;
  /** Null while somebody types it. */
  interval: number | null;
  days: Weekday[];
  monthDay: number | null;
  /** Only of days and longer. */
  hours: number[];
  minute: number | null;
}

export interface Schedule {
  rrule: string;
  /** A local time of the time zone, without a zone of its own. */
  start: string;
  timezone: string;
}

export const repeatEvery = (unit: Unit): Repeat => ({ unit, interval: unit === "MINUTELY" ? 30 : 1, days: [], monthDay: null, hours: [], minute: null });

export const isWithinADay = (unit: Unit): boolean => unit === "MINUTELY" || unit === "HOURLY";

const CLOCK = ["BYHOUR", "BYMINUTE"];
const FORM_PARTS: Record<Unit, readonly string[]> = { MINUTELY: [], HOURLY: ["BYMINUTE"], DAILY: ["BYDAY", ...CLOCK], WEEKLY: ["BYDAY", ...CLOCK], MONTHLY: ["BYMONTHDAY", ...CLOCK] };

/** An RRULE as the form shows it; null for one that says more. */
export function readRepeat(rrule: string): Repeat | null {
  const { FREQ: freq = "", INTERVAL: interval = "1", ...others } = partsOf(rrule);
  if (!(freq in UNITS) || !/^(?:[1-9]\d{0,5})?$/.test(interval)) return null;
  const unit = freq as Unit;
  if (Object.keys(others).some((name) => !FORM_PARTS[unit].includes(name))) return null;
  const days = others.BYDAY?.split(",") ?? [];
  const monthDays = numbers(others.BYMONTHDAY, LAST_DAY, 31);
  const hours = numbers(others.BYHOUR, 0, 23);
  const minutes = numbers(others.BYMINUTE, 0, 59);
  if (!days.every((day) => day in WEEKDAYS) || !monthDays || monthDays.length > 1 || monthDays[0] === 0 || !hours || !minutes || minutes.length > 1) return null;
  // Every other day, if it is a Monday: no form says that.
  if (unit === "DAILY" && days.length > 0 && interval !== "1") return null;
  if (!isWithinADay(unit) && minutes.length > 0 && hours.length === 0) return null;
  return {
    unit: unit === "DAILY" && days.length > 0 ? "WEEKLY" : unit,
    interval: interval === "" ? null : Number(interval),
    days: (Object.keys(WEEKDAYS) as Weekday[]).filter((day) => days.includes(day)),
    monthDay: monthDays[0] ?? null,
    hours,
    minute: minutes[0] ?? null,
  };
}

export function writeRepeat({ unit, interval, days, monthDay, hours, minute }: Repeat): string {
  const isTimed = unit === "HOURLY" || (!isWithinADay(unit) && hours.length > 0);
  return [
    `FREQ=${unit}`,
    interval === 1 ? "" : `INTERVAL=${interval === null ? "" : String(interval)}`,
    unit === "WEEKLY" && days.length > 0 ? `BYDAY=${days.join(",")}` : "",
    unit === "MONTHLY" && monthDay !== null ? `BYMONTHDAY=${String(monthDay)}` : "",
    !isWithinADay(unit) && hours.length > 0 ? `BYHOUR=${hours.join(",")}` : "",
    isTimed && minute !== null ? `BYMINUTE=${String(minute)}` : "",
  ]
    .filter(Boolean)
    .join(";");
}

/** `Every Monday and Friday at 09:00, Europe/Paris time`; null for an RRULE that says more than the form. */
export function sentenceOf({ rrule, start, timezone }: Schedule): string | null {
  const repeat = readRepeat(rrule);
  const began = Date.parse(`${start.slice(0, 19)}Z`);
  if (repeat?.interval == null || Number.isNaN(began)) return null;
  const zone = timezone === "UTC" ? "UTC" : `${timezone} time`;
  return `${everyText(repeat, new Date(began))}${atText(repeat, start)}, ${zone}`;
}

function everyText({ unit, interval, days, monthDay }: Repeat, began: Date): string {
  const weekdays = unit === "WEEKLY" ? joined((days.length > 0 ? days : [dayOf(began)]).map((day) => WEEKDAYS[day])) : "";
  const noun = UNITS[unit];
  if (unit === "WEEKLY" && interval === 1) return `Every ${weekdays}`;
  const every = interval === 1 ? `Every ${noun}` : `Every ${String(interval)} ${noun}s`;
  if (unit === "WEEKLY") return `${every} on ${weekdays}`;
  if (unit !== "MONTHLY") return every;
  return monthDay === LAST_DAY ? `${every} on the last day` : `${every} on day ${String(monthDay ?? began.getUTCDate())}`;
}

function atText({ unit, hours, minute }: Repeat, start: string): string {
  if (isWithinADay(unit)) return minute === null ? "" : ` at minute ${String(minute)}`;
  const minutes = minute ?? Number(start.slice(14, 16));
  return ` at ${joined(hours.length > 0 ? hours.map((hour) => clock(hour, minutes)) : [start.slice(11, 16)])}`;
}

/** The members of a rule's `schedulingOptions`; null where it has none, or an empty object. */
export function scheduleOf(value: unknown): Schedule | null {
  if (typeof value !== "object" || value === null) return null;
  const given = value as Record<string, unknown>;
  const names = ["rrule", "start", "timezone"] as const;
  if (names.every((name) => given[name] === undefined || given[name] === null)) return null;
  const [rrule = "", start = "", timezone = ""] = names.map((name) => (typeof given[name] === "string" ? given[name] : ""));
  return { rrule, start, timezone };
}

/** A first schedule: every morning, in the zone that times are shown in. */
export const newSchedule = (today: string, timezone: string): Schedule => ({ rrule: "FREQ=DAILY;BYHOUR=6;BYMINUTE=0", start: `${today}T00:00:00`, timezone });

function partsOf(rrule: string): Record<string, string> {
  const parts = rrule.trim().toUpperCase().replace(/^RRULE:/, "").replace(/;$/, "").split(";");
  return Object.fromEntries(parts.map((part) => part.split("=").map((piece) => piece.trim())).map(([name = "", value = "", ...more]) => [more.length > 0 ? "" : name, value]));
}

/** The numbers of a list, in order, each once; none for none, null where one is no such number. */
function numbers(text: string | undefined, least: number, most: number): number[] | null {
  const found = text === undefined ? [] : text.split(",").map((each) => (/^-?\d{1,2}$/.test(each.trim()) ? Number(each) : Number.NaN));
  return found.every((each) => each >= least && each <= most) ? [...new Set(found)].sort((left, right) => left - right) : null;
}

export const clock = (hour: number, minute: number): string => `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;

const dayOf = (date: Date): Weekday => (Object.keys(WEEKDAYS) as Weekday[])[(date.getUTCDay() + 6) % 7] ?? "MO";

const joined = (words: readonly string[]): string => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`);
