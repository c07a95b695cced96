import { Button, Tooltip } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { coverageQuery, type RuleCoverageResource } from "@/api/coverage";
import { AppLink } from "@/components/AppLink";
import { TimeRange } from "@/components/explorer/TimeRange";
import { Icon } from "@/components/icons";
import page from "@/components/Page.module.css";
import { EmptyState, ErrorState, SkeletonRows } from "@/components/states";
import { useZone } from "@/components/zone";
import { formatCompact, formatNumber, plural } from "@/lib/format";
import { formatShort, resolveRange, type Range } from "@/lib/time";
import classes from "./coverage.module.css";
import { EngineBanner } from "./EngineBanner";
import { STATUSES, totalsOf, withOff, withStatus } from "./model";
import { Strip } from "./Strip";

const DEFAULT_RANGE: Range = { from: "now-4h", to: "now" };

interface Props {
  search: Record<string, string | undefined>;
  change: (change: Record<string, string | undefined>, options?: { push?: boolean }) => void;
}

/** For every rule, minute by minute, what detection looked at and what it did not (design §9.2). */
export function CoveragePage({ search, change }: Props) {
  const { zone } = useZone();
  const [anchor, setAnchor] = useState(() => Date.now());
  const range = search.from && search.to ? { from: search.from, to: search.to } : DEFAULT_RANGE;
  const { from, to } = range;
  const resolved = useMemo(() => resolveRange({ from, to }, anchor, zone, DEFAULT_RANGE), [from, to, anchor, zone]);
  const only = search.rule ?? "";
  const list = useInfiniteQuery(coverageQuery(String(resolved.from), String(resolved.to), only));
  const rules = useMemo(() => list.data?.pages.flatMap(({ data }) => data.map(withOff)) ?? [], [list.data]);
  const meta = list.data?.pages[0]?.meta;
  const total = meta?.page.total_count ?? 0;
  const chosen = useMemo(() => search.status?.split(",") ?? [], [search.status]);
  const shown = useMemo(() => withStatus(rules, chosen), [rules, chosen]);
  const totals = useMemo(() => totalsOf(rules), [rules]);

  useEffect(() => {
    document.title = "Coverage · Tocsin";
  }, []);

  return (
    <div className={page.page}>
      <div className={page.bar}>
        <h1 className={page.title}>Coverage</h1>
        <EngineBanner />
        <div className={page.end}>
          <Tooltip label="Look again">
            <Button variant="default" aria-label="Look again" loading={list.isFetching && !list.isFetchingNextPage} onClick={() => setAnchor(Date.now())}>
              <Icon name="refresh" size={14} />
            </Button>
          </Tooltip>
          <TimeRange
            range={range}
            resolved={resolved}
            onChange={(next) => {
              setAnchor(Date.now());
              change({ from: next.from, to: next.to });
            }}
          />
        </div>
      </div>
      <div className={classes.legend} role="group" aria-label="Rules with minutes that were">
        {STATUSES.map((status) => {
          const pressed = chosen.includes(status.id);
          const next = pressed ? chosen.filter((id) => id !== status.id) : [...chosen, status.id];
          return (
            <Tooltip key={status.id} label={`${status.label}: ${status.about}`}>
              <button type="button" className={classes.filter} aria-pressed={pressed} onClick={() => change({ status: next.join(",") })}>
                <span className={classes.dot} data-status={status.id} aria-hidden="true" />
                {status.label} <strong title={`${formatNumber(totals[status.id] ?? 0)} minutes of rules`}>{meta ? formatCompact(totals[status.id] ?? 0) : "…"}</strong>
                <span className="visually-hidden">minutes of rules</span>
              </button>
            </Tooltip>
          );
        })}
        <span className={classes.counted}>
          {meta && (
            <>
              {chosen.length > 0 && `${formatNumber(shown.length)} of `}
              {rules.length < total ? `the first ${formatNumber(rules.length)} of ${plural(total, "rule")}` : plural(rules.length, "rule")}
            </>
          )}
          {only && (
            <button type="button" className="link" onClick={() => change({ rule: undefined })}>
              Show all rules
            </button>
          )}
        </span>
      </div>
      {list.error && <ErrorState inline={rules.length > 0} error={list.error} retry={() => void list.refetch()} />}
      <div className={page.scroll} aria-busy={list.isFetching}>
        {list.isPending && <SkeletonRows rows={18} height={28} />}
        {meta && shown.length > 0 && (
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">Rule</th>
                <th scope="col" className={classes.axis}>
                  <span>{formatShort(resolved.from, zone)}</span>
                  <span className={classes.cellLength}>{meta.interval < 3600 ? `${String(meta.interval / 60)} min` : `${String(Math.round(meta.interval / 360) / 10)} h`} a cell</span>
                  <span>{formatShort(resolved.to, zone)}</span>
                </th>
                <th scope="col" className={classes.worst}>
                  Not in time
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((rule) => (
                <Row key={rule.id} rule={rule} cellMs={meta.interval * 1000} chosen={chosen} onOnly={only ? null : () => change({ rule: rule.id }, { push: true })} />
              ))}
            </tbody>
          </table>
        )}
        {meta && shown.length === 0 && (
          <EmptyState title={rules.length === 0 ? "There are no rules yet" : "No rule has such a minute in this time"}>
            {rules.length > 0 && (
              <Button variant="default" onClick={() => change({ status: undefined })}>
                Show all
              </Button>
            )}
          </EmptyState>
        )}
        {list.hasNextPage && (
          <div className={page.more}>
            <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
              Show more rules
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}

/** The minutes that were not evaluated in time, without those that had nothing to evaluate. */
const MISSED = ["failed", "not_evaluated", "skipped", "late"] as const;

function Row({ rule: { id, attributes }, cellMs, chosen, onOnly }: { rule: RuleCoverageResource; cellMs: number; chosen: readonly string[]; onOnly: (() => void) | null }) {
  const missed = MISSED.reduce((sum, status) => sum + (attributes.summary[status] ?? 0), 0);
  return (
    <tr data-off={!attributes.enabled || undefined}>
      <th scope="row" className={classes.name}>
        <AppLink to={`/rules/${id}`} title={attributes.sources ? `${attributes.name}: looks at ${attributes.sources.join(", ")}` : `${attributes.name}: looks at any source`}>
          {attributes.name}
        </AppLink>
      </th>
      <td className={classes.stripCell}>
        <Strip rule={attributes.name} cells={attributes.cells} cellMs={cellMs} chosen={chosen} />
      </td>
      <td className={classes.worst}>
        {missed === 0 ? (
          <span className={page.dim}>–</span>
        ) : onOnly ? (
          <button type="button" className="link" title="Show this rule alone" onClick={onOnly}>
            {formatNumber(missed)} min
          </button>
        ) : (
          `${formatNumber(missed)} min`
        )}
      </td>
    </tr>
  );
}
