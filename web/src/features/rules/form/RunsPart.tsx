import { SegmentedControl, Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { nextRunsQuery } from "@/api/schedule";
import { useNow } from "@/components/useNow";
import { useZone } from "@/components/zone";
import { toInputValue } from "@/lib/time";
import { durationLabel } from "../durations";
import { useEditor, useField } from "../editor";
import { methodOf, WINDOWLESS } from "../methods";
import { NextRuns } from "../NextRuns";
import { readByAll } from "../preview";
import { newSchedule, readRepeat, scheduleOf, sentenceOf, type Schedule } from "../recurrence";
import { hasRuns, live } from "../scheduling";
import classes from "./form.module.css";
import { Fault, Part } from "./Part";
import { RepeatFields } from "./RepeatFields";

const SETTLE_MS = 300;
const LIVE = "live";

/** Whether the rule looks at logs as they come in, or at stored ones at its times (siem.md §2.22). */
export function RunsPart() {
  const { draft, edit, replace, fixed } = useEditor();
  const field = useField();
  const now = useNow();
  const { zone } = useZone();
  const schedule = scheduleOf(draft.schedulingOptions);
  const noun = `${readByAll(draft)}s`;
  // Switched off and on again, a schedule is what it was.
  const [last, setLast] = useState<Schedule | null>(schedule);
  if (!hasRuns(draft) || (fixed && !schedule)) return null;
  const write = (schedulingOptions: Schedule) => {
    setLast(schedulingOptions);
    edit({ schedulingOptions });
  };
  const choose = (kind: string) => {
    if (kind === LIVE) replace(live(draft));
    else write(last ?? newSchedule(toInputValue(now, zone).slice(0, 10), zone === "utc" ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone));
  };
  return (
    <Part title="Runs" target="schedulingOptions">
      <SegmentedControl
        size="xs"
        aria-label={`When the rule looks at ${noun}`}
        className={classes.narrow}
        disabled={fixed}
        data={[
          { value: LIVE, label: `As ${noun} come in` },
          { value: "scheduled", label: "On a schedule" },
        ]}
        value={schedule ? "scheduled" : LIVE}
        onChange={choose}
      />
      <Fault>{field("schedulingOptions").error}</Fault>
      {schedule && (
        <>
          <Times schedule={schedule} write={write} />
          <Meaning schedule={schedule} />
        </>
      )}
    </Part>
  );
}

function Times({ schedule, write }: { schedule: Schedule; write: (schedule: Schedule) => void }) {
  const { fixed } = useEditor();
  const field = useField();
  const { rrule, start, timezone } = schedule;
  const repeat = readRepeat(rrule);
  const [isText, setText] = useState(repeat === null);
  const set = (change: Partial<Schedule>) => write({ ...schedule, ...change });
  return (
    <div className={classes.fields}>
      <RepeatFields
        repeat={isText ? null : repeat}
        start={start}
        disabled={fixed}
        error={field("schedulingOptions.rrule").error}
        onText={() => setText(true)}
        onChange={(next) => {
          setText(false);
          set({ rrule: next });
        }}
      />
      {(isText || repeat === null) && (
        <TextInput size="xs" label="RRULE" description="An iCalendar rule, at least 5 minutes apart" placeholder="FREQ=MONTHLY;BYDAY=1MO" classNames={{ input: classes.mono ?? "" }} disabled={fixed} value={rrule} {...field("schedulingOptions.rrule")} onChange={(event) => set({ rrule: event.currentTarget.value })} />
      )}
      <TextInput size="xs" type="datetime-local" step={1} label="From" description="In the time zone beside it" disabled={fixed} value={start.slice(0, 19)} {...field("schedulingOptions.start")} onChange={(event) => set({ start: withSeconds(event.currentTarget.value) })} />
      <Select size="xs" label="Time zone" description="Hours stay what they are when clocks change" searchable limit={60} data={zonesWith(timezone)} allowDeselect={false} disabled={fixed} value={timezone || null} {...field("schedulingOptions.timezone")} onChange={(next) => next !== null && set({ timezone: next })} />
    </div>
  );
}

/** The schedule as a sentence, its next times, and which logs a run looks at. */
function Meaning({ schedule }: { schedule: Schedule }) {
  const { draft } = useEditor();
  const [settled] = useDebouncedValue(JSON.stringify(schedule), SETTLE_MS);
  const next = useQuery(nextRunsQuery(JSON.parse(settled) as Schedule));
  const window = draft.options.evaluationWindow ?? 0;
  const noun = `${readByAll(draft)}s`;
  const hasWindow = window > 0 && !WINDOWLESS.includes(methodOf(draft));
  const sentence = sentenceOf(schedule);
  return (
    <div className={classes.meaning} role="status">
      <p>
        {sentence && <strong>{sentence}. </strong>}
        <span className={classes.dim}>A run looks at the {noun} since the run before it{hasWindow && `, and ${durationLabel(window)} further back, the evaluation window`}. It begins two minutes after its time, for {noun} that are on their way.</span>
      </p>
      {settled === JSON.stringify(schedule) && next.data && <NextRuns times={next.data} />}
    </div>
  );
}

const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((name) => name !== "UTC")];
const zonesWith = (name: string): string[] => (name === "" || ZONES.includes(name) ? ZONES : [name, ...ZONES]);

/** Browsers leave out seconds that are none. */
const withSeconds = (text: string): string => (text.length === 16 ? `${text}:00` : text);
