import { Button, Popover, TextInput, UnstyledButton } from "@mantine/core";
import { useState, type SyntheticEvent } from "react";
import { Icon } from "@/components/icons";
import { useNow } from "@/components/useNow";
import { useZone } from "@/components/zone";
import { fromInputValue, parseRangeText, PRESETS, rangeLabel, toInputValue, type Range, type Resolved } from "@/lib/time";
import classes from "./TimeRange.module.css";

interface Props {
  range: Range;
  resolved: Resolved;
  onChange: (range: Range) => void;
}

/** Presets, typed text and two dates. */
export function TimeRange({ range, resolved, onChange }: Props) {
  const [opened, setOpened] = useState(false);
  const { zone } = useZone();
  const now = useNow();
  const choose = (next: Range) => {
    setOpened(false);
    onChange(next);
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton className={classes.button} onClick={() => setOpened(!opened)} aria-haspopup="dialog" aria-expanded={opened} aria-label={`Time range: ${rangeLabel(range, now, zone)}`}>
          <Icon name="clock" />
          <span className="truncate">{rangeLabel(range, now, zone)}</span>
          <Icon name="chevronDown" size={12} />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown p={0} aria-label="Choose a time range">
        {opened && <Chooser range={range} resolved={resolved} onChoose={choose} />}
      </Popover.Dropdown>
    </Popover>
  );
}

function Chooser({ range, resolved, onChoose }: { range: Range; resolved: Resolved; onChoose: (range: Range) => void }) {
  const { zone } = useZone();
  const now = useNow();
  const [text, setText] = useState("");
  const [from, setFrom] = useState(toInputValue(resolved.from, zone));
  const [to, setTo] = useState(toInputValue(resolved.to, zone));
  const parsed = parseRangeText(text, now, zone);
  const start = fromInputValue(from, zone);
  const end = fromInputValue(to, zone);
  const valid = start !== null && end !== null && start < end;

  const submitText = (event: SyntheticEvent) => {
    event.preventDefault();
    if (parsed) onChoose(parsed);
  };
  const submitDates = (event: SyntheticEvent) => {
    event.preventDefault();
    if (valid) onChoose({ from: String(start), to: String(end) });
  };
  return (
    <div className={classes.chooser}>
      <form onSubmit={submitText}>
        <TextInput
          data-autofocus
          label="Any time"
          placeholder="45m, 3 days, yesterday, Jan 1 - Jan 3"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          error={text !== "" && !parsed ? "Try 45m, past 3 days, today, last month, or two dates with - between" : undefined}
          description={parsed ? `${rangeLabel(parsed, now, zone)} · Enter to apply` : undefined}
          inputWrapperOrder={["label", "input", "description", "error"]}
          size="xs"
        />
      </form>
      <ul className={classes.presets} aria-label="Presets">
        {PRESETS.map((preset) => (
          <li key={preset.text}>
            <UnstyledButton
              className={classes.preset}
              aria-pressed={preset.range.from === range.from && preset.range.to === range.to}
              onClick={() => onChoose(preset.range)}
            >
              {preset.label}
              <kbd>{preset.text}</kbd>
            </UnstyledButton>
          </li>
        ))}
      </ul>
      <form onSubmit={submitDates} className={classes.dates}>
        <TextInput size="xs" label={`From (${zone === "utc" ? "UTC" : "local"})`} type="datetime-local" step={1} value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
        <TextInput
          size="xs"
          label="To"
          type="datetime-local"
          step={1}
          value={to}
          onChange={(event) => setTo(event.currentTarget.value)}
          error={start !== null && end !== null && start >= end ? "The end is before the start" : undefined}
        />
        <Button type="submit" disabled={!valid} fullWidth>
          Apply
        </Button>
      </form>
    </div>
  );
}
