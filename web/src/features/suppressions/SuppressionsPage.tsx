import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { facetQuery } from "@/api/explore";
import { closedBy, useRestrictions, type Restriction } from "@/api/restrictions";
import { useMay } from "@/api/session";
import { SUPPRESSIONS_WRITE, suppressionKeys, suppressionsQuery, updateSuppression, type Suppression } from "@/api/suppressions";
import { AddButton } from "@/components/AddButton";
import { AppLink } from "@/components/AppLink";
import { List, NothingFound, type Column } from "@/components/List";
import { ListPage } from "@/components/ListPage";
import page from "@/components/Page.module.css";
import { RestrictedMark } from "@/components/RestrictAccess";
import { EmptyState } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import { Toggle } from "@/components/Toggle";
import { useAction } from "@/components/useAction";
import { useNow } from "@/components/useNow";
import { formatNumber, plural } from "@/lib/format";
import { HIDDEN_DAYS, hiddenSignals } from "@/lib/suppressions";
import { forceOf, presetFor } from "./draft";
import { StoredSuppression, SuppressionEditor } from "./SuppressionPanel";
import classes from "./suppressions.module.css";

const NEW = "new";
const DAY_MS = 86_400_000;

export interface SuppressionsSearch {
  query?: string;
  sort?: string;
  /** The open one, or `new`. */
  open?: string;
  tab?: string;
  /** What a new one begins with: a rule's id, and a search of signals. */
  rule?: string;
  preset?: string;
}

const COLUMNS: Column[] = [
  { label: "On", sort: "enabled", descends: true },
  { label: "Name", sort: "name" },
  { label: "Rules" },
  { label: "Hides" },
  { label: "Owner" },
  { label: "From", sort: "start_date" },
  { label: "Until", sort: "expiration_date" },
  { label: `Hidden, ${String(HIDDEN_DAYS)} days`, isNumber: true },
];

export function SuppressionsPage({ search, change }: { search: SuppressionsSearch; change: (next: SuppressionsSearch, options?: { push?: boolean }) => void }) {
  const { query = "", sort = "name" } = search;
  const open = search.open ?? (search.rule ? NEW : null);
  const list = useQuery(suppressionsQuery(query, sort));
  const rows = list.data?.data ?? [];
  const may = useMay(SUPPRESSIONS_WRITE);
  const hiddenOf = useHiddenCounts();
  const restriction = useRestrictions("security-suppression");
  const show = (id: string) => change({ open: id, tab: undefined, rule: undefined, preset: undefined }, { push: true });
  const close = () => {
    const opened = open;
    change({ open: undefined, tab: undefined, rule: undefined, preset: undefined }, { push: true });
    window.requestAnimationFrame(() => document.getElementById(`suppression-${opened ?? ""}`)?.focus());
  };
  return (
    <ListPage
      title="Suppressions"
      search={{ label: "Search suppressions", placeholder: "Search suppressions: load test, enabled:false, creator:ana@example.com", value: query, onSearch: (next) => change({ query: next }) }}
      about={list.data && plural(list.data.meta.page.totalCount, "suppression")}
      actions={
        <>
          <AppLink to="/signals/suppressed">All hidden signals</AppLink>
          <AddButton permission={SUPPRESSIONS_WRITE} label="New suppression" onClick={() => show(NEW)} />
        </>
      }
      panel={
        <>
          {open === NEW && may && (
            <SuppressionEditor key={`${search.rule ?? ""} ${search.preset ?? ""}`} stored={null} original={presetFor(search.rule, search.preset)} opened={show} tab={null} onTab={() => undefined} close={close} />
          )}
          {open !== null && open !== NEW && <StoredSuppression key={open} id={open} tab={search.tab ?? null} onTab={(tab) => change({ tab })} close={close} />}
        </>
      }
    >
      <List
        query={list}
        count={rows.length}
        className={classes.list}
        tableClassName={classes.table}
        columns={COLUMNS}
        sort={sort}
        onSort={(next) => change({ sort: next === "name" ? undefined : next })}
        empty={
          query ? (
            <NothingFound title="No suppression matches this search" all="Show all suppressions" onAll={() => change({ query: undefined })} />
          ) : (
            <EmptyState title="Nothing is suppressed">
              <p>A suppression hides signals that you know, of some rules, until a date. What it hides stays searchable and never comes back by itself. Begin one here, from a rule, or from a signal.</p>
            </EmptyState>
          )
        }
      >
        {rows.map((row) => (
          <Row key={row.id} suppression={row} may={may} restriction={restriction(row.id)} isOpen={row.id === open} hidden={hiddenOf(row.id)} onOpen={() => show(row.id)} />
        ))}
      </List>
    </ListPage>
  );
}

