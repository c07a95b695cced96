import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { countEvents, eventsPage, exploreKeys, facetsOf } from "@/api/explore";
import type { ExploreEvent } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import type { ExplorerHandle } from "@/components/explorer/model";
import { SeverityLabel, StateLabel } from "@/components/Severity";
import { ErrorState, SkeletonRows } from "@/components/states";
import { formatNumber, plural } from "@/lib/format";
import { formatDuration } from "@/lib/time";
import { stringifySearch } from "@/lib/urlState";
import { assigneeOf, severityOf, stateOf, titleOf } from "./config";
import { fieldWords } from "./fieldWords";
import { MOST_RELATED, queryOf, rangeAround, ranked, telling, valuesOf, type Related } from "./relatedSignals";
import classes from "./signals.module.css";

const READ = 200;

/** What else is known of the same people, addresses and machines: an intrusion seldom leaves one signal. */
export function RelatedSignals({ signal, explorer }: { signal: ExploreEvent; explorer: ExplorerHandle }) {
  const values = useMemo(() => valuesOf(signal), [signal]);
  const { from, to } = rangeAround(signal);
  const { data, error, isPending, refetch } = useQuery({
    queryKey: [...exploreKeys.track("signals"), "related", signal.id, values, from, to],
    queryFn: async ({ signal: stop }) => {
      const filter = { query: queryOf(values), from: new Date(from).toISOString(), to: new Date(to).toISOString() };
      const [facets, all] = await Promise.all([facetsOf("signals", filter, [...new Set(values.map(({ field }) => field))], stop), countEvents("signals", { ...filter, query: "" }, 0, stop)]);
      const told = telling(values, facets.data, all.data.count);
      if (told.length === 0) return { told, found: [], total: 0 };
      const around = { ...filter, query: queryOf(told) };
      const [page, count] = await Promise.all([eventsPage("signals", around, { field: "timestamp", descending: true }, null, READ, stop), countEvents("signals", around, 0, stop)]);
      return { told, found: page.data, total: count.data.count };
    },
    enabled: values.length > 0,
  });
  if (values.length === 0) return <p className={classes.dim}>The signal names no user, address or host that others could share.</p>;
  if (isPending) return <SkeletonRows rows={5} height={34} />;
  if (!data) return <ErrorState error={error} retry={() => void refetch()} />;
  const related = ranked(signal, data.found, data.told);
  const others = Math.max(related.length, data.total - 1);
  if (related.length === 0) {
    const common = values.filter((one) => !data.told.some(({ field, value }) => field === one.field && value === one.value));
    return <p className={classes.dim}>No other signal within 7 days {common.length > 0 ? "shares a value that few have" : "is about the same user, address or host"}.</p>;
  }
  return (
    <>
      <div className={classes.toolbar}>
        <span className={classes.dim}>
          {plural(others, "other signal")} within 7 days{others > related.length && `, the ${formatNumber(Math.min(MOST_RELATED, related.length))} nearest by what they share`}
        </span>
        <AppLink to={`/signals${stringifySearch({ query: queryOf(data.told), from: String(from), to: String(to) })}`}>View all related activity</AppLink>
      </div>
      <ul className={classes.samples} aria-label="Related signals">
        {related.map((one) => (
          <One key={one.signal.id} related={one} at={Date.parse(signal.attributes.timestamp)} explorer={explorer} />
        ))}
      </ul>
    </>
  );
}

function One({ related: { signal, shared }, at, explorer }: { related: Related; at: number; explorer: ExplorerHandle }) {
  const title = titleOf(signal);
  const apart = Date.parse(signal.attributes.timestamp) - at;
  const assignee = assigneeOf(signal);
  return (
    <li className={classes.related}>
      <div className={classes.relatedHead}>
        <SeverityLabel severity={severityOf(signal)} />
        {explorer.config.track === "signals" ? (
          <button type="button" className={`link ${classes.relatedTitle ?? ""}`} title={title} onClick={() => explorer.update({ event: signal.id })}>
            {title}
          </button>
        ) : (
          <AppLink to={`/signals${stringifySearch({ event: signal.id })}`} className={classes.relatedTitle} title={title}>
            {title}
          </AppLink>
        )}
        <span className={classes.dim}>{Math.abs(apart) < 1000 ? "at the same time" : `${formatDuration(Math.abs(apart))} ${apart < 0 ? "before" : "after"}`}</span>
        <StateLabel state={stateOf(signal)} />
      </div>
      <div className={classes.dim}>
        {shared.map(({ field, value, count }, index) => (
          <span key={`${field}:${value}`}>
            {index > 0 && ", "}
            {fieldWords(field)} <code title={count === undefined ? undefined : `${plural(count, "signal")} within 7 days`}>{value}</code>
          </span>
        ))}
        {assignee && ` · ${assignee.name}`}
      </div>
    </li>
  );
}
