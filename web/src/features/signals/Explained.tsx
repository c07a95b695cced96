import { useQuery } from "@tanstack/react-query";
import { signalExplanationQuery, type ExplainedCase, type SignalExplanation } from "@/api/explain";
import type { ExploreEvent } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import { SeverityLabel } from "@/components/Severity";
import { ErrorState, SkeletonRows } from "@/components/states";
import { AbsoluteTime } from "@/components/Time";
import { ValueMenu } from "@/components/ValueMenu";
import { formatNumber, plural } from "@/lib/format";
import { formatDuration } from "@/lib/time";
import { stringifySearch } from "@/lib/urlState";
import { Compared } from "./Compared";
import { countedValues } from "./config";
import { relatedLogs } from "./relatedLogs";
import classes from "./signals.module.css";
import { Fact, Part } from "./Told";

const AROUND_MS = 300_000;

/** How the end of a scheduled run is named in the place of an event (docs/scheduled-rules.md). */
const RUN = "run-";

/** Everything that the server can say about why the signal is there (docs/why.md). */
export function Explained({ signal }: { signal: ExploreEvent }) {
  const { data, error, isPending, refetch } = useQuery(signalExplanationQuery(signal.id));
  if (isPending) return <SkeletonRows rows={8} height={24} />;
  if (!data) return <ErrorState error={error} retry={() => void refetch()} />;
  return (
    <div className={classes.explained}>
      <p>{data.summary}</p>
      <Part title="Condition">
        <Counts signal={signal} told={data} />
        <dl className={classes.told}>
          <Fact name="Decided by">
            <Case told={data.case} windowSeconds={data.window.seconds} />
          </Fact>
          {data.opened.event_id !== data.case.event_id && (
            <Fact name="Opened by">
              <Case told={data.opened} windowSeconds={data.window.seconds} />
            </Fact>
          )}
          <Fact name="For">{data.group.length === 0 ? "everything: the rule does not group" : data.group.map(({ field, value }) => [value].flat().map((each) => <ValueMenu key={`${field}:${each}`} field={field} value={each}><code>{field.replace(/^@/, "")}:{each}</code></ValueMenu>))}</Fact>
          <Fact name="Rests on">
            <AppLink to={relatedLogs(signal)}>{plural(data.events.matched, "event")}</AppLink>
            {data.events.hits > 1 && `; a case held ${formatNumber(data.events.hits)} times`}
            {data.events.attributes_from < data.events.matched && `; its attributes are those of ${formatNumber(data.events.attributes_from)} of them`}
          </Fact>
        </dl>
      </Part>
      <Compared baseline={data.baseline} />
      <Part title="Severity">
        <ol className={classes.why}>
          <li>
            <SeverityLabel severity={data.opened.status} /> by the case that opened it
          </li>
          {data.severity.changes.map((change) => (
            <li key={change.at}>
              <SeverityLabel severity={change.status} /> when <code>{change.condition || "any event matched"}</code> held, <AbsoluteTime time={Date.parse(change.at)} />
            </li>
          ))}
          {data.severity.adjustments.map((change) => (
            <li key={`${change.kind} ${change.to}`}>
              <SeverityLabel severity={change.to} /> instead of <SeverityLabel severity={change.from} />: {change.kind.replace(/_/g, " ")}
              {change.because && `, ${change.because}`}
            </li>
          ))}
        </ol>
      </Part>
      {data.threat_intel.length > 0 && <Intel told={data.threat_intel} />}
      <Part title="Rule and window">
        <dl className={classes.told}>
          <Fact name="Rule">
            {data.rule.is_deleted ? data.rule.name : <AppLink to={`/rules/${data.rule.id}`}>{data.rule.name}</AppLink>}, version {data.rule.version} <span className={classes.dim}>{ruleNow(data.rule)}</span>
          </Fact>
          <Fact name="Method">{data.rule.detection_method.replace(/_/g, " ")}</Fact>
          {data.window.seconds > 0 && (
            <Fact name="Window">
              {seconds(data.window.seconds)}, with {plural(data.window.events, "event")} in the one that decided
            </Fact>
          )}
          <Fact name={data.closing.is_open ? "Open until" : "Closed"}>
            <AbsoluteTime time={Date.parse(data.closing.at)} />
            {data.closing.is_open ? ", unless a case holds again" : `: ${closedBecause(data)}`}
          </Fact>
          <Fact name="Hidden">
            <Hidden told={data.suppression} />
          </Fact>
          <Fact name="Found">
            <AbsoluteTime time={Date.parse(data.found.discovered_at)} />, {formatDuration(data.found.delay_seconds * 1000)} after the event that decided it
          </Fact>
        </dl>
      </Part>
    </div>
  );
}

