import type { SelectProps } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ruleChoicesQuery, ruleQuery } from "@/api/rules";
import type { Rule } from "@/api/types";
import { FoundSelect } from "./FoundSelect";

interface Props extends Pick<SelectProps, "label" | "description" | "disabled" | "error" | "openOnFocus"> {
  /** Empty: none. */
  value: string;
  onChange: (id: string) => void;
  "data-target"?: string;
  "data-autofocus"?: boolean;
}

/** A rule, found by what it is called, its tags or its id. */
export function RuleSelect({ value, error, onChange, ...props }: Props) {
  const [text, setText] = useState("");
  const chosen = useQuery({ ...ruleQuery(value), enabled: value !== "", retry: false });
  const found = useQuery(ruleChoicesQuery(text));
  return (
    <FoundSelect
      {...props}
      placeholder="Name, tag or id of a rule"
      allowDeselect={false}
      maxDropdownHeight={280}
      value={value === "" ? null : value}
      name={chosen.data ? nameOf(chosen.data) : chosen.error ? value : undefined}
      error={error ?? chosen.error?.message}
      found={(found.data ?? []).map((rule) => ({ value: rule.id, label: nameOf(rule) }))}
      isSearching={found.isFetching}
      nothing="No rule is found by this"
      onSearch={setText}
      onChange={(id) => id !== null && onChange(id)}
    />
  );
}

const nameOf = (rule: Rule): string => rule.customName || rule.name;
