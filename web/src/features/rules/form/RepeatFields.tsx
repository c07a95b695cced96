import { MultiSelect, NumberInput, Select } from "@mantine/core";
import { clock, isWithinADay, LAST_DAY, repeatEvery, UNITS, WEEKDAYS, writeRepeat, type Repeat, type Unit, type Weekday } from "../recurrence";

const TEXT = "text";
const REPEATS = [...(Object.entries(UNITS) as [Unit, string][]).map(([value, noun]) => ({ value: value as string, label: `By the ${noun}` })), { value: TEXT, label: "As an RRULE says" }];
const DAYS = (Object.entries(WEEKDAYS) as [Weekday, string][]).map(([value, label]) => ({ value, label }));
const MONTH_DAYS = [...Array.from({ length: 31 }, (_, index) => index + 1), LAST_DAY].map((day) => ({ value: String(day), label: day === LAST_DAY ? "the last" : String(day) }));
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

interface Props {
  /** Null where only the RRULE says it. */
  repeat: Repeat | null;
  start: string;
  disabled: boolean;
  error: string | undefined;
  onText: () => void;
  onChange: (rrule: string) => void;
}

/** How often a rule runs: the unit, every how many, and the days, hours and minute within it. */
export function RepeatFields({ repeat, start, disabled, error, onText, onChange }: Props) {
  const choose = (next: string | null) => {
    if (next === TEXT) onText();
    else if (next) onChange(writeRepeat(changedTo(repeat, next as Unit)));
  };
  const set = (change: Partial<Repeat>) => repeat && onChange(writeRepeat({ ...repeat, ...change }));
  const began = new Date(`${start.slice(0, 19)}Z`);
  const minute = repeat?.minute ?? began.getUTCMinutes();
  const isLong = repeat !== null && !isWithinADay(repeat.unit);
  return (
    <>
      <Select size="xs" label="Repeats" description="How its times are counted" allowDeselect={false} disabled={disabled} data={REPEATS} value={repeat?.unit ?? TEXT} onChange={choose} />
      {repeat && <NumberInput size="xs" label="Every" description={`How many ${UNITS[repeat.unit]}s`} min={repeat.unit === "MINUTELY" ? 5 : 1} max={999_999} allowDecimal={false} allowNegative={false} clampBehavior="none" disabled={disabled} value={repeat.interval ?? ""} error={error} data-target="schedulingOptions.rrule" onChange={(next) => set({ interval: next === "" ? null : Math.max(1, Number(next)) })} />}
      {repeat?.unit === "WEEKLY" && <MultiSelect size="xs" label="On" description="None: as the start" searchable disabled={disabled} data={DAYS} value={repeat.days} onChange={(days) => set({ days: DAYS.map(({ value }) => value).filter((day) => days.includes(day)) })} />}
      {repeat?.unit === "MONTHLY" && <Select size="xs" label="On day" description="Shorter months are left out" disabled={disabled} data={MONTH_DAYS} placeholder={String(began.getUTCDate())} clearable value={repeat.monthDay === null ? null : String(repeat.monthDay)} onChange={(day) => set({ monthDay: day === null ? null : Number(day) })} />}
      {isLong && <MultiSelect size="xs" label="At" description={repeat.hours.length > 0 ? "Hours of the day" : `None: as the start, ${start.slice(11, 16)}`} searchable disabled={disabled} data={HOURS.map((hour) => ({ value: String(hour), label: clock(hour, minute) }))} value={repeat.hours.map(String)} onChange={(hours) => set({ hours: HOURS.filter((hour) => hours.includes(String(hour))), minute: hours.length > 0 ? minute : null })} />}
      {(repeat?.unit === "HOURLY" || (isLong && repeat.hours.length > 0)) && <NumberInput size="xs" label="Minute" description="Past the hour" min={0} max={59} clampBehavior="strict" allowDecimal={false} allowNegative={false} disabled={disabled} placeholder={String(began.getUTCMinutes())} value={repeat.minute ?? ""} onChange={(next) => set({ minute: next === "" ? null : Number(next) })} />}
    </>
  );
}

/** Another unit; the hours go with it where it has any. */
function changedTo(before: Repeat | null, unit: Unit): Repeat {
  const next = repeatEvery(unit);
  return before && !isWithinADay(unit) && !isWithinADay(before.unit) ? { ...next, hours: before.hours, minute: before.minute } : next;
}

