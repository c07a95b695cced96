import { TextInput } from "@mantine/core";
import { messagesAt, useEditor, useField } from "../editor";
import { list, moveUp, removeAt, replaceAt, text } from "../ruleDraft";
import { readsSignals } from "../preview";
import { isScheduled, type CalculatedField } from "../scheduling";
import classes from "./form.module.css";
import { AddItem, Fault, Part } from "./Part";
import { RowEnd } from "./RowEnd";

const MAX_FIELDS = 20;

/** Fields by formulas, which the queries read as `#name` (siem.md §2.22). */
export function CalculatedPart() {
  const { draft, edit, fixed, hints } = useEditor();
  const field = useField();
  const fields = list<CalculatedField>(draft.calculatedFields);
  const write = (calculatedFields: CalculatedField[]) => edit({ calculatedFields });
  if (fields.length === 0 && (fixed || !isScheduled(draft) || readsSignals(draft))) return null;
  return (
    <Part title="Calculated fields" target="calculatedFields" aside={!fixed && fields.length < MAX_FIELDS && <AddItem onClick={() => write([...fields, { name: "", expression: "" }])}>Add a field</AddItem>}>
      {fields.length === 0 ? <p className={classes.dim}>None. A field is a formula of a log’s attributes, such as (@queue_ns + @duration) / 1000000; queries, groups and metrics read it as #name.</p> : <Functions />}
      <Fault>{field("calculatedFields").error}</Fault>
      {fields.map((each, index) => {
        const target = `calculatedFields[${String(index)}]`;
        const number = String(index + 1);
        const set = (next: Partial<CalculatedField>) => write(replaceAt(fields, index, next));
        return (
          <div key={index}>
            <div className={classes.row}>
              <TextInput size="xs" aria-label={`Name of field ${number}`} placeholder="total_ms" leftSection="#" w={190} classNames={{ input: classes.mono ?? "" }} disabled={fixed} value={text(each.name)} {...field(`${target}.name`)} onChange={(event) => set({ name: event.currentTarget.value })} />
              <TextInput size="xs" aria-label={`Expression of field ${number}`} placeholder="(@queue_ns + @duration) / 1000000" className={classes.grow} classNames={{ input: classes.mono ?? "" }} disabled={fixed} value={text(each.expression)} {...field(`${target}.expression`)} onChange={(event) => set({ expression: event.currentTarget.value })} />
              {!fixed && <RowEnd what={`field ${number}`} onUp={index > 0 ? () => write(moveUp(fields, index)) : undefined} onRemove={() => write(removeAt(fields, index))} />}
            </div>
            <p className={classes.hint}>{messagesAt(hints, target)}</p>
          </div>
        );
      })}
    </Part>
  );
}

const FUNCTIONS: [string, string][] = [
  ["Operators", "! - * / + - < <= > >= == != && ||"],
  ["Numbers", "abs(n) ceil(n) floor(n) round(n, places) max(n, …) min(n, …)"],
  ["Texts", "concat(s, …) lower(s) upper(s) proper(s) prefix(s, n) suffix(s, n) substring(s, start, length) split_before(s, separator, n) split_after(s, separator, n) textjoin(between, s, …)"],
  ["Choices", "if(condition, a, b) case(condition, value, …, else) is_null(x)"],
];

function Functions() {
  return (
    <details className={classes.functions}>
      <summary>A formula may use @attributes, tags, "texts" and the fields above it. All functions</summary>
      <dl>
        {FUNCTIONS.map(([name, all]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className={classes.mono}>{all.replace(/\) /g, ")  ")}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
