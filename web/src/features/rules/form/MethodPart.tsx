import { Radio } from "@mantine/core";
import { useState } from "react";
import { useEditor, useField } from "../editor";
import { methodLabel, METHODS, methodOf, methodWith, type MethodId } from "../methods";
import { omit, same, type RuleDraft } from "../ruleDraft";
import { lostBetween, withMethod } from "../withMethod";
import classes from "./form.module.css";
import { Fault, Part } from "./Part";

/** What is the same whatever the method. */
const SHARED = ["name", "message", "tags", "isEnabled", "filters", "hasExtendedTitle"];

/** What kind of thing the rule looks for; a rule keeps its method for life (siem.md §2.1). */
export function MethodPart() {
  const { draft, replace, isNew, readOnly } = useEditor();
  const field = useField();
  const chosen = methodOf(draft);
  const method = methodWith(chosen);
  const isOffered = METHODS.some((each) => each.id === chosen);
  // As long as nothing else is touched, each method is made of the rule as it was before the first choice: looking at all
  // of them, as arrow keys do, loses nothing.
  const [change, setChange] = useState<{ before: RuleDraft; after: RuleDraft } | null>(null);
  const isUntouched = change !== null && same(omit(change.after, SHARED), omit(draft, SHARED));
  const lost = change && chosen === methodOf(change.after) ? lostBetween(change.before, draft) : [];
  const choose = (id: MethodId) => {
    const shared = Object.fromEntries(SHARED.filter((name) => name in draft).map((name) => [name, draft[name]]));
    const before = isUntouched ? ({ ...change.before, ...shared } as RuleDraft) : draft;
    const after = methodOf(before) === id ? before : withMethod(before, id);
    setChange({ before, after });
    replace(after);
  };
  return (
    <Part title="Method">
      {isNew && isOffered ? (
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
          <strong>{method?.label ?? chosen}.</strong> <span className={classes.dim}>{method?.purpose ?? ""} A rule keeps its method: clone it to use another.</span>
        </p>
      )}
      {change && lost.length > 0 && (
        <p className={classes.note} role="status">
          {methodLabel(chosen)} rules cannot have all that this one had. Without: {lost.join(", ")}.{isUntouched && ` Choose ${methodLabel(methodOf(change.before))} again to have it back.`}
        </p>
      )}
      <Fault>{field("options.detectionMethod").error ?? field("type").error}</Fault>
    </Part>
  );
}
