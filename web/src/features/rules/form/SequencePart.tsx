import { ActionIcon, TextInput } from "@mantine/core";
import type { SequenceDetectionOptionsBody, SequenceStepBody, SequenceTransitionBody } from "@/api/generated/types.gen";
import { Icon } from "@/components/icons";
import { durationLabel, WINDOWS } from "../durations";
import { useEditor, useField } from "../editor";
import { list, replaceAt } from "../ruleDraft";
import classes from "./form.module.css";
import { appended, chainOf, renamed, shortened, waitAfter } from "../sequence";
import { TimeChoice, useOptions } from "./inputs";
import { AddItem, Fault, Part } from "./Part";

const MAX_STEPS = 10;
const PLACE = "options.sequenceDetectionOptions";

/** The steps of a sequence from first to last, with how long each waits for the next (siem.md §2.19). */
export function SequencePart() {
  const { draft, edit, fixed } = useEditor();
  const field = useField();
  const { value, change } = useOptions<SequenceDetectionOptionsBody>("sequenceDetectionOptions");
  const steps = list<SequenceStepBody>(value.steps);
  const transitions = list<SequenceTransitionBody>(value.stepTransitions);
  const chain = chainOf(steps, transitions);
  const total = [...steps, ...transitions].reduce((sum, each) => sum + (each.evaluationWindow ?? 0), 0);
  /** The case names the last step: it follows a change of its name, or of which is the last. */
  const write = (next: { steps: SequenceStepBody[]; stepTransitions: SequenceTransitionBody[] }, last: string | undefined) => {
    const [first, ...others] = draft.cases;
    const cases = first && last !== undefined ? [{ ...first, condition: `${last} > 0` }, ...others] : draft.cases;
    edit({ cases, options: { ...draft.options, sequenceDetectionOptions: { ...value, ...next } } });
  };
  if (chain === null) {
    return (
      <Part title="Steps">
        <p className={classes.dim}>These steps form no line from a first to a last one; put them right in JSON.</p>
        <Fault>{field(PLACE).error ?? field(`${PLACE}.steps`).error ?? field(`${PLACE}.stepTransitions`).error}</Fault>
      </Part>
    );
  }
  return (
    <Part
      title="Steps"
      target={PLACE}
      aside={
        !fixed &&
        steps.length < MAX_STEPS && (
          <AddItem
            onClick={() => {
              const next = appended(steps, transitions, chain);
              write(next, next.steps.at(-1)?.name ?? undefined);
            }}
          >
            Add a step
          </AddItem>
        )
      }
    >
      <p className={classes.dim}>
        Within a step, <code>a &gt; 0 &amp;&amp; b &gt; 0</code> and <code>||</code> go together. All windows together: {durationLabel(total)} of at most 24 hours.
      </p>
      <Fault>{field(PLACE).error ?? field(`${PLACE}.steps`).error ?? field(`${PLACE}.stepTransitions`).error}</Fault>
      <ol className={classes.steps}>
        {chain.map((at, order) => {
          const step = steps[at] ?? {};
          const target = `${PLACE}.steps[${String(at)}]`;
          const wait = waitAfter(step, transitions);
          const isLast = order === chain.length - 1;
          const name = step.name ?? "";
          return (
            <li key={at}>
              <div className={classes.step}>
                <span className={classes.label}>{order + 1}</span>
                <TextInput size="xs" label="Step" w={150} disabled={fixed} value={name} {...field(`${target}.name`)} onChange={(event) => write(renamed(steps, transitions, at, event.currentTarget.value), isLast ? event.currentTarget.value : undefined)} />
                <TextInput size="xs" label="Holds when" className={classes.grow} classNames={{ input: classes.mono }} disabled={fixed} value={step.condition ?? ""} {...field(`${target}.condition`)} onChange={(event) => change({ steps: replaceAt(steps, at, { condition: event.currentTarget.value }) })} />
                <TimeChoice label="Within" choices={WINDOWS} disabled={fixed} value={step.evaluationWindow ?? 0} {...field(`${target}.evaluationWindow`)} onChange={(evaluationWindow) => change({ steps: replaceAt(steps, at, { evaluationWindow }) })} />
                {!fixed && isLast && steps.length > 2 && (
                  <ActionIcon
                    aria-label={`Remove step ${name}`}
                    mt={24}
                    onClick={() => {
                      const next = shortened(steps, transitions, chain);
                      const before = chain.at(-2);
                      write(next, before === undefined ? undefined : (steps[before]?.name ?? undefined));
                    }}
                  >
                    <Icon name="trash" />
                  </ActionIcon>
                )}
              </div>
              {wait !== null && (
                <div className={classes.wait}>
                  <Icon name="sortDown" size={12} />
                  <TimeChoice label="Then, within" choices={WINDOWS} disabled={fixed} value={transitions[wait]?.evaluationWindow ?? 0} {...field(`${PLACE}.stepTransitions[${String(wait)}].evaluationWindow`)} onChange={(evaluationWindow) => change({ stepTransitions: replaceAt(transitions, wait, { evaluationWindow }) })} />
                </div>
              )}
            </li>
          );
        })}
      </ol>
    </Part>
  );
}
