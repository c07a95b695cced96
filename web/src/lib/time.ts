/** Time ranges: presets, typed text and date maths; shown and read in UTC or the browser's zone. */

import { sentence } from "./format";

export type Zone = "utc" | "local";

/** Both ends as `now-7d`, `now/w`, or Unix milliseconds in digits. */
export interface Range {
  from: string;
  to: string;
}

export interface Resolved {
  from: number;
  to: number;
}

export const PRESETS: { label: string; range: Range; text: string }[] = [
  ["Past 15 minutes", "15m"],
  ["Past 1 hour", "1h"],
  ["Past 4 hours", "4h"],
  ["Past 1 day", "1d"],
  ["Past 2 days", "2d"],
  ["Past 7 days", "7d"],
  ["Past 30 days", "30d"],
].map(([label = "", text = ""]) => ({ label, text, range: { from: `now-${text}`, to: "now" } }));

const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const UNIT_NAMES: Record<string, string> = {
  s: "s", sec: "s", secs: "s", second: "s", seconds: "s",
  m: "m", min: "m", mins: "m", minute: "m", minutes: "m",
  h: "h", hr: "h", hrs: "h", hour: "h", hours: "h",
  d: "d", day: "d", days: "d",
  w: "w", week: "w", weeks: "w",
  mo: "M", mos: "M", mon: "M", mons: "M", month: "M", months: "M",
  y: "y", year: "y", years: "y",
};
const UNIT_WORDS: Record<string, string> = { s: "second", m: "minute", h: "hour", d: "day", w: "week", M: "month", y: "year" };
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MATHS = /^now(?:([-+]\d+)([smhdwMy]))?(?:\/([smhdwMy]))?$/;

/** A time as Unix milliseconds, or null when the text is neither date maths nor a time, or no calendar reaches it. */
export function resolveTime(text: string, now: number, zone: Zone): number | null {
  const time = readMoment(text, now, zone);
  return time === null || Number.isNaN(new Date(time).getTime()) ? null : time;
}

function readMoment(text: string, now: number, zone: Zone): number | null {
  const maths = MATHS.exec(text);
  if (maths) {
    const [, amount, unit, rounding] = maths;
    const moved = amount && unit ? shift(now, Number(amount), unit, zone) : now;
    return rounding ? floor(moved, rounding, zone) : moved;
  }
  if (/^\d{9,14}$/.test(text)) return Number(text) < 1e11 ? Number(text) * 1000 : Number(text);
  return /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : null;
}

function readRange(range: Range, now: number, zone: Zone): Resolved | null {
  const from = resolveTime(range.from, now, zone);
  const to = resolveTime(range.to, now, zone);
  return from === null || to === null || from >= to ? null : { from, to };
}

/** Whether the range can be read and runs forwards. */
export const isRange = (range: Range, now: number): boolean => readRange(range, now, "utc") !== null;

/** The range in milliseconds; a range that cannot be read is the given fallback. */
export function resolveRange(range: Range, now: number, zone: Zone, fallback: Range): Resolved {
  return readRange(range, now, zone) ?? { from: resolveTime(fallback.from, now, zone) ?? now - 86_400_000, to: resolveTime(fallback.to, now, zone) ?? now };
}

export const isMoving = (range: Range): boolean => range.to.startsWith("now");

/** What a person may type: `15m`, `past 2 days`, `today`, `last month`, `Jan 1 - Jan 3, 1:00 pm`. Null when unreadable. */
export function parseRangeText(text: string, now: number, zone: Zone): Range | null {
  const typed = text.trim().toLowerCase().replace(/\s+/g, " ");
  if (typed === "") return null;
  const relative = /^(?:past |last )?(\d+) ?([a-z]+)$/.exec(typed);
  if (relative) {
    const [, amount = "", name = ""] = relative;
    const unit = UNIT_NAMES[name];
    if (unit && Number(amount) > 0) return { from: `now-${amount}${unit}`, to: "now" };
  }
  const named = namedRange(typed, now, zone);
  if (named) return named;
  const ends = text.trim().split(/\s+(?:-|–|to)\s+/);
  if (ends.length === 2) {
    const from = readTime(ends[0] ?? "", now, zone);
    const to = readTime(ends[1] ?? "", now, zone);
    return from && to && from.start < to.end ? absolute(from.start, to.end) : null;
  }
  const single = readTime(text.trim(), now, zone);
  return single && single.start < now ? absolute(single.start, single.day ? single.end : now) : null;
}

