import type { ExploreEvent, Verdict } from "@/api/types";
import { SeverityLabel } from "@/components/Severity";
import { AbsoluteTime } from "@/components/Time";
import { formatDuration } from "@/lib/time";
import { countedValues, custom, severityOf } from "./config";
import classes from "./signals.module.css";

/** Why it fired: the window, the case that decided, the values it saw, and what changed the severity. */
export function Why({ signal, windowSeconds }: { signal: ExploreEvent; windowSeconds: number | undefined }) {
  const { explanation, triggeringRuleCase } = custom(signal);
  if (!explanation) {
    return triggeringRuleCase?.condition ? (
      <p>
        It is <SeverityLabel severity={severityOf(signal)} /> because <code>{triggeringRuleCase.condition}</code> held{windowSeconds ? ` within ${formatDuration(windowSeconds * 1000)}` : ""}.
      </p>
    ) : null;
  }
  const { opened, severity_changes: changes, adjustments } = explanation;
  return (
    <ol className={classes.why} aria-label="Why it fired">
      <li>
        <SeverityLabel severity={opened.status} /> when <Held verdict={opened} />
        {explanation.window_seconds > 0 ? ` within ${formatDuration(explanation.window_seconds * 1000)}` : ""}, <AbsoluteTime time={Date.parse(opened.at)} />
      </li>
      {changes.map((change) => (
        <li key={change.at}>
          <SeverityLabel severity={change.status} /> when <Held verdict={change} />, <AbsoluteTime time={Date.parse(change.at)} />
        </li>
      ))}
      {adjustments.map((adjustment) => (
        <li key={adjustment.kind}>
          <SeverityLabel severity={adjustment.to} /> instead of <SeverityLabel severity={adjustment.from} />: {adjustment.because}
        </li>
      ))}
    </ol>
  );
}

function Held({ verdict }: { verdict: Verdict }) {
  const values = countedValues(verdict.values);
  return (
    <>
      <code>{verdict.condition || "any event matched"}</code>
      {verdict.case && ` (${verdict.case})`} held{values && ` with ${values}`}
    </>
  );
}
