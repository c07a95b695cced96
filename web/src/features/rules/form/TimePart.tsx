import { MultiSelect } from "@mantine/core";
import { useEditor, useField } from "../editor";
import { methodOf, WINDOWLESS } from "../methods";
import { groupsOf, list } from "../ruleDraft";
import { WINDOWS } from "../durations";
import classes from "./form.module.css";
import { Switchable, TimeChoice } from "./inputs";
import { Fault, Part } from "./Part";

/** How long events count together, how long a signal lives, what makes it one (siem.md §2.5, §2.9–2.12). */
export function TimePart() {
  const { draft, edit, readOnly, fixed } = useEditor();
  const field = useField();
  const { options } = draft;
  const method = methodOf(draft);
  const groups = [...new Set(draft.queries.flatMap(groupsOf))];
  const merged = list<string>(draft.groupSignalsBy);
  const duration = (name: "evaluationWindow" | "keepAlive" | "maxSignalDuration", label: string, description: string) => (
    <TimeChoice label={label} description={description} choices={WINDOWS} placeholder="Default" disabled={readOnly} value={options[name]} {...field(`options.${name}`)} onChange={(seconds) => edit({ options: { ...options, [name]: seconds } })} />
  );
  return (
    <Part title="Signals">
      {method !== "third_party" && (
        <div className={classes.fields}>
          {(!WINDOWLESS.includes(method) || options.evaluationWindow !== undefined) && duration("evaluationWindow", "Evaluation window", "Events within it count together")}
          {duration("keepAlive", "Keep alive", "A signal closes after this long without a match")}
          {duration("maxSignalDuration", "Maximum duration", "A signal never stays open longer")}
        </div>
      )}
      <Fault>{field("options").error}</Fault>
      {method !== "third_party" && (groups.length > 1 || merged.length > 0) && (
        <MultiSelect size="xs" label="One signal for each" description="Fewer than the queries group by: signals that differ only in the others become one" placeholder={merged.length === 0 ? "each group" : undefined} data={[...new Set([...groups, ...merged])]} disabled={fixed} value={merged} {...field("groupSignalsBy")} onChange={(groupSignalsBy) => edit({ groupSignalsBy })} />
      )}
      <Switchable label="Title of notifications names the group" description="As in: … by ana, web-1. Kept with the rule; notifications are not sent yet" disabled={fixed} checked={draft.hasExtendedTitle === true} onChange={(hasExtendedTitle) => edit({ hasExtendedTitle })} />
      <Switchable label="One severity lower in staging, test and dev" description="When the tag env starts with one of them" disabled={readOnly} checked={options.decreaseCriticalityBasedOnEnv ?? false} onChange={(checked) => edit({ options: { ...options, decreaseCriticalityBasedOnEnv: checked } })} />
    </Part>
  );
}
