import { Select, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { SEVERITIES, SEVERITY_WORDS, type Severity } from "@/lib/severity";
import { useEditor, useField } from "../editor";
import classes from "./form.module.css";
import { RowEnd } from "./RowEnd";

export const SEVERITY_OPTIONS = SEVERITIES.map((severity) => ({ value: severity, label: SEVERITY_WORDS[severity] }));

interface Props {
  target: string;
  number: string;
  severity: Severity;
  name: string;
  /** What decides that this case holds. */
  children?: ReactNode;
  /** Beside the name. */
  aside?: ReactNode;
  onSeverity: (severity: Severity) => void;
  onName: (name: string) => void;
  onUp?: () => void;
  onRemove?: () => void;
}

/** One case on one line: how severe, when, its name, and its place among the others. */
export function CaseRow({ target, number, severity, name, children, aside, onSeverity, onName, onUp, onRemove }: Props) {
  const { fixed, readOnly } = useEditor();
  const field = useField();
  return (
    <div className={classes.row}>
      <Select size="xs" aria-label={`Severity of case ${number}`} w={110} data={SEVERITY_OPTIONS} allowDeselect={false} disabled={readOnly} value={severity} {...field(`${target}.status`)} onChange={(status) => status && onSeverity(status as Severity)} />
      {children}
      <TextInput size="xs" aria-label={`Name of case ${number}`} placeholder="Name, optional" className={children === undefined ? classes.grow : classes.caseName} disabled={fixed} value={name} {...field(`${target}.name`)} onChange={(event) => onName(event.currentTarget.value)} />
      {aside}
      {!fixed && <RowEnd what={`case ${number}`} onUp={onUp} onRemove={onRemove} />}
    </div>
  );
}
