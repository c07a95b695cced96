import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ruleChoicesQuery, ruleQuery } from "@/api/rules";
import type { Rule } from "@/api/types";
import { useField } from "../editor";

/** Another rule, found by what it is called, its tags or its id. */
export function RuleChoice({ label, target, value, disabled, onChange }: { label: string; target: string; value: string; disabled: boolean; onChange: (id: string) => void }) {
  const field = useField();
  const [typed, setTyped] = useState("");
  const [settled] = useDebouncedValue(typed, 200);
  const chosen = useQuery({ ...ruleQuery(value), enabled: value !== "", retry: false });
  const shown = nameOf(chosen.data);
  // The name of what is chosen is not what somebody searches for.
  const found = useQuery(ruleChoicesQuery(settled === shown ? "" : settled));
  const options = [...(chosen.data ? [chosen.data] : []), ...(found.data ?? []).filter((rule) => rule.id !== value)].map((rule) => ({ value: rule.id, label: nameOf(rule) }));
  if (value !== "" && !chosen.data) options.unshift({ value, label: value });
  return (
    <Select
      size="xs"
      label={label}
      description="Suppressed ones do not count"
      placeholder="Name, tag or id of a rule"
      data={options}
      value={value === "" ? null : value}
      searchable
      searchValue={typed}
      onSearchChange={setTyped}
      filter={({ options: all }) => all}
      nothingFoundMessage={found.isFetching ? "…" : "No rule is found by this"}
      maxDropdownHeight={280}
      disabled={disabled}
      {...field(target)}
      onChange={(id) => id !== null && onChange(id)}
    />
  );
}

const nameOf = (rule: Rule | undefined): string => (rule ? (rule.customName ?? rule.name) : "");