export function rangeLabel(range: Range, now: number, zone: Zone): string {
  const preset = PRESETS.find((item) => item.range.from === range.from && item.range.to === range.to);
  if (preset) return preset.label;
  const relative = /^now-(\d+)([smhdwMy])$/.exec(range.from);
  if (relative && range.to === "now") {
    const [, amount = "", unit = ""] = relative;
    return `Past ${amount} ${UNIT_WORDS[unit] ?? unit}${amount === "1" ? "" : "s"}`;
  }
  if (range.to === "now" && range.from === "now/w") return "Week to date";
  if (range.to === "now" && range.from === "now/M") return "Month to date";
  const from = resolveTime(range.from, now, zone);
  const to = resolveTime(range.to, now, zone);
  if (from === null || to === null) return "Choose a time";
  const [start, end] = [formatShort(from, zone, now), formatShort(to, zone, now)];
  return start.split(",")[0] === end.split(",")[0] ? `${start} – ${formatClock(to, zone)}` : `${start} – ${end}`;
}

/** `2026-01-01 00:04:10.000`, the absolute form everywhere. */
export function formatTime(time: number, zone: Zone, milliseconds = false): string {
  const part = parts(time, zone);
  const clock = `${pad(part.hour)}:${pad(part.minute)}:${pad(part.second)}`;
  const fraction = milliseconds ? `.${String(((time % 1000) + 1000) % 1000).padStart(3, "0")}` : "";
  return `${String(part.year)}-${pad(part.month + 1)}-${pad(part.day)} ${clock}${fraction}`;
}

/** `Jan 1, 00:04` for axes and labels; with the year when it is not this one. */
export function formatShort(time: number, zone: Zone, now = Date.now()): string {
  const part = parts(time, zone);
  const year = part.year === parts(now, zone).year ? "" : ` ${String(part.year)}`;
  return `${monthName(part.month)} ${String(part.day)}${year}, ${pad(part.hour)}:${pad(part.minute)}`;
}

/** `Jan 01 00:04:10.000`: dense, aligned, for table cells. */
export function formatCell(time: number, zone: Zone): string {
  const part = parts(time, zone);
  const fraction = String(((time % 1000) + 1000) % 1000).padStart(3, "0");
  return `${monthName(part.month)} ${pad(part.day)} ${pad(part.hour)}:${pad(part.minute)}:${pad(part.second)}.${fraction}`;
}

export function formatClock(time: number, zone: Zone): string {
  const part = parts(time, zone);
  return `${pad(part.hour)}:${pad(part.minute)}`;
}

/** `4m ago`, `in 2h`. */
export function formatRelative(time: number, now: number): string {
  const distance = Math.abs(now - time);
  if (distance < 5000) return "just now";
  const text = formatDuration(distance);
  return time <= now ? `${text} ago` : `in ${text}`;
}

/** The largest unit only: `45s`, `12m`, `3h`, `9d`, `5mo`. */
export function formatDuration(ms: number): string {
  if (ms < 60_000) return `${String(Math.max(0, Math.round(ms / 1000)))}s`;
  if (ms < 3_600_000) return `${String(Math.floor(ms / 60_000))}m`;
  if (ms < 86_400_000) return `${String(Math.floor(ms / 3_600_000))}h`;
  if (ms < 60 * 86_400_000) return `${String(Math.floor(ms / 86_400_000))}d`;
  return `${String(Math.floor(ms / (30 * 86_400_000)))}mo`;
}

/** For `<input type="datetime-local">`. */
export function toInputValue(time: number, zone: Zone): string {
  return formatTime(time, zone).replace(" ", "T");
}

export function fromInputValue(text: string, zone: Zone): number | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?/.exec(text);
  if (!match) return null;
  const [, year, month, day, hour, minute, second] = match;
  return make(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second ?? 0), zone);
}

function namedRange(typed: string, now: number, zone: Zone): Range | null {
  const today = floor(now, "d", zone);
  const month = floor(now, "M", zone);
  const year = floor(now, "y", zone);
  switch (typed) {
    case "today": return absolute(today, shift(today, 1, "d", zone));
    case "yesterday": return absolute(shift(today, -1, "d", zone), today);
    case "this month": return absolute(month, shift(month, 1, "M", zone));
    case "last month": return absolute(shift(month, -1, "M", zone), month);
    case "this year": return absolute(year, shift(year, 1, "y", zone));
    case "last year": return absolute(shift(year, -1, "y", zone), year);
    case "week to date": return { from: "now/w", to: "now" };
    case "month to date": return { from: "now/M", to: "now" };
    default: return null;
  }
}

