import { Select } from "@mantine/core";
import type { AnomalyDetectionOptionsBody, ContentAnomalyOptionsBody, ImpossibleTravelOptionsBody, NewValueOptionsBody } from "@/api/generated/types.gen";
import { messagesAt, useEditor } from "../editor";
import { methodOf } from "../methods";
import classes from "./form.module.css";
import { CountInput, Switchable, TimeChoice, useOptions } from "./inputs";
import { Part } from "./Part";

/** What only the rule's method knows (siem.md §2.14–2.17). */
export function MethodOptions() {
  const { draft } = useEditor();
  switch (methodOf(draft)) {
    case "new_value":
      return <NewValue />;
    case "anomaly_detection":
      return <Anomaly />;
    case "content_anomaly":
      return <ContentAnomaly />;
    case "impossible_travel":
      return <Travel />;
    default:
      return null;
  }
}

function NewValue() {
  const { value, change, readOnly, field } = useOptions<NewValueOptionsBody>("newValueOptions");
  const byThreshold = value.learningMethod === "threshold";
  const learning = byThreshold ? `threshold-${String(value.learningThreshold ?? 0)}` : "duration";
  const choose = (next: string | null) => {
    if (next === "duration") change({ learningMethod: "duration", learningThreshold: undefined, learningDuration: value.learningDuration ?? 7 });
    else if (next) change({ learningMethod: "threshold", learningDuration: undefined, learnPerGroup: undefined, learningThreshold: next === "threshold-1" ? 1 : 0 });
  };
  return (
    <Part title="Learning">
      <div className={classes.fields}>
        <Select
          size="xs"
          label="Raises a signal"
          description="Of each group"
          allowDeselect={false}
          disabled={readOnly}
          data={[
            { value: "duration", label: "for new values after some days" },
            { value: "threshold-1", label: "after the first value seen" },
            { value: "threshold-0", label: "for every new value" },
          ]}
          value={learning}
          {...field("learningMethod")}
          onChange={choose}
        />
        {!byThreshold && <CountInput label="Learns for" description="Silent for so long; 0 to 30 days" suffix=" days" min={0} max={30} placeholder="1 day" disabled={readOnly} value={value.learningDuration ?? undefined} {...field("learningDuration")} onChange={(learningDuration) => change({ learningDuration })} />}
        <CountInput label="Forgets after" description="A value not seen for 1 to 30 days is new again" suffix=" days" min={1} max={30} disabled={readOnly} value={value.forgetAfter ?? undefined} {...field("forgetAfter")} onChange={(forgetAfter) => change({ forgetAfter })} />
      </div>
      {!byThreshold && <Switchable label="Each group learns for so long from its own first event" description="Off: all groups learn together, from when the rule was saved" checked={value.learnPerGroup ?? true} disabled={readOnly} onChange={(learnPerGroup) => change({ learnPerGroup })} />}
      <Switchable label="Learn from stored logs at once" description="What was sent before the rule was made counts as known" checked={value.instantaneousBaseline ?? false} disabled={readOnly} onChange={(instantaneousBaseline) => change({ instantaneousBaseline })} />
    </Part>
  );
}

const TOLERANCES = ["10 % above what is usual", "25 %", "50 %", "100 %", "200 %"].map((label, index) => ({ value: String(index + 1), label: `${String(index + 1)}: ${label}` }));

