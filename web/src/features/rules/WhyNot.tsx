import { ActionIcon, Button, SegmentedControl, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { ruleExplanationQuery, type RuleExplanation, type WhyNotQuestion } from "@/api/explain";
import { useMay } from "@/api/session";
import type { Rule } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import { Icon } from "@/components/icons";
import { ErrorState, SkeletonRows } from "@/components/states";
import { AbsoluteTime } from "@/components/Time";
import { useZone } from "@/components/zone";
import { formatDuration, fromInputValue, toInputValue } from "@/lib/time";
import { stringifySearch } from "@/lib/urlState";
import { groupsOf, queriesOf } from "./ruleDraft";
import { StepDetails } from "./WhyNotStep";
import classes from "./whyNot.module.css";

const MOST_FIELDS = 5;
const HOUR_MS = 3_600_000;
const NEEDED = ["security_monitoring_rules_read", "security_monitoring_signals_read", "logs_read_data"] as const;

/** Asks why the rule did not fire for somebody at some time: which step failed, and by how much (docs/why.md). */
export function WhyNot({ rule }: { rule: Rule }) {
  const [question, setQuestion] = useState<WhyNotQuestion | null>(null);
  const rights = [useMay(NEEDED[0]), useMay(NEEDED[1]), useMay(NEEDED[2])];
  const missing = NEEDED.filter((_, index) => !rights[index]);
  const answer = useQuery(ruleExplanationQuery(rule.id, question));
  if (missing.length > 0) return <p className={classes.dim}>Asking this needs the permission {missing.join(" and ")}.</p>;
  return (
    <div className={classes.whyNot}>
      <Ask key={rule.id} rule={rule} busy={answer.isFetching} onAsk={(next) => (JSON.stringify(next) === JSON.stringify(question) ? void answer.refetch() : setQuestion(next))} />
      {answer.isFetching ? <SkeletonRows rows={6} /> : answer.error ? <ErrorState inline error={answer.error} /> : answer.data ? <Answer told={answer.data} rule={rule} /> : <p className={classes.dim}>The answer goes through the steps of detection, from the logs or signals that it saw to its own signal, and says at which one the rule stopped and what was missing.</p>}
    </div>
  );
}

/** Fields as the rule groups by them, with values; and a moment, or a span. */
function Ask({ rule, busy, onAsk }: { rule: Rule; busy: boolean; onAsk: (question: WhyNotQuestion) => void }) {
  const { zone } = useZone();
  const grouped = [...new Set(queriesOf(rule).flatMap(groupsOf))].slice(0, MOST_FIELDS);
  const [rows, setRows] = useState(() => (grouped.length > 0 ? grouped : ["@usr.id"]).map((field) => ({ field, value: "" })));
  const [kind, setKind] = useState("at");
  const [now] = useState(() => Math.floor(Date.now() / 60_000) * 60_000);
  const [at, setAt] = useState(() => toInputValue(now, zone));
  const [from, setFrom] = useState(() => toInputValue(now - HOUR_MS, zone));
  const [to, setTo] = useState(() => toInputValue(now, zone));
  const given = rows.filter((row) => row.field.trim() !== "" && row.value.trim() !== "");
  const times = { at: fromInputValue(at, zone), from: fromInputValue(from, zone), to: fromInputValue(to, zone) };
  const isTimed = kind === "at" ? times.at !== null : times.from !== null && times.to !== null && times.from < times.to;
  const ask = (event: SyntheticEvent) => {
    event.preventDefault();
    const entity = Object.fromEntries(given.map(({ field, value }) => [field.trim(), value.trim()]));
    onAsk({ entity, ...(kind === "at" ? { at: times.at ?? 0 } : { from: times.from ?? 0, to: times.to ?? 0 }) });
  };
  const edit = (index: number, change: Partial<{ field: string; value: string }>) => setRows(rows.map((row, other) => (other === index ? { ...row, ...change } : row)));
  const zoned = zone === "utc" ? "UTC" : "local";
  return (
    <form className={classes.ask} onSubmit={ask} aria-label="Why did it not fire?">
      <fieldset className={classes.entity}>
        <legend>For whom</legend>
        {rows.map((row, index) => (
          <div key={index} className={classes.pair}>
            <TextInput size="xs" aria-label={`Field ${String(index + 1)}`} placeholder="@usr.id" classNames={{ input: classes.mono ?? "" }} value={row.field} onChange={(event) => edit(index, { field: event.currentTarget.value })} />
            <TextInput size="xs" aria-label={`Value of ${row.field || `field ${String(index + 1)}`}`} placeholder="its value" classNames={{ input: classes.mono ?? "" }} value={row.value} onChange={(event) => edit(index, { value: event.currentTarget.value })} />
            {rows.length > 1 && (
              <ActionIcon aria-label={`Without ${row.field || `field ${String(index + 1)}`}`} onClick={() => setRows(rows.filter((_, other) => other !== index))}>
                <Icon name="close" size={13} />
              </ActionIcon>
            )}
          </div>
        ))}
        {rows.length < MOST_FIELDS && (
          <button type="button" className="link" onClick={() => setRows([...rows, { field: "", value: "" }])}>
            another field
          </button>
        )}
      </fieldset>
      <fieldset className={classes.when}>
        <legend>When ({zoned})</legend>
        <SegmentedControl size="xs" transitionDuration={0} aria-label="Around a moment, or in a span" data={[{ value: "at", label: "Around" }, { value: "span", label: "Between" }]} value={kind} onChange={setKind} />
        {kind === "at" ? (
          <TextInput size="xs" type="datetime-local" step={1} aria-label="Moment" value={at} onChange={(event) => setAt(event.currentTarget.value)} />
        ) : (
          <>
            <TextInput size="xs" type="datetime-local" step={1} aria-label="From" value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
            <TextInput size="xs" type="datetime-local" step={1} aria-label="To" value={to} error={times.from !== null && times.to !== null && times.from >= times.to ? "The end is before the start" : undefined} onChange={(event) => setTo(event.currentTarget.value)} />
          </>
        )}
      </fieldset>
      <Button type="submit" disabled={given.length === 0 || !isTimed} loading={busy}>
        Why not?
      </Button>
    </form>
  );
}

const OUTCOMES = { fired: "It fired", hidden: "It fired, and the signal is hidden", not_fired: "It did not fire" } as const;
const STEP_WORDS: Record<string, string> = { rule: "Rule", events: "Events", query: "Query", grouping: "Group by", exclusion: "Exclusion", filter: "Security filter", table: "Reference table", recognised: "Recognised", calculated: "Calculated fields", arrival: "Arrival", match: "Match", condition: "Condition", evaluation: "Evaluation", suppression: "Suppression", signal: "Signal" };
/** Without a table in its way, this step is about the conditions taken together. */
const nameOf = ({ name, status }: RuleExplanation["steps"][number]): string => (name === "table" && status === "skipped" ? "Together" : (STEP_WORDS[name] ?? name));
const STATUS_WORDS = { passed: "passed", failed: "failed here", skipped: "not told" } as const;
const STATUS_ICONS = { passed: "check", failed: "close", skipped: "dots" } as const;

function Answer({ told, rule }: { told: RuleExplanation; rule: Rule }) {
  const decisive = told.outcome === "not_fired" ? told.steps.findIndex((step) => step.status === "failed") : -1;
  const { from, to, best_moment: best } = told;
  return (
    <section aria-label="Answer" aria-live="polite" className={classes.answer}>
      <h2 className={classes.outcome}>{OUTCOMES[told.outcome]}</h2>
      <p className={classes.verdict}>{told.answer}</p>
      <p className={classes.dim}>
        For {Object.entries(told.entity).map(([field, value]) => `${field} ${value}`).join(", ")}, from <AbsoluteTime time={Date.parse(from)} /> to <AbsoluteTime time={Date.parse(to)} />, by version {told.rule.version} of the rule
        {told.rule.version !== rule.version && ` (now at ${String(rule.version)})`}
      </p>
      {best && best.checks.length > 0 && <BestMoment best={best} />}
      <ol className={classes.steps}>
        {told.steps.map((step, index) => (
          <li key={`${step.name} ${String(index)}`} data-status={step.status} data-decisive={index === decisive || undefined}>
            <span className={classes.mark}>
              <Icon name={STATUS_ICONS[step.status]} size={13} />
              <span className="visually-hidden">{STATUS_WORDS[step.status]}</span>
            </span>
            <span className={classes.stepName}>{nameOf(step)}</span>
            <div className={classes.stepText}>
              {step.message}
              <StepDetails step={step} from={from} to={to} />
            </div>
          </li>
        ))}
      </ol>
      {told.signals.length > 0 && (
        <p>
          {told.signals.map(({ id, timestamp, state }, index) => (
            <span key={id}>
              {index > 0 && ", "}
              <AppLink to={`/signals${state === "hidden" ? "/suppressed" : ""}${stringifySearch({ event: id, from, to: "now" })}`}>
                the {state === "hidden" ? "hidden signal" : "signal"} of <AbsoluteTime time={Date.parse(timestamp)} />
              </AppLink>
            </span>
          ))}
        </p>
      )}
    </section>
  );
}

/** How near it came: each comparison of the condition, and what it lacked. */
function BestMoment({ best }: { best: NonNullable<RuleExplanation["best_moment"]> }) {
  return (
    <table className={classes.checks}>
      <caption>
        How near it came, at <AbsoluteTime time={Date.parse(best.at)} />
        {best.window_seconds > 0 && ` in the ${formatDuration(best.window_seconds * 1000)} before`}
        {typeof best.case.condition === "string" && best.case.condition !== "" && (
          <>
            : <code>{best.case.condition}</code>
          </>
        )}
      </caption>
      <thead>
        <tr>
          <th scope="col">Value</th>
          <th scope="col">Was</th>
          <th scope="col">Wanted</th>
          <th scope="col">Lacked</th>
        </tr>
      </thead>
      <tbody>
        {best.checks.map((check, index) => (
          <tr key={`${check.name} ${String(index)}`} data-holds={check.holds || undefined}>
            <td>
              <code>{check.name}</code>
            </td>
            <td>{check.value === null ? "nothing" : short(check.value)}</td>
            <td>
              {check.operator} {short(check.wanted)}
            </td>
            <td>{check.holds ? "held" : check.missing ? short(check.missing) : "–"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const short = (value: number): string => new Intl.NumberFormat("en-GB", { maximumFractionDigits: 3 }).format(value);
