import { Select, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { renderQuery } from "@/api/rules";
import { Markdown } from "@/components/Markdown";
import { SeverityLabel } from "@/components/Severity";
import { ErrorState } from "@/components/states";
import { useLatestLog } from "../useLatestLog";
import { messagesAt, useEditor, useField } from "../editor";
import { isUsable } from "../preview";
import { list, queriesOf, text } from "../ruleDraft";
import classes from "./form.module.css";
import { testsOf } from "../testEvents";
import { Part } from "./Part";

const NOTHING_YET = "*Nothing yet: say what this means and what to do first.*";

/** The playbook, as it is written and as it will read for a log (siem.md §2.25). */
export function MessagePart() {
  const { draft, edit, readOnly, isDefault, hints } = useEditor();
  const field = useField();
  const name = isDefault ? "customMessage" : "message";
  const message = (isDefault ? (draft.customMessage as string | undefined) : undefined) ?? draft.message;
  return (
    <Part title="Message">
      <div className={classes.message}>
        <div>
          <Textarea size="xs" label="Playbook, in Markdown" description="{{@usr.id}}, {{host}}, {{#is_match}} … become the signal's values" autosize minRows={12} maxRows={40} classNames={{ input: classes.mono }} disabled={readOnly} value={message} {...field(name)} onChange={(event) => edit({ [name]: event.currentTarget.value })} />
          <p className={classes.hint} role="status">
            {messagesAt(hints, name)}
          </p>
        </div>
        <Rendered message={message} />
      </div>
    </Part>
  );
}

function Rendered({ message }: { message: string }) {
  const { draft, faults } = useEditor();
  const tests = testsOf(draft.tests);
  const [chosen, setChosen] = useState<string | null>(null);
  const latest = useLatestLog(text(queriesOf(draft)[0]?.query));
  const samples = [
    ...(latest ? [{ value: "latest", label: "The latest log that the first query finds", payload: latest }] : []),
    ...tests.map((test, index) => ({ value: String(index), label: `Test event ${String(index + 1)}`, payload: test.event })),
  ];
  const sample = samples.find((each) => each.value === chosen) ?? samples[0];
  const cases = draft.cases.map((each, index) => ({ value: String(index), label: `${String(index + 1)}: ${each.name || each.condition || each.status}` }));
  const [caseChosen, setCase] = useState("0");
  const caseIndex = Number(caseChosen) < draft.cases.length ? Number(caseChosen) : 0;
  const [settled] = useDebouncedValue(draft, 400);
  const can = sample !== undefined && faults.length === 0 && isUsable(settled);
  const rendered = useQuery({ ...renderQuery(settled, sample?.payload ?? {}, caseIndex), enabled: can });
  const shown = can ? rendered.data : undefined;
  return (
    <div className={classes.rendered} aria-label="Preview of the message" role="group">
      <div className={classes.renderedHead}>
        {samples.length > 0 ? <Select size="xs" label="As it reads for" data={samples.map(({ value, label }) => ({ value, label }))} allowDeselect={false} className={classes.grow} value={sample?.value ?? null} onChange={setChosen} /> : <p className={classes.dim}>Preview. With a log that the first query finds, or a test event, it shows the values too.</p>}
        {samples.length > 0 && cases.length > 1 && list(draft.thirdPartyCases).length === 0 && <Select size="xs" label="under the case" w={170} data={cases} allowDeselect={false} value={String(caseIndex)} onChange={(value) => value && setCase(value)} />}
      </div>
      {can && rendered.error && <ErrorState inline error={rendered.error} />}
      <div className={classes.preview}>
        {shown && (
          <p className={classes.renderedTitle}>
            <SeverityLabel severity={shown.severity} /> {shown.title}
          </p>
        )}
        <Markdown text={(shown ? shown.message : message) || NOTHING_YET} />
      </div>
      {shown && shown.matched.length === 0 && <p className={classes.dim}>No query of the rule finds this log.</p>}
    </div>
  );
}
