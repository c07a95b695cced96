import { Checkbox, NumberInput, Select } from "@mantine/core";
import { useEditor, useField } from "../editor";
import { object } from "../ruleDraft";
import { durationLabel } from "../durations";

/** Inputs about members of one object of the rule's options, such as `newValueOptions`. */
export function useOptions<T extends object>(name: string) {
  const { draft, edit, readOnly } = useEditor();
  const field = useField();
  const value = object<T>(draft.options[name]);
  const change = (next: Partial<T>) => edit({ options: { ...draft.options, [name]: { ...value, ...next } } });
  return { value, change, readOnly, field: (member: string) => field(`options.${name}.${member}`) };
}

interface ChoiceProps {
  label: string;
  description?: string;
  unit?: "s" | "h";
  choices: readonly number[];
  value: number | undefined;
  placeholder?: string;
  disabled: boolean;
  error?: string;
  onChange: (value: number) => void;
  "data-target"?: string;
}

/** One of the times that the product knows. */
export function TimeChoice({ choices, unit = "s", value, onChange, ...props }: ChoiceProps) {
  const factor = unit === "h" ? 3600 : 1;
  const known = value === undefined || choices.includes(value) ? choices : [...choices, value];
  return <Select size="xs" data={known.map((each) => ({ value: String(each), label: durationLabel(each * factor) }))} value={value === undefined ? null : String(value)} allowDeselect={false} onChange={(next) => next !== null && onChange(Number(next))} {...props} />;
}

interface CountProps {
  label: string;
  description?: string;
  suffix?: string;
  min: number;
  max?: number;
  value: number | undefined;
  placeholder?: string;
  disabled: boolean;
  error?: string;
  onChange: (value: number | undefined) => void;
  "data-target"?: string;
}

/** A whole number in its bounds; empty leaves it to the default. */
export function CountInput({ value, onChange, suffix, ...props }: CountProps) {
  return <NumberInput size="xs" allowDecimal={false} clampBehavior="none" suffix={suffix} value={value ?? ""} onChange={(next) => onChange(next === "" || next === "-" ? undefined : Number(next))} {...props} />;
}

export function Switchable({ label, description, checked, disabled, onChange }: { label: string; description?: string; checked: boolean; disabled: boolean; onChange: (checked: boolean) => void }) {
  return <Checkbox size="xs" label={label} description={description} checked={checked} disabled={disabled} onChange={(event) => onChange(event.currentTarget.checked)} />;
}