function Row({ suppression, may, restriction, isOpen, hidden, onOpen }: { suppression: Suppression; may: boolean; restriction: Restriction | undefined; isOpen: boolean; hidden: number | null; onOpen: () => void }) {
  const { attributes } = suppression;
  const toggle = useAction(suppressionKeys.all, `${attributes.name} was not changed`, (enabled: boolean) => updateSuppression(suppression.id, { enabled }, attributes.version));
  const now = useNow();
  const enabled = toggle.isPending ? toggle.variables : attributes.enabled;
  const force = forceOf({ ...attributes, enabled }, now);
  return (
    <tr data-off={force !== "in force" || undefined} data-chosen={isOpen || undefined}>
      <td>
        <Toggle name={attributes.name} enabled={enabled} may={may} permission={SUPPRESSIONS_WRITE} closed={may && !attributes.editable ? closedBy(restriction) : undefined} isPending={toggle.isPending} onChange={(next) => toggle.mutate(next)} />
      </td>
      <td className={classes.name}>
        <button type="button" id={`suppression-${suppression.id}`} className="link truncate" aria-expanded={isOpen} onClick={onOpen}>
          {attributes.name}
        </button>
        <RestrictedMark restriction={restriction} />
      </td>
      <td className={`${classes.query ?? ""} truncate`} title={attributes.rule_query}>
        <code>{attributes.rule_query}</code>
      </td>
      <td className={`${classes.query ?? ""} truncate`} title={[attributes.suppression_query, attributes.data_exclusion_query].filter(Boolean).join("\n")}>
        {attributes.suppression_query && <code>{attributes.suppression_query}</code>}
        {attributes.data_exclusion_query && (
          <>
            {attributes.suppression_query && " · "}
            <span className={page.dim}>events</span> <code>{attributes.data_exclusion_query}</code>
          </>
        )}
      </td>
      <td>{attributes.creator.name ?? attributes.creator.handle}</td>
      <td>{attributes.start_date ? <RelativeTime time={attributes.start_date} /> : <span className={page.dim}>at once</span>}</td>
      <td>{attributes.expiration_date ? <RelativeTime time={attributes.expiration_date} /> : <span className={page.dim}>without end</span>}</td>
      <td className={page.number}>
        {!attributes.suppression_query && !hidden ? (
          <span className={page.dim} title="It hides no signals: it keeps events from rules, and its panel says how many">
            –
          </span>
        ) : hidden === null ? (
          "…"
        ) : (
          <AppLink to={hiddenSignals(suppression.id)} title={`Signals that ${attributes.name} hides`}>
            {formatNumber(hidden)}
          </AppLink>
        )}
      </td>
    </tr>
  );
}

/** How many signals each has hidden: the facet of the view that the number opens. */
function useHiddenCounts(): (id: string) => number | null {
  const may = useMay("security_monitoring_signals_read");
  const [now] = useState(() => Date.now());
  const filter = useMemo(() => ({ query: "", from: new Date(now - HIDDEN_DAYS * DAY_MS).toISOString(), to: new Date(now).toISOString() }), [now]);
  const counts = useQuery({ ...facetQuery("suppressed", filter, "@workflow.suppression.id", 1000, ""), enabled: may });
  return (id) => (counts.data ? (counts.data.data[0]?.values.find((value) => value.value === id)?.count ?? 0) : null);
}
