import { describe, expect, it } from "vitest";
import { formatCell, formatDuration, formatRelative, formatTime, fromInputValue, parseRangeText, rangeLabel, resolveRange, resolveTime, toInputValue } from "@/lib/time";

const NOW = Date.UTC(2026, 2, 18, 14, 30, 15); // a Wednesday
const DAY = 86_400_000;
const utc = (...parts: [number, number, number, number?, number?]) => String(Date.UTC(...parts));

describe("typed ranges", () => {
  it.each([
    ["15m", "now-15m"], ["15 min", "now-15m"], ["past 4 hours", "now-4h"], ["2 days", "now-2d"], ["1w", "now-1w"], ["1mo", "now-1M"], ["past 3 months", "now-3M"], ["LAST 2 Hrs", "now-2h"],
  ])("%s is relative", (text, from) => {
    expect(parseRangeText(text, NOW, "utc")).toEqual({ from, to: "now" });
  });

  it.each([
    ["today", utc(2026, 2, 18), utc(2026, 2, 19)],
    ["yesterday", utc(2026, 2, 17), utc(2026, 2, 18)],
    ["this month", utc(2026, 2, 1), utc(2026, 3, 1)],
    ["last month", utc(2026, 1, 1), utc(2026, 2, 1)],
    ["last year", utc(2025, 0, 1), utc(2026, 0, 1)],
    ["Jan 1 - Jan 3", utc(2026, 0, 1), utc(2026, 0, 4)],
    ["1/1 - 1/2", utc(2026, 0, 1), utc(2026, 0, 3)],
    ["1-5-2025", utc(2025, 0, 5), utc(2025, 0, 6)],
    ["Jan 1, 2019", utc(2019, 0, 1), utc(2019, 0, 2)],
    ["2026-03-01", utc(2026, 2, 1), utc(2026, 2, 2)],
    ["Mar 1, 1:00 pm - Mar 1, 2:30 pm", utc(2026, 2, 1, 13), utc(2026, 2, 1, 14, 30)],
    ["1:00 pm", utc(2026, 2, 18, 13), String(NOW)],
    ["1735689600 - 1735689600000", "", ""],
    ["1735689600 - 1735693200", "1735689600000", "1735693200000"],
  ])("%s is fixed when entered", (text, from, to) => {
    expect(parseRangeText(text, NOW, "utc")).toEqual(from === "" ? null : { from, to });
  });

  it("moves along for week and month to date", () => {
    expect(parseRangeText("week to date", NOW, "utc")).toEqual({ from: "now/w", to: "now" });
    expect(resolveTime("now/w", NOW, "utc")).toBe(Date.UTC(2026, 2, 16)); // Monday
    expect(resolveTime("now/M", NOW, "utc")).toBe(Date.UTC(2026, 2, 1));
  });

  it.each(["", "soon", "0m", "Jan 40", "13:99", "Jan 3 - Jan 1", "5 fortnights"])("%j is not a range", (text) => {
    expect(parseRangeText(text, NOW, "utc")).toBeNull();
  });
});

it("resolves date maths, milliseconds, seconds and ISO times", () => {
  expect(resolveTime("now-7d", NOW, "utc")).toBe(NOW - 7 * DAY);
  expect(resolveTime("now-1d/d", NOW, "utc")).toBe(Date.UTC(2026, 2, 17));
  expect(resolveTime("1735689600", NOW, "utc")).toBe(1735689600000);
  expect(resolveTime("2025-01-01T00:00:00Z", NOW, "utc")).toBe(1735689600000);
  expect(resolveTime("now+2d", NOW, "utc")).toBe(NOW + 2 * DAY);
  expect(resolveTime("whenever", NOW, "utc")).toBeNull();
  for (const text of ["now-999999999d", "now-999999999y/d", "2025-99-01T00:00:00Z"]) expect(resolveTime(text, NOW, "utc"), text).toBeNull();
});

it("falls back from a range that cannot be read or runs backwards", () => {
  const fallback = { from: "now-1d", to: "now" };
  expect(resolveRange({ from: "junk", to: "now" }, NOW, "utc", fallback)).toEqual({ from: NOW - DAY, to: NOW });
  expect(resolveRange({ from: "now", to: "now-1d" }, NOW, "utc", fallback)).toEqual({ from: NOW - DAY, to: NOW });
});

it("labels ranges", () => {
  expect(rangeLabel({ from: "now-7d", to: "now" }, NOW, "utc")).toBe("Past 7 days");
  expect(rangeLabel({ from: "now-3M", to: "now" }, NOW, "utc")).toBe("Past 3 months");
  expect(rangeLabel({ from: utc(2026, 0, 1), to: utc(2026, 0, 1, 6) }, NOW, "utc")).toBe("Jan 1, 00:00 – 06:00");
  expect(rangeLabel({ from: utc(2025, 11, 31), to: utc(2026, 0, 1) }, NOW, "utc")).toBe("Dec 31 2025, 00:00 – Jan 1, 00:00");
});

it("formats", () => {
  expect(formatTime(NOW, "utc")).toBe("2026-03-18 14:30:15");
  expect(formatCell(NOW + 7, "utc")).toBe("Mar 18 14:30:15.007");
  expect(formatRelative(NOW - 90_000, NOW)).toBe("1m ago");
  expect(formatRelative(NOW + 7_200_000, NOW)).toBe("in 2h");
  expect(formatDuration(59_400)).toBe("59s");
});

it("keeps what a date field holds, in both zones", () => {
  for (const zone of ["utc", "local"] as const) expect(fromInputValue(toInputValue(NOW, zone), zone)).toBe(NOW);
});
