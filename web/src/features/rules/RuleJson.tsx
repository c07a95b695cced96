import { Textarea } from "@mantine/core";
import { useState } from "react";
import { CopyJson } from "@/components/JsonView";
import type { RuleDraft } from "./ruleDraft";
import classes from "./rules.module.css";

/** Every member of the rule as JSON; what is well-formed is at once what the form shows. */
export function RuleJson({ draft, readOnly, onChange }: { draft: RuleDraft; readOnly: boolean; onChange: (draft: RuleDraft) => void }) {
  const [text, setText] = useState(() => JSON.stringify(draft, null, 2));
  const [fault, setFault] = useState<string | null>(null);
  const change = (next: string) => {
    setText(next);
    try {
      const parsed: unknown = JSON.parse(next);
      const fault = shapeFault(parsed);
      setFault(fault);
      if (fault === null) onChange(parsed as RuleDraft);
    } catch (error) {
      setFault(error instanceof Error ? error.message : "This is not JSON");
    }
  };
  return (
    <div className={classes.json}>
      <div className={classes.jsonHead}>
        <span className={classes.dim}>All members, in the shape of the API.</span>
        <CopyJson value={draft} />
      </div>
      <Textarea aria-label="Rule as JSON" autosize minRows={20} classNames={{ input: classes.mono }} readOnly={readOnly} spellCheck={false} value={text} error={fault} onChange={(event) => change(event.currentTarget.value)} />
    </div>
  );
}

/** What the form relies on; the rest is the server's to judge. */
function shapeFault(value: unknown): string | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "A rule is an object";
  const rule = value as Record<string, unknown>;
  for (const name of ["queries", "cases", "tags"]) if (!Array.isArray(rule[name])) return `“${name}” must be a list`;
  for (const name of ["name", "message"]) if (typeof rule[name] !== "string") return `“${name}” must be a text`;
  if (typeof rule.options !== "object" || rule.options === null) return "“options” must be an object";
  return null;
}
