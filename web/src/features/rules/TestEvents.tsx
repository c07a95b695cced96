import { ActionIcon, Button, SegmentedControl, Select, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "@/api/errors";
import { testRule } from "@/api/rules";
import { Icon } from "@/components/icons";
import { JsonView } from "@/components/JsonView";
import { EmptyState, ErrorState } from "@/components/states";
import { plural } from "@/lib/format";
import { useEditor } from "./editor";
import { previewed, readBy, readByAll } from "./preview";
import { list, object, omit, queryLabel, removeAt, replaceAt, text, type RuleDraft, type ThirdPartyCase, type ThirdPartyOptions } from "./ruleDraft";
import classes from "./tests.module.css";
import tab from "./tab.module.css";
import { parsePasted, testsOf, withTests, type TestEvent } from "./testEvents";

const MAX_EVENTS = 100;

/** Logs, each with the query that must find it or must not; kept with the rule, run against it as it stands here. */
export function TestEvents() {
  const { draft, edit, replace, fixed, readOnly, isDefault, faults } = useEditor();
  // A built-in rule keeps its own tests: what is added to them here is tried and forgotten.
  const [own, setOwn] = useState(() => testsOf(draft.tests));
  const events = isDefault ? own : testsOf(draft.tests);
  const [outcome, setOutcome] = useState<{ asked: string; passed: boolean[] } | null>(null);
  const rule = omit(previewed(draft), ["tests"]);
  const asked = JSON.stringify([rule, events]);
  const run = useMutation({
    mutationFn: () => testRule(rule, events.map(({ query, expected, event }) => ({ index: query, expectedResult: expected, payload: event }))),
    onSuccess: (passed) => setOutcome({ asked, passed }),
  });
  const write = (next: TestEvent[]) => {
    run.reset();
    if (isDefault) setOwn(next);
    else {
      const tests = withTests(draft.tests, next);
      if (tests) edit({ tests });
      else replace(omit(draft, ["tests"]) as RuleDraft);
    }
  };
  if (readByAll(draft) === "signal") return <EmptyState title="This rule reads signals">Only rules over logs can be tried with logs; the rules whose signals it reads can be.</EmptyState>;
  const labels = draft.options.detectionMethod === "third_party" ? compiledLabels(draft) : draft.queries.map(queryLabel);
  const queries = labels.map((label, index) => ({ value: String(index), label })).filter((_, index) => readBy(draft.queries[index]) === "log");
  const results = outcome?.asked === asked ? outcome.passed : null;
  const failing = results?.filter((passed) => !passed).length ?? 0;
  return (
    <div className={classes.tests}>
      <div className={tab.head}>
        <p className={classes.dim}>
          A log goes through the pipelines as if it were sent now, then the query looks at it; windows are not run.{" "}
          {isDefault ? "This rule comes with Tocsin, and so do these tests: what you change here is not kept." : "They are kept with the rule when it is saved."}
        </p>
        {events.length > 0 && !readOnly && (
          <Button leftSection={<Icon name="play" size={12} />} loading={run.isPending} disabled={faults.length > 0} onClick={() => run.mutate()}>
            Run {plural(events.length, "test")}
          </Button>
        )}
      </div>
      {results && (
        <p role="status" className={failing > 0 ? classes.fault : classes.good}>
          {failing === 0 ? `All ${plural(results.length, "log")} do as expected` : `${plural(failing, "log")} of ${String(results.length)} ${failing === 1 ? "does" : "do"} not do as expected`}
        </p>
      )}
      {run.error && <TestError error={run.error} />}
      {faults.length > 0 && events.length > 0 && <p className={classes.dim}>The rule must be complete before its tests can run.</p>}
      <ol className={classes.testList}>
        {events.map((each, index) => (
          <TestRow key={index} each={each} index={index} passed={results?.[index] ?? null} queries={queries} mayChange={isDefault || !fixed} onChange={(change) => write(replaceAt(events, index, change))} onRemove={() => write(removeAt(events, index))} />
        ))}
      </ol>
      {(isDefault || !fixed) && !readOnly && events.length < MAX_EVENTS && <Paste onPaste={(pasted) => write([...events, ...pasted.map((event) => ({ query: 0, expected: true, event }))].slice(0, MAX_EVENTS))} />}
    </div>
  );
}

/** What a third-party rule runs: each root with each case, and with what no case takes (in the server's order). */
function compiledLabels(draft: RuleDraft): string[] {
  const roots = list<object>(object<ThirdPartyOptions>(draft.options.thirdPartyRuleOptions).rootQueries);
  const cases = [...list<ThirdPartyCase>(draft.thirdPartyCases).map((each, index) => each.name || `case ${String(index + 1)}`), "all others"];
  return roots.flatMap((_, root) => cases.map((each) => (roots.length > 1 ? `root ${String(root + 1)}: ${each}` : each)));
}

interface RowProps {
  each: TestEvent;
  index: number;
  passed: boolean | null;
  queries: { value: string; label: string }[];
  mayChange: boolean;
  onChange: (change: Partial<TestEvent>) => void;
  onRemove: () => void;
}

function TestRow({ each, index, passed, queries, mayChange, onChange, onRemove }: RowProps) {
  const number = String(index + 1);
  const found = passed === null ? null : passed === each.expected;
  const [open, setOpen] = useState(false);
  return (
    <li className={classes.test}>
      <div className={classes.testHead}>
        <span className={classes.label}>{number}</span>
        {queries.length > 1 && <Select size="xs" aria-label={`Query of test ${number}`} w={130} data={queries} allowDeselect={false} disabled={!mayChange} value={String(each.query)} onChange={(value) => value !== null && onChange({ query: Number(value) })} />}
        <SegmentedControl
          size="xs"
          aria-label={`Expected of test ${number}`}
          disabled={!mayChange}
          data={[
            { value: "yes", label: "must match" },
            { value: "no", label: "must not" },
          ]}
          value={each.expected ? "yes" : "no"}
          onChange={(value) => onChange({ expected: value === "yes" })}
        />
        <button type="button" className={`${classes.testText ?? ""} truncate`} aria-expanded={open} onClick={() => setOpen(!open)}>
          {text(each.event.message) || JSON.stringify(each.event)}
        </button>
        {found !== null && (
          <span className={passed ? classes.good : classes.fault}>
            <Icon name={passed ? "check" : "alert"} size={13} /> {found ? "matches" : "does not match"}
          </span>
        )}
        {mayChange && (
          <ActionIcon aria-label={`Remove test ${number}`} onClick={onRemove}>
            <Icon name="trash" />
          </ActionIcon>
        )}
      </div>
      {open && <JsonView value={each.event} />}
    </li>
  );
}

function Paste({ onPaste }: { onPaste: (events: Record<string, unknown>[]) => void }) {
  const [pasted, setPasted] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const add = () => {
    const read = parsePasted(pasted);
    setFault(read.fault);
    if (read.fault !== null) return;
    onPaste(read.events);
    setPasted("");
  };
  return (
    <div className={classes.paste}>
      <Textarea
        size="xs"
        label="Add logs"
        description="Paste a log copied from the explorer, JSON as it is sent, or lines of text; several lines are several logs"
        placeholder='{"ddsource": "sshd", "message": "Failed password for root from 203.0.113.9 port 4022 ssh2"}'
        autosize
        minRows={3}
        maxRows={14}
        classNames={{ input: classes.mono }}
        value={pasted}
        error={fault}
        onChange={(event) => {
          setPasted(event.currentTarget.value);
          setFault(null);
        }}
      />
      <Button variant="default" disabled={pasted.trim() === ""} onClick={add}>
        Add
      </Button>
    </div>
  );
}

const PLACE = /^ruleQueryPayloads\[(\d+)\]\S*\s*/;

function TestError({ error }: { error: Error }) {
  if (!(error instanceof ApiError)) return <ErrorState inline error={error} />;
  const messages = error.messages.map((message) => message.replace(PLACE, (_, index: string) => `Test ${String(Number(index) + 1)} `));
  return <ErrorState inline error={new ApiError(error.status, messages, error.requestId)} />;
}
