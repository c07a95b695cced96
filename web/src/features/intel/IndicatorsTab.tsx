import { Skeleton } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { iocFacetsQuery, iocsQuery, type IocItem } from "@/api/intel";
import { AppLink } from "@/components/AppLink";
import facetClasses from "@/components/explorer/FacetPanel.module.css";
import { FacetSection, FacetValues } from "@/components/explorer/FacetValues";
import { useHotkeys } from "@/components/hotkeys";
import { List, NothingFound, type Column } from "@/components/List";
import pages from "@/components/Page.module.css";
import { SearchField } from "@/components/SearchField";
import { EmptyState } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import { formatNumber, plural } from "@/lib/format";
import { IndicatorPanel } from "./IndicatorPanel";
import type { TabProps } from "./IntelPage";
import classes from "./intel.module.css";
import { categoryLabel, INTENTIONS, IntentionLabel, logsOf, signalsOf, typeLabel } from "./labels";

const DEFAULT_SORT = "-score";

const COLUMNS: Column[] = [
  { label: "Score", sort: "score", descends: true },
  { label: "Indicator", sort: "indicator" },
  { label: "Type", sort: "indicator_type" },
  { label: "Intention" },
  { label: "Category", sort: "category" },
  { label: "Sources" },
  { label: "First seen", sort: "first_seen_ts_epoch", descends: true },
  { label: "Last seen", sort: "last_seen_ts_epoch", descends: true },
  { label: "Logs", sort: "log_count", descends: true, isNumber: true },
  { label: "Signals", sort: "signal_count", descends: true, isNumber: true },
];

const FACETS = [
  { id: "indicator_type", label: "Type", render: typeLabel },
  { id: "intention", label: "Intention", render: (value: string) => <IntentionLabel intention={value} /> },
  { id: "category", label: "Category", render: categoryLabel },
  { id: "source", label: "Source" },
  { id: "triage_state", label: "Review", render: (value: string) => (value === "reviewed" ? "Reviewed" : "Not reviewed") },
];

/** Who says what of an indicator, the worst first. */
export function saidOf(ioc: IocItem): { intention: (typeof INTENTIONS)[number]; sources: string[] }[] {
  return INTENTIONS.flatMap((intention) => {
    const sources = ioc[`${intention}_sources`];
    return sources ? [{ intention, sources: sources.map((source) => source.name) }] : [];
  });
}

/** The indicators that logs of the last 30 days hold, with what is said of them. */
export function IndicatorsTab({ search, change }: TabProps) {
  const query = search.query ?? "";
  const sort = search.sort ?? DEFAULT_SORT;
  const list = useInfiniteQuery(iocsQuery(query, sort));
  const iocs = list.data?.pages.flatMap((page) => page.data) ?? [];
  const total = list.data?.pages[0]?.metadata.count ?? 0;
  const open = search.indicator ?? null;
  const show = (indicator: string) => change({ indicator });
  const onQuery = (changed: (query: string) => string) => change((current) => ({ query: changed(current.query ?? "") }));
  const setQuery = (next: string) => change({ query: next });
  const step = (by: 1 | -1) => {
    const at = iocs.findIndex((ioc) => ioc.indicator === open);
    const next = iocs[at + by];
    if (next) show(next.indicator);
  };
  useHotkeys([
    { keys: ["j"], label: "Next indicator", group: "List", run: () => (open === null && iocs[0] ? show(iocs[0].indicator) : step(1)) },
    { keys: ["k"], label: "Previous indicator", group: "List", run: () => step(-1) },
  ]);
  return (
    <>
      <div className={pages.bar}>
        <SearchField isQuery label="Search indicators" placeholder="203.0.113.66, @indicator:*.example.net, @category:c2, @score:>80" value={query} onSearch={setQuery} />
        <span className={pages.dim}>{list.data && `${plural(total, "indicator")} in the logs of the last 30 days`}</span>
      </div>
      <div className={pages.split}>
        <FacetColumn query={query} onQuery={onQuery} />
        <List query={list} count={iocs.length} columns={COLUMNS} sort={sort} onSort={(next) => change({ sort: next })} empty={<Nothing query={query} onQuery={setQuery} />}>
          {iocs.map((ioc) => (
            <IocRow key={ioc.id} ioc={ioc} chosen={ioc.indicator === open} onOpen={() => show(ioc.indicator)} />
          ))}
        </List>
        {open !== null && <IndicatorPanel key={open} indicator={open} onClose={() => change({ indicator: "" })} onStep={step} />}
      </div>
    </>
  );
}