/** The queries with what each came to when the case decided, and over the signal's whole life. */
function Counts({ signal, told }: { signal: ExploreEvent; told: SignalExplanation }) {
  return (
    <table className={classes.counts}>
      <caption className="visually-hidden">Queries and their counts</caption>
      <thead>
        <tr>
          <th scope="col">Query</th>
          <th scope="col">When it decided</th>
          <th scope="col">In all</th>
        </tr>
      </thead>
      <tbody>
        {told.queries.map((query, index) => {
          const label = query.name || String.fromCharCode(97 + index);
          const value = told.case.values[label] ?? null;
          return (
            <tr key={label}>
              <td>
                <span className={classes.queryName}>{label}</span> <code>{query.query || "every event"}</code>
                {query.aggregation !== "count" && <div className={classes.dim}>{query.aggregation === "cardinality" ? `distinct values of ${query.distinctFields.join(", ")}` : `${query.aggregation} of ${query.metric ?? ""}`}</div>}
              </td>
              <td>{value === null ? "–" : formatNumber(value)}</td>
              <td>
                <AppLink to={relatedLogs(signal, index)} title="View these logs">
                  {formatNumber(query.aggregationDetails?.eventsCount ?? 0)}
                </AppLink>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Case({ told, windowSeconds }: { told: ExplainedCase; windowSeconds: number }) {
  const at = Date.parse(told.at);
  const values = countedValues(told.values);
  return (
    <>
      <code>{told.condition || "any event matched"}</code>
      {told.case && ` (${told.case})`} held{values && ` with ${values}`}
      {windowSeconds > 0 ? ` in the ${seconds(windowSeconds)} up to ` : " at "}
      {told.event_id.startsWith(RUN) ? (
        <>
          the end of a run, <AbsoluteTime time={at} />
        </>
      ) : (
        <AppLink to={`/logs${stringifySearch({ event: told.event_id, from: String(at - AROUND_MS), to: String(at + AROUND_MS) })}`}><AbsoluteTime time={at} /></AppLink>
      )}
    </>
  );
}

function Intel({ told }: { told: SignalExplanation["threat_intel"] }) {
  return (
    <Part title="Threat intelligence">
      <table className={classes.counts}>
        <thead>
          <tr>
            <th scope="col">Indicator</th>
            <th scope="col">Category</th>
            <th scope="col">Intention</th>
            <th scope="col">Source</th>
            <th scope="col">Events</th>
          </tr>
        </thead>
        <tbody>
          {told.map((match) => (
            <tr key={`${match.type} ${match.indicator} ${match.source.name ?? ""}`}>
              <td>
                <span className={classes.dim}>{match.type}</span> <ValueMenu field="@threat_intel.results.indicator" value={match.indicator}><code>{match.indicator}</code></ValueMenu>
              </td>
              <td>{match.category ?? "–"}</td>
              <td>{match.intention ?? "–"}</td>
              <td>{match.source.name ?? "–"}</td>
              <td>{formatNumber(match.events)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Part>
  );
}

function Hidden({ told }: { told: SignalExplanation["suppression"] }) {
  if (told.state === "shown") return <>no suppression hides it</>;
  return (
    <>
      {told.state === "hidden" ? "by " : "its further updates are, by "}
      {told.suppressions?.map(({ id, name, version }, index) => (
        <span key={id}>
          {index > 0 && ", "}
          <AppLink to={`/suppressions${stringifySearch({ open: id })}`}>{name}</AppLink> (version {version})
        </span>
      ))}
      {told.since && (
        <>
          {" "}
          since <AbsoluteTime time={Date.parse(told.since)} />
        </>
      )}
      {told.state === "updates_hidden" && (
        <>
          ; with them it would rest on {formatNumber(told.events_matched_with_updates ?? 0)} events and be <SeverityLabel severity={told.severity_with_updates ?? ""} />
        </>
      )}
    </>
  );
}

function ruleNow({ is_deleted, is_current, is_enabled, current_version }: SignalExplanation["rule"]): string {
  if (is_deleted) return "(deleted since)";
  const now = is_current ? "the current one" : `now at version ${String(current_version)}`;
  return `(${now}${is_enabled ? "" : ", disabled"})`;
}

function closedBecause({ closing, window }: SignalExplanation): string {
  if (closing.because === "keep_alive") return `no case held again within ${seconds(window.keep_alive_seconds)}`;
  if (closing.because === "max_signal_duration") return `it had lasted ${seconds(window.max_signal_duration_seconds)}`;
  return closing.because;
}

const seconds = (count: number): string => formatDuration(count * 1000);