function Anomaly() {
  const { value, change, readOnly, field } = useOptions<AnomalyDetectionOptionsBody>("anomalyDetectionOptions");
  return (
    <Part title="Learning">
      <div className={classes.fields}>
        <TimeChoice label="Counts in buckets of" description="What is compared with up to 14 days" choices={[300, 600, 900, 1800, 3600, 10800]} placeholder="5 minutes" disabled={readOnly} value={value.bucketDuration ?? undefined} {...field("bucketDuration")} onChange={(next) => change({ bucketDuration: next as AnomalyDetectionOptionsBody["bucketDuration"] })} />
        <TimeChoice label="Learns for" description="Silent for so long after a group's first event" unit="h" choices={[1, 6, 12, 24, 48, 168, 336]} placeholder="24 hours" disabled={readOnly} value={value.learningDuration ?? undefined} {...field("learningDuration")} onChange={(next) => change({ learningDuration: next as AnomalyDetectionOptionsBody["learningDuration"] })} />
        <Select size="xs" label="Tolerance" description="The excess over the window that is let pass" data={TOLERANCES} placeholder="3: 50 %" allowDeselect={false} disabled={readOnly} value={value.detectionTolerance ? String(value.detectionTolerance) : null} {...field("detectionTolerance")} onChange={(next) => next && change({ detectionTolerance: Number(next) })} />
        <CountInput label="Usual while it learns" description="Events per bucket; empty: it stays silent" min={0} disabled={readOnly} value={value.learningPeriodBaseline ?? undefined} {...field("learningPeriodBaseline")} onChange={(learningPeriodBaseline) => change({ learningPeriodBaseline })} />
      </div>
      <Switchable label="Learn from stored logs at once" description="What was sent before the rule was made counts as history" checked={value.instantaneousBaseline ?? false} disabled={readOnly} onChange={(instantaneousBaseline) => change({ instantaneousBaseline })} />
    </Part>
  );
}

function ContentAnomaly() {
  const { value, change, readOnly, field } = useOptions<ContentAnomalyOptionsBody>("contentAnomalyOptions");
  return (
    <Part title="Learning">
      <div className={classes.fields}>
        <CountInput label="Learns for" description="1 to 10 days, again after each change of the rule" suffix=" days" min={1} max={10} placeholder="7 days" disabled={readOnly} value={value.learningDuration ?? undefined} {...field("learningDuration")} onChange={(learningDuration) => change({ learningDuration })} />
        <CountInput label="Forgets after" description="Older logs, of 1 to 10 days, are not compared" suffix=" days" min={1} max={10} placeholder="7 days" disabled={readOnly} value={value.forgetAfter ?? undefined} {...field("forgetAfter")} onChange={(forgetAfter) => change({ forgetAfter })} />
        <CountInput label="Alike from" description="The share of words in common; 35 to 100 %" suffix=" %" min={35} max={100} placeholder="70 %" disabled={readOnly} value={value.similarityThreshold ?? undefined} {...field("similarityThreshold")} onChange={(similarityThreshold) => change({ similarityThreshold })} />
        <CountInput label="Usual with so many alike" description="Fewer remembered logs like it: unusual; 1 to 20" min={1} max={20} placeholder="1" disabled={readOnly} value={value.similarItemsThreshold ?? undefined} {...field("similarItemsThreshold")} onChange={(similarItemsThreshold) => change({ similarItemsThreshold })} />
      </div>
    </Part>
  );
}

function Travel() {
  const { value, change, readOnly, field } = useOptions<ImpossibleTravelOptionsBody>("impossibleTravelOptions");
  const remark = messagesAt(useEditor().hints, "options.detectionMethod");
  return (
    <Part title="Learning">
      <p className={classes.dim}>Two accesses more than 500 km apart, faster than 1,000 km/h. Leave your own VPN out of the query.</p>
      {remark && <p className={classes.hint}>{remark}</p>}
      <Switchable label="Learn each account's usual locations" description="Accesses from there, and ways gone before, raise nothing" checked={value.baselineUserLocations ?? false} disabled={readOnly} onChange={(baselineUserLocations) => change({ baselineUserLocations })} />
      {value.baselineUserLocations && (
        <div className={classes.fields}>
          <CountInput label="Learns for" description="After an account's first access; 1 to 30 days" suffix=" days" min={1} max={30} placeholder="1 day" disabled={readOnly} value={value.baselineUserLocationsDuration ?? undefined} {...field("baselineUserLocationsDuration")} onChange={(baselineUserLocationsDuration) => change({ baselineUserLocationsDuration })} />
        </div>
      )}
    </Part>
  );
}
