import type { RuleExplanation } from "@/api/explain";
import { AppLink } from "@/components/AppLink";
import { AbsoluteTime } from "@/components/Time";
import { formatNumber } from "@/lib/format";
import { stringifySearch } from "@/lib/urlState";
import classes from "./whyNot.module.css";

type Step = RuleExplanation["steps"][number];

interface QueryData {
  track: "logs" | "signals";
  text: string;
  found: number;
  terms: { term: string; events: number }[];
  nearest?: { event_id: string; timestamp: string; held: number; excluded_by: { term: string; values: Record<string, string> }[] }[];
}

const AROUND_MS = 300_000;

/** What a step counted: of a query how many logs or signals each term found, and the nearest ones with what they had instead. */
export function StepDetails({ step, from, to }: { step: Step; from: string; to: string }) {
  if (step.name === "exclusion") {
    const { suppressions = [] } = step.data as { suppressions?: { id: string; name: string }[] };
    return (
      <div className={classes.dim}>
        {suppressions.map(({ id, name }) => (
          <AppLink key={id} to={`/suppressions${stringifySearch({ open: id })}`}>
            {name}
          </AppLink>
        ))}
      </div>
    );
  }
  if (step.name !== "query" || !("terms" in step.data)) return null;
  const { track, text, terms, nearest = [] } = step.data as unknown as QueryData;
  return (
    <>
      {terms.length > 1 && (
        <ul className={classes.terms} aria-label={`Terms of the query, with the ${track} that each holds for`}>
          {terms.map(({ term, events }, index) => (
            <li key={`${term} ${String(index)}`} data-none={events === 0 || undefined}>
              <code>{term}</code> {formatNumber(events)}
            </li>
          ))}
        </ul>
      )}
      {nearest.map((event) => {
        const at = Date.parse(event.timestamp);
        return (
          <div key={event.event_id} className={classes.near}>
            <AppLink to={`/${track}${stringifySearch({ event: event.event_id, from: String(at - AROUND_MS), to: String(at + AROUND_MS) })}`}>
              <AbsoluteTime time={at} />
            </AppLink>{" "}
            {event.excluded_by.map(({ term, values }) => (
              <span key={term}>
                not <code>{term}</code>
                {Object.entries(values).map(([field, value]) => (
                  <span key={field} className={classes.dim}>
                    {" "}
                    ({field} is {value})
                  </span>
                ))}{" "}
              </span>
            ))}
          </div>
        );
      })}
      <AppLink to={`/${track}${stringifySearch({ query: text, from, to })}`}>The query in {track === "logs" ? "Logs" : "Signals"}</AppLink>
    </>
  );
}
