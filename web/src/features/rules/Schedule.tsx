import { useQuery } from "@tanstack/react-query";
import { scheduleQuery, type ScheduledRun } from "@/api/schedule";
import type { Rule } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import { ErrorState, SkeletonRows } from "@/components/states";
import { AbsoluteTime, RelativeTime } from "@/components/Time";
import { stringifySearch } from "@/lib/urlState";
import classes from "./schedule.module.css";

/** When a scheduled rule runs next, up to where it has looked at logs, and how its last runs went. */
export function Schedule({ rule }: { rule: Rule }) {
  const { data, error } = useQuery(scheduleQuery(rule.id));
  if (error) return <ErrorState inline error={error} />;
  if (!data) return <SkeletonRows rows={4} />;
  return (
    <section className={classes.schedule} aria-label="Schedule">
      <h2>Schedule</h2>
      <p>
        <code>{data.rrule}</code> from {data.start.replace("T", " ")} in {data.timezone}.{" "}
        {data.analysed_until === null ? (
          "The rule is switched off."
        ) : (
          <>
            Logs up to <AbsoluteTime time={Date.parse(data.analysed_until)} /> are looked at.
          </>
        )}
      </p>
      {data.next_runs.length > 0 && (
        <p>
          Next:{" "}
          {data.next_runs.map((at, index) => (
            <span key={at}>
              {index > 0 && ", "}
              <AbsoluteTime time={Date.parse(at)} />
            </span>
          ))}
        </p>
      )}
      {data.runs.length === 0 ? (
        <p className={classes.dim}>It has not run yet. A run begins two minutes after its time, for logs that are on their way.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th>Began</th>
              <th>Logs of</th>
              <th>Outcome</th>
              <th>Matches</th>
              <th>Raised</th>
              <th>Version</th>
            </tr>
          </thead>
          <tbody>
            {data.runs.map((run) => (
              <Run key={run.until} rule={rule} run={run} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Run({ rule, run }: { rule: Rule; run: ScheduledRun }) {
  const span = { from: String(Date.parse(run.since)), to: String(Date.parse(run.until)) };
  const asked = rule.queries.map((query) => `(${query.query ?? "*"})`).join(" OR ");
  const matches = run.matches.toLocaleString("en");
  return (
    <tr>
      <td>
        <RelativeTime time={Date.parse(run.began_at)} />
      </td>
      <td>
        <AbsoluteTime time={Date.parse(run.since)} /> – <AbsoluteTime time={Date.parse(run.until)} />
        {run.times > 1 && <span className={classes.dim}> ({run.times} runs in one)</span>}
      </td>
      <td className={run.status === "failed" ? classes.failed : undefined}>
        {run.status}
        {run.error !== null && <span className={classes.dim}>: {run.error}</span>}
      </td>
      <td>
        {Array.isArray(rule.calculatedFields) && rule.calculatedFields.length > 0 ? (
          <span title="The logs explorer knows no calculated fields">{matches}</span>
        ) : (
          <AppLink to={`/logs${stringifySearch({ query: asked, ...span })}`} title="The logs that the queries find in this time">
            {matches}
          </AppLink>
        )}
      </td>
      <td>
        <AppLink to={`/signals${stringifySearch({ query: `@workflow.rule.id:${rule.id}`, ...span })}`}>Signals</AppLink>
      </td>
      <td>{run.version}</td>
    </tr>
  );
}
