import { Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Fragment, useState, type ReactNode } from "react";
import { ruleQuery } from "@/api/rules";
import { useMay } from "@/api/session";
import type { ExploreEvent, SignalQuery } from "@/api/types";
import type { ExplorerHandle } from "@/components/explorer/model";
import { ValueMenu } from "@/components/ValueMenu";
import { AppLink } from "@/components/AppLink";
import { AbsoluteTime } from "@/components/Time";
import { textsAt } from "@/lib/attributes";
import { beginningOf, formatNumber, plural } from "@/lib/format";
import { formatDuration } from "@/lib/time";
import { splitEntity } from "./Entities";
import { custom, timeOf, titleOf } from "./config";
import { fieldWords, hasWord } from "./fieldWords";
import { Why } from "./Why";
import { relatedLogs } from "./relatedLogs";
import classes from "./signals.module.css";

/** Paths whose values tell the story when the events agree on them. */
const TELLING = ["usr.id", "usr.name", "network.client.ip", "network.client.geoip.country.iso_code", "network.client.geoip.as.name", "evt.name", "evt.outcome", "http.useragent", "http.url_details.path"];

export function WhatHappened({ signal, explorer }: { signal: ExploreEvent; explorer: ExplorerHandle }) {
  const signalCustom = custom(signal);
  const { workflow, queries = [], groupByValues = {} } = signalCustom;
  const mayReadRules = useMay("security_monitoring_rules_read");
  const rule = useQuery({ ...ruleQuery(workflow?.rule?.id ?? ""), enabled: mayReadRules && Boolean(workflow?.rule?.id), retry: false });
  const first = timeOf(workflow?.first_seen ?? signal.attributes.timestamp) ?? 0;
  const last = timeOf(workflow?.last_seen ?? signal.attributes.timestamp) ?? first;
  const count = workflow?.events_matched ?? 0;
  const windowSeconds = rule.data?.options.evaluationWindow;
  const groups = Object.entries(groupByValues).flatMap(([field, value]) => (Array.isArray(value) ? value : [value]).map((each) => ({ field, value: each })));
  const values = keyValues(signal);
  return (
    <div className={classes.story}>
      <p>
        <AppLink to={`/rules/${workflow?.rule?.id ?? ""}`}>{workflow?.rule?.name ?? titleOf(signal)}</AppLink> found{" "}
        <AppLink to={relatedLogs(signal)} title="View these logs">
          {plural(count, "matching event")}
        </AppLink>
        {groups.length > 0 && (
          <>
            {" "}
            for{" "}
            {groups.map(({ field, value }, index) => (
              <Fragment key={`${field}:${value}`}>
                {index > 0 && (index === groups.length - 1 ? " and " : ", ")}
                <ValueMenu field={field} value={value}>
                  <code>{beginningOf(value)}</code>
                </ValueMenu>
              </Fragment>
            ))}
          </>
        )}
        {last - first >= 1000 ? (
          <>
            {" "}
            within {formatDuration(last - first)}, from <AbsoluteTime time={first} /> to <AbsoluteTime time={last} />.
          </>
        ) : (
          <>
            {" "}
            at <AbsoluteTime time={first} />.
          </>
        )}
      </p>
      <Why signal={signal} windowSeconds={windowSeconds} />
      {queries.length > 0 && (
        <ul className={classes.queries} aria-label="Queries that matched">
          {queries.map((query, index) => (
            <li key={`${query.name}-${String(index)}`} className={classes.query}>
              <span className={classes.queryName}>{query.name || String.fromCharCode(97 + index)}</span>
              <QueryDetails query={query}>
                <code className={classes.queryText}>{query.query ? clauses(query.query) : "every event"}</code>
              </QueryDetails>
              <AppLink to={relatedLogs(signal, index)} title="View these logs" className={classes.queryValue}>
                {measured(query)}
              </AppLink>
            </li>
          ))}
        </ul>
      )}
      <dl className={classes.values}>
        {values.map(({ field, label, texts }) => (
          <div key={label} className={classes.valueRow}>
            <dt title={label}>{fieldWords(label)}</dt>
            <dd>
              <Values field={field} texts={texts} />
            </dd>
          </div>
        ))}
      </dl>
      <button type="button" className="link" onClick={() => explorer.update({ query: `@workflow.rule.id:${workflow?.rule?.id ?? ""}` })}>
        All signals of this rule
      </button>
    </div>
  );
}

