import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { eventsPage, exploreKeys, facetQuery } from "@/api/explore";
import { feedsQuery, huntsQuery } from "@/api/intel";
import { AppLink } from "@/components/AppLink";
import { Columns, type Column } from "@/components/List";
import pages from "@/components/Page.module.css";
import { ErrorState, SkeletonRows } from "@/components/states";
import { CellTime } from "@/components/Time";
import { formatNumber, plural } from "@/lib/format";
import { isObject, textAt } from "@/lib/attributes";
import { quoteValue } from "@/lib/queryText";
import { stringifySearch } from "@/lib/urlState";
import { HuntTable } from "./HuntTable";
import type { TabProps } from "./IntelPage";
import classes from "./intel.module.css";
import { INDICATOR_FIELD, IntentionLabel } from "./labels";

const MATCHED = "@threat_intel.indicators_matched:*";
const SPANS = { "24h": { label: "24 hours", hours: 24 }, "7d": { label: "7 days", hours: 168 }, "30d": { label: "30 days", hours: 720 } } as const;
const COLUMNS: Column[] = [{ label: "Time" }, { label: "Indicator" }, { label: "Intention" }, { label: "Source" }, { label: "Log" }];
const RECENT = 50;
const MOST_INDICATORS = 20;

/** Where indicators were met: by indicator, the latest logs, and what hunts found in earlier ones. */
export function MatchesTab({ search, change }: TabProps) {
  const span = search.span && search.span in SPANS ? (search.span as keyof typeof SPANS) : "7d";
  const [now] = useState(() => Date.now());
  const from = `now-${span}`;
  const filter = useMemo(() => ({ query: MATCHED, from: new Date(now - SPANS[span].hours * 3_600_000).toISOString(), to: new Date(now).toISOString() }), [now, span]);
  const counts = useQuery(facetQuery("logs", filter, INDICATOR_FIELD, MOST_INDICATORS, ""));
  const logs = useQuery({
    queryKey: [...exploreKeys.track("logs"), "matched", filter],
    queryFn: ({ signal }) => eventsPage("logs", filter, { field: "timestamp", descending: true }, null, RECENT, signal),
    staleTime: Infinity,
  });
  const feeds = useQuery({ ...feedsQuery, retry: false });
  const hunts = useQuery({ ...huntsQuery(null), retry: false });
  const result = counts.data?.data[0];
  const most = Math.max(1, ...(result?.values ?? []).map((value) => value.count));
  const total = counts.data?.meta.total ?? 0;
  return (
    <div className={pages.scroll}>
      <div className={pages.bar}>
        <SegmentedControl size="xs" aria-label="Time range" value={span} onChange={(next) => change({ span: next })} data={Object.entries(SPANS).map(([value, { label }]) => ({ value, label }))} />
        {counts.data && (
          <span className={pages.dim}>
            <AppLink to={`/logs${stringifySearch({ query: MATCHED, from, to: "now" })}`}>{plural(total, "log holds an indicator", "logs hold an indicator")}</AppLink>
          </span>
        )}
      </div>
      <div className={classes.matches}>
        <section className={classes.block} aria-label="By indicator">
          <div className={classes.blockHead}>
            <h2>By indicator</h2>
            {result && result.distinct > MOST_INDICATORS && <span className={pages.dim}>the {MOST_INDICATORS} most frequent of {formatNumber(result.distinct)}</span>}
          </div>
          {counts.error && <ErrorState inline error={counts.error} retry={() => void counts.refetch()} />}
          {counts.isPending && <SkeletonRows rows={8} height={26} />}
          {result && result.values.length === 0 && <p className={pages.dim}>No log of this range holds an indicator.</p>}
          <ul className={classes.bars}>
            {result?.values.map(({ value, count }) => (
              <li key={value}>
                <span aria-hidden="true" className={classes.fill} style={{ width: `${String((count / most) * 100)}%` }} />
                <AppLink to={`/intel${stringifySearch({ tab: "indicators", indicator: value })}`} className={`${classes.indicator ?? ""} truncate`} title={value}>
                  {value}
                </AppLink>
                <AppLink to={`/logs${stringifySearch({ query: `${INDICATOR_FIELD}:${quoteValue(value)}`, from, to: "now" })}`} className={classes.count} title={`Logs with ${value}`}>
                  {formatNumber(count)}
                </AppLink>
              </li>
            ))}
          </ul>
        </section>
        <section className={classes.block} aria-label="Recent logs">
          <div className={classes.blockHead}>
            <h2>Recent logs</h2>
            <span className={pages.dim}>the latest {RECENT}</span>
          </div>
          {logs.error && <ErrorState inline error={logs.error} retry={() => void logs.refetch()} />}
          {logs.isPending && <SkeletonRows rows={10} />}
          {logs.data && logs.data.data.length === 0 && <p className={pages.dim}>Logs that hold an indicator of a feed are listed here as they arrive.</p>}
          {logs.data && logs.data.data.length > 0 && (
            <div className={classes.latest}>
              <table className={pages.table}>
                <Columns columns={COLUMNS} />
                <tbody>
                  {logs.data.data.map((log) => {
                    const results = resultsOf(log.attributes.attributes);
                    return (
                      <tr key={log.id}>
                        <td>
                          <CellTime time={Date.parse(log.attributes.timestamp)} />
                        </td>
                        <td className={pages.text} title={results.map((each) => each.indicator).join(", ")}>
                          <span className={classes.indicator}>{results[0]?.indicator ?? "–"}</span>
                          {results.length > 1 && <span className={pages.dim}> +{results.length - 1}</span>}
                        </td>
                        <td>{results[0] ? <IntentionLabel intention={results[0].intention} /> : "–"}</td>
                        <td>{textOf(log.attributes.source)}</td>
                        <td className={pages.grow}>
                          <AppLink to={`/logs${stringifySearch({ query: MATCHED, from, to: "now", event: log.id })}`} className={classes.indicator}>
                            {log.attributes.message || "no message"}
                          </AppLink>
                        </td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
            </div>
          )}
        </section>
        <section className={`${classes.block ?? ""} ${classes.wide ?? ""}`} aria-label="Retro-hunts">
          <div className={classes.blockHead}>
            <h2>Retro-hunts</h2>
            <span className={pages.dim}>new indicators, looked for in the logs of the last 30 days</span>
          </div>
          {hunts.error && <ErrorState inline error={hunts.error} retry={() => void hunts.refetch()} />}
          {hunts.isPending && <SkeletonRows rows={3} />}
          {hunts.data && hunts.data.length === 0 && (
            <p className={pages.dim}>No hunts yet. A feed with “retro-hunt” looks for each new indicator in the logs of the last 30 days; what it finds raises signals that are marked as retroactive.</p>
          )}
          {hunts.data && hunts.data.length > 0 && <HuntTable hunts={hunts.data} feedName={(id) => feeds.data?.find((feed) => feed.id === id)?.attributes.name ?? id} />}
        </section>
      </div>
    </div>
  );
}

/** What enrichment wrote on a log. */
function resultsOf(attributes: Record<string, unknown> | undefined): { indicator: string; intention: string }[] {
  const intel = attributes?.threat_intel;
  const results: unknown = isObject(intel) ? intel.results : undefined;
  return Array.isArray(results) ? results.map((each) => ({ indicator: textAt(each, "indicator"), intention: textAt(each, "intention") })) : [];
}

const textOf = (value: string | string[] | undefined): string => (Array.isArray(value) ? value.join(", ") : (value ?? "")) || "–";
