import { Select, type SelectProps } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useEffectEvent, useState } from "react";

const PAUSE_MS = 200;

export interface Choice {
  value: string;
  label: string;
}

interface Props extends Omit<SelectProps, "data" | "value" | "onChange" | "searchable" | "searchValue" | "onSearchChange" | "filter"> {
  value: string | null;
  /** What the value is called; undefined until it is known. */
  name: string | undefined;
  /** What the server has found. */
  found: readonly Choice[];
  isSearching: boolean;
  /** Where nothing is found. */
  nothing: string;
  onSearch: (text: string) => void;
  onChange: (value: string | null) => void;
}

/** One of many that the server searches, by what is typed; what is chosen shows its name. */
export function FoundSelect({ value, name, found, isSearching, nothing, onSearch, onChange, placeholder, ...props }: Props) {
  const [typed, setTyped] = useState("");
  const [picked, setPicked] = useState<Choice | null>(null);
  const label = name ?? (picked?.value === value ? picked.label : undefined);
  const [settled] = useDebouncedValue(typed.trim(), PAUSE_MS);
  // The name of what is chosen is not what somebody searches for.
  const wanted = settled === label ? "" : settled;
  const search = useEffectEvent(onSearch);
  useEffect(() => search(wanted), [wanted]);
  const isUnknown = value !== null && label === undefined;
  return (
    <Select
      size="xs"
      {...props}
      searchable
      // A name that comes late would take the place of what is typed until then.
      readOnly={isUnknown || props.readOnly}
      placeholder={isUnknown ? "…" : placeholder}
      data={[...(value !== null && label !== undefined ? [{ value, label }] : []), ...found.filter((choice) => choice.value !== value)]}
      value={isUnknown ? null : value}
      searchValue={typed}
      onSearchChange={setTyped}
      filter={({ options }) => options}
      nothingFoundMessage={isSearching ? "Searching …" : nothing}
      onChange={(next, option) => {
        if (option) setPicked({ value: option.value, label: option.label });
        onChange(next);
      }}
    />
  );
}
