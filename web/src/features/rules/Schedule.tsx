import { useQuery } from "@tanstack/react-query";
import { scheduleQuery, type ScheduledRun } from "@/api/schedule";
import type { Rule } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import { EmptyState, ErrorState, SkeletonRows } from "@/components/states";
import { AbsoluteTime, RelativeTime } from "@/components/Time";
import { formatNumber } from "@/lib/format";
import { stringifySearch } from "@/lib/urlState";
import page from "@/components/Page.module.css";
import { NextRuns } from "./NextRuns";
import { addressOf, NO_SEARCH, readByAll, searchOf } from "./preview";
import { list } from "./ruleDraft";
import { sentenceOf } from "./recurrence";
import { NO_FIELDS } from "./scheduling";
import classes from "./schedule.module.css";

/** When a scheduled rule runs next, up to where it has looked at logs, and how its last runs went. */
export function Schedule({ rule }: { rule: Rule }) {
  const { data, error, refetch } = useQuery(scheduleQuery(rule.id));
  if (!data) return error ? <ErrorState error={error} retry={() => void refetch()} /> : <SkeletonRows rows={4} />;
  const sentence = sentenceOf(data);
  return (
    <section className={classes.schedule} aria-label="Schedule">
      {error && <ErrorState inline error={error} retry={() => void refetch()} />}
      <div className={classes.when}>
        <div className={classes.about}>
          <p>
            <strong>{sentence ?? "By its RRULE"}</strong>, from {data.start.replace("T", " ")}
            {sentence === null && ` in ${data.timezone}`} <code className={classes.dim}>{data.rrule}</code>
          </p>
          <p className={classes.dim}>
            {data.analysed_until === null ? (
              "The rule is switched off: it looks at nothing."
            ) : (
              <>
                Logs up to <AbsoluteTime time={Date.parse(data.analysed_until)} /> are looked at. A run begins two minutes after its time, for logs that are on their way.
              </>
            )}
          </p>
        </div>
        {data.analysed_until !== null && <NextRuns times={data.next_runs} />}
      </div>
      {data.runs.length === 0 ? (
        <EmptyState title="It has not run yet">Here stand the last 20 runs, with the logs that each looked at and what came of it.</EmptyState>
      ) : (
        <table className={page.table}>
          <thead>
            <tr>
              <th scope="col">Began</th>
              <th scope="col">Logs of</th>
              <th scope="col">Outcome</th>
              <th scope="col" className={page.number}>
                Matches
              </th>
              <th scope="col">Raised</th>
              <th scope="col" className={page.number}>
                Version
              </th>
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
  const read = readByAll(rule);
  const unsearchable = read === "event" ? NO_SEARCH : list(rule.calculatedFields).length > 0 ? NO_FIELDS : null;
  const asked = rule.queries.map((query) => `(${searchOf(query)})`).join(" OR ");
  const matches = formatNumber(run.matches);
  return (
    <tr>
      <td>
        <RelativeTime time={Date.parse(run.began_at)} />
      </td>
      <td>
        <AbsoluteTime time={Date.parse(run.since)} /> – <AbsoluteTime time={Date.parse(run.until)} />
        {run.times > 1 && <span className={classes.dim}> ({run.times} runs in one)</span>}
      </td>
      <td className={run.status === "failed" ? classes.failed : classes.outcome}>
        {run.status}
        {run.error !== null && <span className={classes.dim}>: {run.error}</span>}
      </td>
      <td className={page.number}>
        {unsearchable !== null || read === "event" ? (
          <span title={unsearchable ?? undefined}>{matches}</span>
        ) : (
          <AppLink to={addressOf(read, asked, span)} title={`The ${read}s that the queries find in this time`}>
            {matches}
          </AppLink>
        )}
      </td>
      <td>
        <AppLink to={`/signals${stringifySearch({ query: `@workflow.rule.id:${rule.id}`, ...span })}`}>Signals</AppLink>
      </td>
      <td className={page.number}>{run.version}</td>
    </tr>
  );
}