const SHOWN = 5;

function Values({ field, texts }: { field: string; texts: string[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? texts : texts.slice(0, SHOWN);
  return (
    <>
      {shown.map((text) => (
        <ValueMenu key={text} field={field} value={text}>
          {beginningOf(text)}
        </ValueMenu>
      ))}
      {shown.length < texts.length && (
        <button type="button" className="link" onClick={() => setAll(true)}>
          +{texts.length - shown.length} more
        </button>
      )}
    </>
  );
}

/** Lines end between words, not behind the `-` of `-@usr.id:root`. */
const clauses = (query: string) =>
  query.split(" ").map((word, index) => (
    <Fragment key={index}>
      {index > 0 && " "}
      <span className={classes.word}>{word}</span>
    </Fragment>
  ));

/** The matched query with everything that decided about it. */
function QueryDetails({ query, children }: { query: SignalQuery; children: ReactNode }) {
  const details: [string, string][] = [
    ["Query", query.query || "every event"],
    ["Counts", query.aggregation === "cardinality" ? `distinct values of ${query.distinctFields.join(", ")}` : query.aggregation === "count" ? "events" : `${query.aggregation} of ${query.metric ?? ""}`],
    ["Grouped by", query.groupByPaths.join(", ") || "nothing"],
    ["Events", formatNumber(query.aggregationDetails?.eventsCount ?? 0)],
    ["Value", formatNumber(query.aggregationDetails?.value ?? 0)],
    ["Distinct values", (query.aggregationDetails?.distinctValues ?? []).slice(0, 10).join(", ")],
  ];
  return (
    <Tooltip
      position="bottom-start"
      openDelay={200}
      events={{ hover: true, focus: true, touch: true }}
      classNames={{ tooltip: classes.tooltip }}
      label={
        <dl className={classes.details}>
          {details
            .filter(([, value]) => value !== "")
            .map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{name === "Query" ? <code>{value}</code> : value}</dd>
              </div>
            ))}
        </dl>
      }
    >
      <button type="button" className={classes.hover}>
        {children}
      </button>
    </Tooltip>
  );
}

function measured(query: SignalQuery): string {
  const value = query.aggregationDetails?.value ?? query.aggregationDetails?.eventsCount ?? 0;
  if (query.aggregation === "count") return plural(value, "event");
  if (query.aggregation === "cardinality") return `${formatNumber(value)} distinct`;
  return `${query.aggregation} ${formatNumber(value)}`;
}

function keyValues(signal: ExploreEvent): { field: string; label: string; texts: string[] }[] {
  const signalCustom = custom(signal);
  const rows = new Map<string, { field: string; label: string; texts: string[] }>();
  const add = (field: string, text: string) => {
    const label = field.replace(/^@/, "");
    const row = rows.get(label) ?? { field, label, texts: [] };
    if (!row.texts.includes(text)) row.texts.push(text);
    rows.set(label, row);
  };
  for (const entity of signalCustom.entities ?? []) {
    const { field, value } = splitEntity(entity);
    if (field) add(field, value);
  }
  for (const path of TELLING) for (const text of textsAt(signalCustom, path)) add(`@${path}`, text);
  // The same words under a second name tell nothing new.
  const list = [...rows.values()].toSorted((left, right) => Number(hasWord(right.label)) - Number(hasWord(left.label)));
  return list.filter((row, index) => !list.slice(0, index).some((other) => other.texts.join() === row.texts.join()));
}
