import { Autocomplete, TagsInput } from "@mantine/core";
import { useState } from "react";
import type { Track } from "@/api/types";
import { useField } from "../editor";
import classes from "./form.module.css";
import { useFieldNames } from "./useFieldNames";

interface Props {
  label: string;
  description?: string;
  placeholder?: string;
  target: string;
  value: string[];
  onChange: (fields: string[]) => void;
  disabled?: boolean;
  maxTags?: number;
  track?: Track;
}

/** Attributes and tags by name, completed from what the events of the range have. */
export function FieldsInput({ label, description, placeholder, target, value, onChange, disabled = false, maxTags, track = "logs" }: Props) {
  const field = useField();
  const [typed, setTyped] = useState("");
  const [open, setOpen] = useState(false);
  const options = useFieldNames(typed, track, open && !disabled);
  return (
    <TagsInput
      size="xs"
      label={label}
      description={description}
      placeholder={value.length === 0 ? placeholder : undefined}
      data={options.filter((name) => !value.includes(name))}
      searchValue={typed}
      onSearchChange={setTyped}
      onDropdownOpen={() => setOpen(true)}
      onDropdownClose={() => setOpen(false)}
      maxDropdownHeight={240}
      disabled={disabled}
      maxTags={maxTags}
      splitChars={[",", " "]}
      value={value}
      onChange={onChange}
      {...field(target)}
    />
  );
}

/** One of them, in a row whose head says what it is. */
export function FieldInput({ label, placeholder, target, value, onChange, disabled }: { label: string; placeholder: string; target: string; value: string; onChange: (field: string) => void; disabled: boolean }) {
  const field = useField();
  const [open, setOpen] = useState(false);
  const options = useFieldNames(value, "logs", open && !disabled);
  return <Autocomplete size="xs" aria-label={label} placeholder={placeholder} classNames={{ input: classes.mono ?? "" }} data={options} maxDropdownHeight={240} disabled={disabled} value={value} onChange={onChange} onDropdownOpen={() => setOpen(true)} onDropdownClose={() => setOpen(false)} {...field(target)} />;
}
