import { ActionIcon, Button, SegmentedControl, TextInput } from "@mantine/core";
import { useState } from "react";
import type { RuleCase } from "@/api/types";
import { Icon } from "@/components/icons";
import type { Severity } from "@/lib/severity";
import { useEditor, useField } from "../editor";
import { methodOf, SINGLE_CASE } from "../methods";
import { emptyCase, list, moveUp, queryLabel, removeAt, replaceAt, text } from "../ruleDraft";
import classes from "./form.module.css";
import { joinStages, stagesOf } from "../stages";
import { CaseRow } from "./CaseRow";
import { AddItem, Fault, Part } from "./Part";
import { CaseRecipients } from "./Recipients";

const MAX_CASES = 10;

/** Which severity a signal has, and who is told. */
export function CasesPart() {
  const { draft, edit, fixed } = useEditor();
  const field = useField();
  const method = methodOf(draft);
  const isSingle = SINGLE_CASE.includes(method) || method === "sequence_detection";
  const mayFollow = (method === "threshold" || method === "signal_correlation") && draft.queries.length > 1;
  const stages = stagesOf(draft.cases[0]?.condition ?? "");
  const isThen = mayFollow && draft.cases.length === 1 && stages.length > 1;
  const labels = draft.queries.map(queryLabel);
  const setThen = (wanted: boolean) => {
    const first = draft.cases[0] ?? emptyCase();
    const condition = wanted ? joinStages(labels.map((label) => `${label} > 0`)) : stages.join(" && ");
    edit({ cases: [{ ...first, condition }] });
  };
  return (
    <Part
      title={isSingle ? "Severity" : "Cases"}
      target="cases"
      aside={
        !fixed &&
        !isSingle &&
        !isThen &&
        draft.cases.length < MAX_CASES && <AddItem onClick={() => edit({ cases: [...draft.cases, emptyCase()] })}>Add a case</AddItem>
      }
    >
      {mayFollow && (
        <SegmentedControl
          size="xs"
          aria-label="How the queries go together"
          className={classes.narrow}
          disabled={fixed}
          data={[
            { value: "any", label: "In any order" },
            { value: "then", label: "One after the other" },
          ]}
          value={isThen ? "then" : "any"}
          onChange={(value) => setThen(value === "then")}
        />
      )}
      <p className={classes.dim}>{explanation(method, labels, isThen)}</p>
      <Fault>{field("cases").error}</Fault>
      {draft.cases.map((each, index) => (
        <Case
          key={index}
          each={each}
          index={index}
          hasCondition={!SINGLE_CASE.includes(method)}
          stages={isThen ? stages : null}
          onChange={(change) => edit({ cases: replaceAt(draft.cases, index, change) })}
          onUp={index > 0 ? () => edit({ cases: moveUp(draft.cases, index) }) : undefined}
          onRemove={draft.cases.length > 1 ? () => edit({ cases: removeAt(draft.cases, index) }) : undefined}
        />
      ))}
    </Part>
  );
}

function explanation(method: string, labels: string[], isThen: boolean): string {
  if (SINGLE_CASE.includes(method)) return "Each signal of this method has the one severity.";
  if (method === "sequence_detection") return "The condition names the last step: the signal is raised when it completes.";
  if (method === "anomaly_detection") return `The number is a percentile of what is usual: ${labels[0] ?? "a"} > 0.995 stands for the highest 0.5 % of it.`;
  if (method === "content_anomaly") return `Counts the unusual logs of the window, by query: ${labels.join(", ")}.`;
  if (isThen) return "Each condition becomes true after the one above it, within the evaluation window, for the same group.";
  return `The first case whose condition holds decides. Conditions speak of the queries by name: ${labels.join(", ")}. Several are joined on equal group values.`;
}

interface CaseProps {
  each: RuleCase;
  index: number;
  hasCondition: boolean;
  /** The conditions that follow one another; null where the condition is one. */
  stages: string[] | null;
  onChange: (change: Partial<RuleCase>) => void;
  onUp: (() => void) | undefined;
  onRemove: (() => void) | undefined;
}

function Case({ each, index, hasCondition, stages, onChange, onUp, onRemove }: CaseProps) {
  const { fixed, isDefault } = useEditor();
  const field = useField();
  const target = `cases[${String(index)}]`;
  const number = String(index + 1);
  const count = list<string>(each.notifications).length;
  const [open, setOpen] = useState(count > 0);
  const severity = (isDefault ? (each.customStatus as Severity | undefined) : undefined) ?? each.status;
  return (
    <div className={classes.block}>
      <CaseRow
        target={target}
        number={number}
        severity={severity}
        name={text(each.name)}
        aside={
          <Button variant="subtle" color="gray" className={classes.notify} aria-expanded={open} onClick={() => setOpen(!open)}>
            {count > 0 ? `Notifies ${String(count)}` : "Notify"}
          </Button>
        }
        onSeverity={(status) => onChange(isDefault ? { customStatus: status } : { status })}
        onName={(name) => onChange({ name })}
        onUp={onUp}
        onRemove={onRemove}
      >
        {hasCondition &&
          (stages === null ? (
            <TextInput size="xs" aria-label={`Condition of case ${number}`} placeholder="a > 5 && b > 0" className={classes.grow} classNames={{ input: classes.mono ?? "" }} disabled={fixed} value={text(each.condition)} {...field(`${target}.condition`)} onChange={(event) => onChange({ condition: event.currentTarget.value })} />
          ) : (
            <Stages stages={stages} fixed={fixed} error={field(`${target}.condition`).error} onChange={(next) => onChange({ condition: joinStages(next) })} />
          ))}
      </CaseRow>
      {open && <CaseRecipients each={each} number={number} target={target} onChange={onChange} />}
    </div>
  );
}

function Stages({ stages, fixed, error, onChange }: { stages: string[]; fixed: boolean; error: string | undefined; onChange: (stages: string[]) => void }) {
  return (
    <div className={classes.grow}>
      {stages.map((stage, index) => (
        <div key={index} className={classes.stage}>
          <span className={classes.dim}>{index === 0 ? "first" : "then"}</span>
          <TextInput size="xs" aria-label={`Condition ${String(index + 1)} in order`} className={classes.grow} classNames={{ input: classes.mono }} disabled={fixed} value={stage} onChange={(event) => onChange(stages.map((each, at) => (at === index ? event.currentTarget.value : each)))} />
          {!fixed && stages.length > 2 && (
            <ActionIcon aria-label={`Remove condition ${String(index + 1)}`} onClick={() => onChange(removeAt(stages, index))}>
              <Icon name="trash" />
            </ActionIcon>
          )}
        </div>
      ))}
      {!fixed && (
        <button type="button" className="link" onClick={() => onChange([...stages, "a > 0"])}>
          then …
        </button>
      )}
      <Fault>{error}</Fault>
    </div>
  );
}
