import { Button, Checkbox, JsonInput, SegmentedControl, Select } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "@/api/errors";
import { runJob } from "@/api/jobs";
import { ruleQuery } from "@/api/rules";
import { Dialog, Form } from "@/components/Dialog";
import { TimeRange } from "@/components/explorer/TimeRange";
import page from "@/components/Page.module.css";
import { RuleSelect } from "@/components/RuleSelect";
import { ErrorState } from "@/components/states";
import { useZone } from "@/components/zone";
import { resolveRange, type Range } from "@/lib/time";
import classes from "./jobs.module.css";
import { EXAMPLE, parseDefinition } from "./model";

const DEFAULT_RANGE: Range = { from: "now-7d", to: "now" };
const ALL_CASES = "all";

interface Props {
  opened: boolean;
  /** The rule to begin with. */
  ruleId: string | null;
  onClose: () => void;
  onMade: (id: string) => void;
}

/** A rule with all its cases or one, or a definition as JSON, over a time. */
export function NewJob({ opened, ruleId, onClose, onMade }: Props) {
  return (
    <Dialog opened={opened} onClose={onClose} size="lg" title="New historical job" closeOnClickOutside={false}>
      {opened && <Fields key={ruleId} ruleId={ruleId} onMade={onMade} />}
    </Dialog>
  );
}

function Fields({ ruleId, onMade }: Pick<Props, "ruleId" | "onMade">) {
  const client = useQueryClient();
  const { zone } = useZone();
  const [now] = useState(() => Date.now());
  const [source, setSource] = useState<"rule" | "definition">("rule");
  const [rule, setRule] = useState(ruleId ?? "");
  const [chosenCase, setCase] = useState(ALL_CASES);
  const [text, setText] = useState(EXAMPLE);
  const [range, setRange] = useState(DEFAULT_RANGE);
  const [keep, setKeep] = useState(true);
  const resolved = resolveRange(range, now, zone, DEFAULT_RANGE);
  const parsed = parseDefinition(text);
  const make = useMutation({
    mutationFn: () => {
      const times = { ...resolveRange(range, Date.now(), zone, DEFAULT_RANGE), index: "main" as const };
      if (source === "rule") return runJob({ fromRule: { id: rule, ...times, ...(chosenCase === ALL_CASES ? {} : { caseIndex: Number(chosenCase) }) } }, keep);
      return runJob({ jobDefinition: { ...parsed.definition, ...times } }, keep);
    },
    onSuccess: (id) => {
      void client.invalidateQueries({ queryKey: ["jobs"] });
      onMade(id);
    },
  });
  const ready = source === "rule" ? rule !== "" : parsed.fault === null;
  const faults = make.error instanceof ApiError ? make.error.fields : [];
  return (
    <Form className={page.form} busy={make.isPending} onSubmit={() => make.mutate()}>
      <SegmentedControl
        size="xs"
        aria-label="What to run"
        data={[
          { value: "rule", label: "A rule" },
          { value: "definition", label: "A definition as JSON" },
        ]}
        value={source}
        onChange={(next) => {
          make.reset();
          setSource(next === "rule" ? "rule" : "definition");
        }}
      />
      {source === "rule" ? (
        <RuleAndCase
          value={rule}
          chosenCase={chosenCase}
          onRule={(next) => {
            setRule(next);
            setCase(ALL_CASES);
          }}
          onCase={setCase}
        />
      ) : (
        <JsonInput
          size="xs"
          label="Definition"
          description="A rule as the API writes it; the time below counts, whatever from and to are in here."
          value={text}
          onChange={setText}
          error={parsed.fault}
          autosize
          minRows={10}
          maxRows={20}
          classNames={{ input: page.mono }}
          spellCheck={false}
        />
      )}
      <div className={classes.time}>
        <span className={classes.label} id="job-time">
          Logs of
        </span>
        <TimeRange range={range} resolved={resolved} onChange={setRange} />
      </div>
      <Checkbox size="xs" label="Keep the results" description="Without them a job only counts: quick, for how often a rule would have fired." checked={keep} onChange={(event) => setKeep(event.currentTarget.checked)} />
      {make.error && faults.length === 0 && <ErrorState inline error={make.error} />}
      {faults.length > 0 && (
        <ul className={page.fault} role="alert">
          {faults.map((fault) => (
            <li key={`${fault.target}-${fault.message}`}>
              <code>{fault.target}</code>: {fault.message}
            </li>
          ))}
        </ul>
      )}
      <div className={page.formEnd}>
        <Button type="submit" disabled={!ready} loading={make.isPending}>
          Run the job
        </Button>
      </div>
    </Form>
  );
}

function RuleAndCase({ value, chosenCase, onRule, onCase }: { value: string; chosenCase: string; onRule: (id: string) => void; onCase: (index: string) => void }) {
  const chosen = useQuery({ ...ruleQuery(value), enabled: value !== "" });
  const cases = chosen.data?.cases ?? [];
  return (
    <div className={page.pair}>
      {/* Focused as the dialog opens, its list would cover the rest of it. */}
      <RuleSelect label="Rule" data-autofocus openOnFocus={false} value={value} onChange={onRule} />
      <Select
        size="xs"
        label="Case"
        allowDeselect={false}
        disabled={cases.length === 0}
        data={[{ value: ALL_CASES, label: "All cases" }, ...cases.map((each, index) => ({ value: String(index), label: [each.name || `Case ${String(index + 1)}`, each.condition, each.status].filter(Boolean).join(" · ") }))]}
        value={chosenCase}
        onChange={(next) => next && onCase(next)}
      />
    </div>
  );
}
