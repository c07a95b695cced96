import type { Range } from "@/lib/time";
import { useEditor, useField } from "./editor";
import { CalculatedPart } from "./form/CalculatedPart";
import { CasesPart } from "./form/CasesPart";
import { FiltersPart } from "./form/FiltersPart";
import { IdentityPart } from "./form/IdentityPart";
import { MessagePart } from "./form/MessagePart";
import { MethodOptions } from "./form/MethodOptions";
import { MethodPart } from "./form/MethodPart";
import { AddItem, Fault, Part } from "./form/Part";
import { QueryCard } from "./form/QueryCard";
import { RunsPart } from "./form/RunsPart";
import { SequencePart } from "./form/SequencePart";
import { TablesPart } from "./form/TablesPart";
import { ThirdPartyPart } from "./form/ThirdPartyPart";
import { TimePart } from "./form/TimePart";
import { methodOf, withSource } from "./methods";
import { PreviewPanel } from "./PreviewPanel";
import { emptyQuery, removeAt } from "./ruleDraft";
import classes from "./form/form.module.css";
import { afterRemoval } from "./testEvents";

const MAX_QUERIES = 10;

/** The whole rule as a form, with what it would do beside it; a fault stands at the field that it is about. */
export function RuleForm({ onRange }: { onRange: (range: Range) => void }) {
  const { draft, isDefault } = useEditor();
  const method = methodOf(draft);
  return (
    <div className={classes.columns}>
      <div className={classes.form}>
        {isDefault && (
          <p className={classes.note}>
            This rule comes with Tocsin. Its name, message, severities, tags and options can be adjusted; its queries can be narrowed by an extension. Everything else follows its updates: clone the rule to change it.
          </p>
        )}
        <MethodPart />
        <IdentityPart />
        <RunsPart />
        <CalculatedPart />
        {method === "third_party" ? <ThirdPartyPart /> : <QueriesPart />}
        <FiltersPart />
        {method === "sequence_detection" && <SequencePart />}
        {method !== "third_party" && <CasesPart />}
        <MethodOptions />
        <TimePart />
        <TablesPart />
        <MessagePart />
      </div>
      <div className={classes.side}>
        <Summary />
        <PreviewPanel onRange={onRange} />
      </div>
    </div>
  );
}

function QueriesPart() {
  const { draft, edit, fixed } = useEditor();
  const field = useField();
  const method = methodOf(draft);
  const most = method === "impossible_travel" ? 1 : MAX_QUERIES;
  const add = () => edit({ queries: [...draft.queries, method === "signal_correlation" ? withSource(emptyQuery(), "rule") : { ...emptyQuery(), aggregation: draft.queries[0]?.aggregation ?? "count" }] });
  const remove = (index: number) => edit({ queries: removeAt(draft.queries, index), ...(draft.tests ? { tests: afterRemoval(draft.tests, index) } : {}) });
  return (
    <Part
      title="Queries"
      target="queries"
      aside={
        !fixed &&
        draft.queries.length < most && <AddItem onClick={add}>Add a query</AddItem>
      }
    >
      <Fault>{field("queries").error}</Fault>
      {draft.queries.map((query, index) => (
        <QueryCard key={index} query={query} index={index} onChange={(next) => edit({ queries: draft.queries.map((each, at) => (at === index ? next : each)) })} onRemove={draft.queries.length > 1 && !fixed ? () => remove(index) : undefined} />
      ))}
    </Part>
  );
}

/** Everything that keeps the rule from being saved, beside the form, so that nothing moves while it is typed. */
function Summary() {
  const { faults } = useEditor();
  if (faults.length === 0) return null;
  return (
    <div className={classes.summary} role="status">
      <strong>Before it can be saved</strong>
      <ul>
        {faults.map((fault, index) => (
          <li key={index}>
            <button type="button" className="link" onClick={() => showField(fault.target)}>
              {fault.message}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Bring the input of a member, or of the nearest one around it, into sight, and the focus into it. */
function showField(target: string): void {
  for (let rest = target; rest !== ""; rest = rest.replace(/(?:^|\.)[^.[\]]+$|\[\d+\]$/, "")) {
    const found = document.querySelector(`[data-target="${CSS.escape(rest)}"]`);
    if (found instanceof HTMLElement) {
      found.scrollIntoView({ block: "center" });
      const input = found.matches("input, textarea") ? found : found.querySelector<HTMLElement>("input, textarea, .cm-content");
      input?.focus();
      return;
    }
  }
}