function FacetColumn({ query, onQuery }: { query: string; onQuery: (change: (query: string) => string) => void }) {
  const facets = useQuery(iocFacetsQuery(query));
  const [folded, setFolded] = useState<string[]>([]);
  return (
    <nav className={facetClasses.panel} aria-label="Facets">
      {FACETS.map(({ id, label, render }) => {
        const values = facets.data?.find((facet) => facet.name === id)?.values ?? [];
        return (
          <FacetSection key={id} label={label} field={`@${id}`} query={query} onQuery={onQuery} open={!folded.includes(id)} onOpen={(open) => setFolded(open ? folded.filter((other) => other !== id) : [...folded, id])}>
            <div className={facetClasses.values} aria-busy={facets.isFetching}>
              {facets.isPending && <Skeleton height={9} width="60%" my={8} ml={8} radius={3} />}
              {facets.data && values.length === 0 && <p className={facetClasses.none}>No values.</p>}
              <FacetValues label={label} field={`@${id}`} query={query} onQuery={onQuery} values={values} render={render} />
            </div>
          </FacetSection>
        );
      })}
    </nav>
  );
}

function IocRow({ ioc, chosen, onOpen }: { ioc: IocItem; chosen: boolean; onOpen: () => void }) {
  const said = saidOf(ioc);
  return (
    <tr data-chosen={chosen || undefined}>
      <td>
        <Score value={ioc.score} />
      </td>
      <td className={pages.grow} title={ioc.indicator}>
        <button type="button" className={`link ${classes.indicator ?? ""}`} onClick={onOpen}>
          {ioc.indicator}
        </button>
        {ioc.triage_state === "reviewed" && <span className={pages.dim}> · reviewed</span>}
      </td>
      <td>{typeLabel(ioc.indicator_type)}</td>
      <td>{said[0] ? <IntentionLabel intention={said[0].intention} /> : "–"}</td>
      <td className={pages.text}>{ioc.categories.map(categoryLabel).join(", ") || "–"}</td>
      <td className={pages.text} title={said.flatMap(({ sources }) => sources).join(", ")}>
        {said.flatMap(({ sources }) => sources).join(", ") || "–"}
      </td>
      <td>
        <RelativeTime time={Date.parse(ioc.first_seen)} />
      </td>
      <td>
        <RelativeTime time={Date.parse(ioc.last_seen)} />
      </td>
      <td className={pages.number}>
        <AppLink to={logsOf(ioc.indicator)} title={`Logs with ${ioc.indicator}`}>
          {formatNumber(ioc.log_matches)}
        </AppLink>
      </td>
      <td className={pages.number}>
        {ioc.signal_matches > 0 ? (
          <AppLink to={signalsOf(ioc.indicator)} title={`Signals with ${ioc.indicator}`}>
            {formatNumber(ioc.signal_matches)}
          </AppLink>
        ) : (
          "0"
        )}
      </td>
    </tr>
  );
}

/** 0 to 100, as a number and a bar. */
export function Score({ value }: { value: number }) {
  return (
    <span className={classes.score}>
      <span className={classes.scoreBar} aria-hidden="true">
        <span style={{ width: `${String(value)}%` }} />
      </span>
      {Math.round(value)}
    </span>
  );
}

function Nothing({ query, onQuery }: { query: string; onQuery: (query: string) => void }) {
  if (query) {
    return (
      <NothingFound title="No indicator in the logs matches this search" all="Show all indicators" onAll={() => onQuery("")}>
        <p>The list has what logs of the last 30 days were found to hold. What feeds list, whether met or not, the look-up above finds.</p>
      </NothingFound>
    );
  }
  return (
    <EmptyState title="No log of the last 30 days holds an indicator">
      <p>Logs are compared with the feeds when they arrive. As soon as one holds an address, a domain, a hash or something else that a feed lists, it appears here with its score, the logs and the signals.</p>
      <AppLink to="/intel?tab=feeds">See the feeds</AppLink>
    </EmptyState>
  );
}