const absolute = (from: number, to: number): Range => ({ from: String(from), to: String(to) });

/** A typed point in time; a date alone is its whole day. */
function readTime(text: string, now: number, zone: Zone): { start: number; end: number; day: boolean } | null {
  const typed = text.trim().toLowerCase();
  if (typed === "now") return { start: now, end: now, day: false };
  const direct = resolveTime(text.trim(), now, zone);
  if (direct !== null) return { start: direct, end: direct, day: false };
  const clock = /(?:^|[ ,t]+)(\d{1,2}):(\d\d)(?::(\d\d))?(?:\s*(am|pm))?$/.exec(typed);
  const date = (clock ? typed.slice(0, clock.index) : typed).replace(/,\s*$/, "").trim();
  const thisYear = parts(now, zone).year;
  let day: [number, number, number] | null = null;
  const words = /^([a-z]{3,9})\.? (\d{1,2})(?:,? (\d{4}))?$/.exec(date);
  const digits = /^(\d{1,2})[/-](\d{1,2})(?:[/-](\d{2}|\d{4}))?$/.exec(date);
  const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(date);
  if (date === "" && clock) {
    const part = parts(now, zone);
    day = [part.year, part.month, part.day];
  } else if (words) {
    const month = MONTHS.indexOf((words[1] ?? "").slice(0, 3));
    if (month >= 0) day = [Number(words[3] ?? thisYear), month, Number(words[2])];
  } else if (digits) {
    const year = digits[3] === undefined ? thisYear : Number(digits[3].length === 2 ? `20${digits[3]}` : digits[3]);
    day = [year, Number(digits[1]) - 1, Number(digits[2])];
  } else if (iso) {
    day = [Number(iso[1]), Number(iso[2]) - 1, Number(iso[3])];
  }
  if (!day || day[1] > 11 || day[2] < 1 || day[2] > 31) return null;
  if (!clock) {
    const start = make(...day, 0, 0, 0, zone);
    return { start, end: shift(start, 1, "d", zone), day: true };
  }
  const twelve = clock[4] ? (Number(clock[1]) % 12) + (clock[4] === "pm" ? 12 : 0) : Number(clock[1]);
  if (twelve > 23 || Number(clock[2]) > 59) return null;
  const time = make(...day, twelve, Number(clock[2]), Number(clock[3] ?? 0), zone);
  return { start: time, end: time, day: false };
}

function shift(time: number, amount: number, unit: string, zone: Zone): number {
  const part = parts(time, zone);
  const rest = ((time % 1000) + 1000) % 1000;
  if (unit === "M") return make(part.year, part.month + amount, part.day, part.hour, part.minute, part.second, zone) + rest;
  if (unit === "y") return make(part.year + amount, part.month, part.day, part.hour, part.minute, part.second, zone) + rest;
  return time + amount * (UNIT_MS[unit] ?? 0);
}

function floor(time: number, unit: string, zone: Zone): number {
  const { year, month, day, hour, minute, second } = parts(time, zone);
  switch (unit) {
    case "s": return make(year, month, day, hour, minute, second, zone);
    case "m": return make(year, month, day, hour, minute, 0, zone);
    case "h": return make(year, month, day, hour, 0, 0, zone);
    case "d": return make(year, month, day, 0, 0, 0, zone);
    case "M": return make(year, month, 1, 0, 0, 0, zone);
    case "y": return make(year, 0, 1, 0, 0, 0, zone);
    default: {
      const weekday = (new Date(Date.UTC(year, month, day)).getUTCDay() + 6) % 7; // from Monday
      return make(year, month, day - weekday, 0, 0, 0, zone);
    }
  }
}

function parts(time: number, zone: Zone) {
  const date = new Date(time);
  return zone === "utc"
    ? { year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate(), hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds() }
    : { year: date.getFullYear(), month: date.getMonth(), day: date.getDate(), hour: date.getHours(), minute: date.getMinutes(), second: date.getSeconds() };
}

function make(year: number, month: number, day: number, hour: number, minute: number, second: number, zone: Zone): number {
  return zone === "utc" ? Date.UTC(year, month, day, hour, minute, second) : new Date(year, month, day, hour, minute, second).getTime();
}

const pad = (value: number): string => String(value).padStart(2, "0");
const monthName = (month: number): string => sentence(MONTHS[month] ?? "");
