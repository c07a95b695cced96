import { Radio } from "@mantine/core";
import { useEditor, useField } from "../editor";
import { METHODS, methodOf, withMethod, type MethodId } from "../methods";
import classes from "../rules.module.css";
import { Fault, Part } from "./Part";

/** What kind of thing the rule looks for; a rule keeps its method for life (siem.md §2.1). */
export function MethodPart() {
  const { draft, edit, drop, isNew, readOnly } = useEditor();
  const field = useField();
  const chosen = methodOf(draft);
  const method = METHODS.find((each) => each.id === chosen);
  const choose = (id: MethodId) => {
    const next = withMethod(draft, id);
    drop(...Object.keys(draft).filter((name) => !(name in next)));
    edit(next);
  };
  return (
    <Part title="Method">
      {isNew ? (
        <Radio.Group aria-label="Detection method" value={chosen} onChange={(id) => choose(id as MethodId)}>
          <div className={classes.methods}>
            {METHODS.map((each) => (
              <Radio.Card key={each.id} value={each.id} className={classes.method} disabled={readOnly} aria-label={each.label}>
                <strong>{each.label}</strong>
                <span className={classes.dim}>{each.purpose}</span>
              </Radio.Card>
            ))}
          </div>
        </Radio.Group>
      ) : (
        <p>
          <strong>{method?.label ?? chosen}</strong> <span className={classes.dim}>{method?.purpose ?? ""} A rule keeps its method: clone it to use another.</span>
        </p>
      )}
      <Fault>{field("options.detectionMethod").error ?? field("type").error}</Fault>
    </Part>
  );
}
