import { describe, expect, it } from "vitest";
import { readRepeat, repeatEvery, scheduleOf, sentenceOf, UNITS, writeRepeat, type Unit } from "@/features/rules/recurrence";

const START = "2030-01-31T09:15:00"; // a Thursday
const schedule = (rrule: string, timezone = "Europe/Paris") => ({ rrule, start: START, timezone });

describe("the sentence of a schedule", () => {
  it.each([
    ["FREQ=MINUTELY;INTERVAL=5", "Every 5 minutes"],
    ["FREQ=HOURLY;INTERVAL=1", "Every hour"],
    ["rrule:freq=hourly;interval=2;", "Every 2 hours"],
    ["FREQ=DAILY;BYHOUR=18,6;BYMINUTE=0", "Every day at 06:00 and 18:00"],
    ["FREQ=DAILY;BYHOUR=6", "Every day at 06:15"],
    ["FREQ=DAILY", "Every day at 09:15"],
    ["FREQ=DAILY;BYDAY=MO,TU,WE", "Every Monday, Tuesday and Wednesday at 09:15"],
    ["FREQ=WEEKLY", "Every Thursday at 09:15"],
    ["FREQ=WEEKLY;INTERVAL=2;BYDAY=FR,MO;BYHOUR=9;BYMINUTE=0", "Every 2 weeks on Monday and Friday at 09:00"],
    ["FREQ=MONTHLY", "Every month on day 31 at 09:15"],
    ["FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1;BYHOUR=0;BYMINUTE=30", "Every 3 months on the last day at 00:30"],
    ["FREQ=HOURLY;BYMINUTE=5", "Every hour at minute 5"],
  ])("%s is %s", (rrule, sentence) => {
    expect(sentenceOf(schedule(rrule))).toBe(`${sentence}, Europe/Paris time`);
    expect(sentenceOf(schedule(rrule, "UTC"))).toBe(`${sentence}, UTC`);
  });

  it.each(["", "FREQ", "FREQ=YEARLY", "FREQ=DAILY;COUNT=3", "FREQ=DAILY;UNTIL=20310101", "FREQ=HOURLY;BYHOUR=9", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=DAILY;INTERVAL=2;BYDAY=MO", "FREQ=DAILY;BYMINUTE=5", "FREQ=DAILY;BYHOUR=24", "FREQ=DAILY;BYHOUR=x", "FREQ=MONTHLY;BYMONTHDAY=-2", "FREQ=MONTHLY;BYMONTHDAY=1,15", "FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=DAILY;BYHOUR=6;BYMINUTE=0,30", "FREQ=DAILY=1", "FREQ=DAILY;BYHOUR=", "FREQ=DAILY;INTERVAL=0"])("leaves %s to the server", (rrule) => {
    expect(readRepeat(rrule)).toBeNull();
    expect(sentenceOf(schedule(rrule))).toBeNull();
  });
});

describe("the form of a schedule", () => {
  it.each(["FREQ=MINUTELY;INTERVAL=30", "FREQ=HOURLY", "FREQ=DAILY;INTERVAL=3", "FREQ=DAILY;BYHOUR=6,18;BYMINUTE=30", "FREQ=DAILY;BYHOUR=6", "FREQ=HOURLY;INTERVAL=2;BYMINUTE=15", "FREQ=DAILY;INTERVAL=", "FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9;BYMINUTE=5", "FREQ=MONTHLY;BYMONTHDAY=15", "FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=0;BYMINUTE=0"])("writes %s as it reads it", (rrule) => {
    const repeat = readRepeat(rrule);
    expect(repeat && writeRepeat(repeat)).toBe(rrule);
  });

  it.each(Object.keys(UNITS) as Unit[])("begins by %s with what it can read", (unit) => expect(readRepeat(writeRepeat(repeatEvery(unit)))).toEqual(repeatEvery(unit)));

  it("drops what another unit has no use for", () => expect(writeRepeat({ unit: "HOURLY", interval: 2, days: ["MO"], monthDay: 3, hours: [6], minute: null })).toBe("FREQ=HOURLY;INTERVAL=2"));

  it("takes an empty object for no schedule", () => {
    for (const none of [undefined, null, {}, { rrule: null }]) expect(scheduleOf(none)).toBeNull();
    expect(scheduleOf({ rrule: "FREQ=DAILY" })).toEqual({ rrule: "FREQ=DAILY", start: "", timezone: "" });
  });
});
