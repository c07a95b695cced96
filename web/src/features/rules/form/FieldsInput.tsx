import { TagsInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { complete } from "@/api/explore";
import { useMay } from "@/api/session";
import type { Track } from "@/api/types";
import { useNow } from "@/components/useNow";
import { resolveTime } from "@/lib/time";
import { useEditor, useField } from "../editor";

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

function useFieldNames(typed: string, track: Track, enabled: boolean): string[] {
  const may = useMay(track === "logs" ? "logs_read_data" : "security_monitoring_signals_read");
  const { range } = useEditor();
  const now = useNow();
  const [settled] = useDebouncedValue(typed, 150);
  const found = useQuery({
    queryKey: ["field-names", track, settled, range],
    queryFn: () => complete(track, settled, settled.length, new Date(resolveTime(range.from, now, "utc") ?? now - 86_400_000).toISOString(), new Date(resolveTime(range.to, now, "utc") ?? now).toISOString()),
    enabled: enabled && may,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: false,
  });
  return useMemo(() => [...new Set((found.data?.data.kind === "field" ? found.data.data.options : []).map((option) => option.insert.replace(/:$/, "")))], [found.data]);
}
