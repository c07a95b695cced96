import { Input } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { checkQuery } from "@/api/explore";
import type { Hint, Track } from "@/api/types";
import { LazyQueryEditor } from "./explorer/LazyQueryEditor";
import classes from "./QueryField.module.css";

/** Characters that surely fit, for browsers that do not size a field by its content. */
const LINE = 70;
const NO_HINTS: Hint[] = [];

interface Props {
  track: Track;
  label: string;
  /** It is still what the field is called, in a row whose head says it. */
  hideLabel?: boolean;
  description?: ReactNode;
  placeholder: string;
  value: string;
  /** What the server says of the field as a whole. */
  error?: string;
  disabled?: boolean;
  /** What completion counts in, as ISO times. */
  from: string;
  to: string;
  onChange: (query: string) => void;
}

/** A query in a form: completion, colours, and errors at the character while it is typed. */
export function QueryField({ track, label, hideLabel = false, description, placeholder, value, error, disabled = false, from, to, onChange }: Props) {
  const [settled] = useDebouncedValue(value, 250);
  const check = useQuery({ ...checkQuery(track, settled), enabled: !disabled && settled.trim() !== "" && settled === value });
  const verdict = settled === value && value.trim() !== "" ? check.data : undefined;
  const fault = verdict?.fault ?? null;
  const hint = verdict?.hints[0];
  const fix = fault?.fix ?? hint?.fix;
  const shown = fault ? `${fault.message} (at character ${String(fault.start + 1)})` : error;
  return (
    <Input.Wrapper size="xs" label={hideLabel ? undefined : label} labelElement="div" description={description} error={shown} inputWrapperOrder={["label", "description", "input", "error"]}>
      <div className={classes.box} data-invalid={shown ? true : undefined}>
        {disabled ? (
          <textarea className={`${classes.plain ?? ""} ${classes.whole ?? ""}`} aria-label={label} readOnly rows={Math.ceil((value.length || 1) / LINE)} value={value} placeholder="–" />
        ) : (
          <LazyQueryEditor plainClass={classes.plain} track={track} label={label} placeholder={placeholder} value={value} from={from} to={to} fault={fault} hints={verdict?.hints ?? NO_HINTS} onChange={onChange} onSubmit={onChange} />
        )}
      </div>
      {!shown && hint && <Input.Description mt={4}>{hint.message}</Input.Description>}
      {fix && !disabled && (
        <button type="button" className={`link ${classes.fix ?? ""}`} onClick={() => onChange(fix)}>
          Use <code>{fix}</code>
        </button>
      )}
    </Input.Wrapper>
  );
}
