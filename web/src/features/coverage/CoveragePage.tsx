import { Button, Tooltip } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { coverageQuery, type RuleCoverageResource } from "@/api/coverage";
import { AppLink } from "@/components/AppLink";
import { TimeRange } from "@/components/explorer/TimeRange";
import { useRange } from "@/components/explorer/useRange";
import { Icon } from "@/components/icons";
import { Legend } from "@/components/Legend";
import { List, NothingFound, type Column } from "@/components/List";
import { ListPage } from "@/components/ListPage";
import page from "@/components/Page.module.css";
import { EmptyState } from "@/components/states";
import { useZone } from "@/components/zone";
import { formatCompact, formatNumber, plural } from "@/lib/format";
import { formatShort, type Range } from "@/lib/time";
import classes from "./coverage.module.css";
import { EngineBanner } from "./EngineBanner";
import { STATUSES } from "./model";
import { Strip } from "./Strip";

const DEFAULT_RANGE: Range = { from: "now-4h", to: "now" };
const DEFAULT_SORT = "name";

interface Props {
  search: Record<string, string | undefined>;
  change: (change: Record<string, string | undefined>, options?: { push?: boolean }) => void;
}

/** For every rule, minute by minute, what detection looked at and what it did not (design §9.2). */
export function CoveragePage({ search, change }: Props) {
  const { zone } = useZone();
  const { range, resolved, lookAgain, setRange } = useRange(search, change, DEFAULT_RANGE);
  const { query = "", status = "", sort = DEFAULT_SORT, rule: only = "" } = search;
  const list = useInfiniteQuery(coverageQuery(String(resolved.from), String(resolved.to), { query, status, sort, rule: only }));
  const rules = list.data?.pages.flatMap(({ data }) => data) ?? [];
  const meta = list.data?.pages[0]?.meta;
  const chosen = useMemo(() => status.split(",").filter(Boolean), [status]);
  const cellMs = (meta?.interval ?? 0) * 1000;
  const columns: Column[] = [
    { label: "Rule", sort: "name", className: classes.ruleHead },
    {
      id: "minutes",
      className: classes.axis,
      label: (
        <>
          <span>{formatShort(resolved.from, zone)}</span>
          <span className={classes.cellLength}>{cellLength(meta?.interval ?? 0)} a cell</span>
          <span>{formatShort(resolved.to, zone)}</span>
        </>
      ),
    },
    { label: "Not in time", sort: "missed", descends: true, isNumber: true, className: classes.missed },
  ];
  return (
    <ListPage
      title="Coverage"
      search={{ label: "Search rules", placeholder: "Rules: okta, severity:high, enabled:true", value: query, onSearch: (next) => change({ query: next, rule: undefined }) }}
      about={meta && (chosen.length > 0 ? `${formatNumber(meta.page.total_filtered_count)} of ${plural(meta.page.total_count, "rule")}` : plural(meta.page.total_count, "rule"))}
      actions={
        <>
          <EngineBanner />
          <Tooltip label="Look again">
            <Button variant="default" aria-label="Look again" loading={list.isFetching && !list.isFetchingNextPage} onClick={lookAgain}>
              <Icon name="refresh" size={14} />
            </Button>
          </Tooltip>
          <TimeRange range={range} resolved={resolved} onChange={setRange} />
        </>
      }
      below={
        <Legend
          label="Rules with minutes that were"
          unit="minutes of rules"
          choices={STATUSES.map(({ id, label, about }) => ({ id, label, about: `${label}: ${about}. ${meta ? `${formatNumber(meta.summary[id] ?? 0)} minutes of rules` : ""}`, count: meta ? formatCompact(meta.summary[id] ?? 0) : "…" }))}
          chosen={chosen}
          onChoose={(next) => change({ status: next.join(",") })}
          swatch={(id) => <span className={classes.dot} data-status={id} aria-hidden="true" />}
        >
          {only && (
            <span className={page.end}>
              <button type="button" className="link" onClick={() => change({ rule: undefined })}>
                Show all rules
              </button>
            </span>
          )}
        </Legend>
      }
    >
      <List
        query={list}
        count={rules.length}
        columns={columns}
        tableClassName={classes.table}
        sort={sort}
        onSort={(next) => change({ sort: next === DEFAULT_SORT ? undefined : next })}
        more="Show more rules"
        empty={
          meta?.page.total_count ? (
            <NothingFound title="No rule has such a minute in this time" all="Show all minutes" onAll={() => change({ status: undefined })} />
          ) : query ? (
            <NothingFound title="No rule matches this search" all="Show all rules" onAll={() => change({ query: undefined })} />
          ) : (
            <EmptyState title="There are no rules yet">
              <p>As soon as there are, each has a line here that says for every minute whether it looked at the logs that came then.</p>
            </EmptyState>
          )
        }
      >
        {rules.map((rule) => (
          <Row key={rule.id} rule={rule} cellMs={cellMs} chosen={chosen} onOnly={only ? null : () => change({ rule: rule.id }, { push: true })} />
        ))}
      </List>
    </ListPage>
  );
}

const cellLength = (seconds: number): string => (seconds < 3600 ? `${String(seconds / 60)} min` : `${String(Math.round(seconds / 360) / 10)} h`);

/** The minutes that were not evaluated in time, without those that had nothing to evaluate. */
const MISSED = ["failed", "not_evaluated", "skipped", "late"] as const;

function Row({ rule: { id, attributes }, cellMs, chosen, onOnly }: { rule: RuleCoverageResource; cellMs: number; chosen: readonly string[]; onOnly: (() => void) | null }) {
  const missed = MISSED.reduce((sum, status) => sum + (attributes.summary[status] ?? 0), 0);
  return (
    <tr data-off={!attributes.enabled || undefined}>
      <td role="rowheader" className={classes.name}>
        <AppLink to={`/rules/${id}`} title={attributes.sources ? `${attributes.name}: looks at ${attributes.sources.join(", ")}` : `${attributes.name}: looks at any source`}>
          {attributes.name}
        </AppLink>
      </td>
      <td className={classes.stripCell}>
        <Strip rule={attributes.name} cells={attributes.cells} cellMs={cellMs} chosen={chosen} />
      </td>
      <td className={page.number}>
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
