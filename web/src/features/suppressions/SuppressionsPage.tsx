import { Button, Switch, TextInput, Tooltip } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { facetQuery } from "@/api/explore";
import { useMay } from "@/api/session";
import { suppressionKeys, suppressionsQuery, updateSuppression, type Suppression } from "@/api/suppressions";
import { AppLink } from "@/components/AppLink";
import { Gate } from "@/components/Gate";
import { useHotkeys } from "@/components/hotkeys";
import { Icon } from "@/components/icons";
import page from "@/components/Page.module.css";
import { EmptyState, ErrorState, SkeletonRows } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import { useNow } from "@/components/useNow";
import { formatNumber, plural } from "@/lib/format";
import { HIDDEN_DAYS, hiddenSignals } from "@/lib/suppressions";
import { forceOf, presetFor } from "./draft";
import { StoredSuppression, SuppressionEditor, WRITE } from "./SuppressionPanel";
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

const COLUMNS: { label: string; sort?: string }[] = [
  { label: "On", sort: "enabled" },
  { label: "Name", sort: "name" },
  { label: "Rules" },
  { label: "Hides" },
  { label: "Owner" },
  { label: "From", sort: "start_date" },
  { label: "Until", sort: "expiration_date" },
  { label: `Hidden, ${String(HIDDEN_DAYS)} days` },
];

export function SuppressionsPage({ search, change }: { search: SuppressionsSearch; change: (next: SuppressionsSearch, options?: { push?: boolean }) => void }) {
  const { query = "", sort = "name" } = search;
  const open = search.open ?? (search.rule ? NEW : null);
  const list = useQuery(suppressionsQuery(query, sort));
  const rows = list.data?.data ?? [];
  const may = useMay(WRITE);
  const [text, setText] = useState(query);
  const find = useDebouncedCallback((next: string) => change({ query: next.trim() }), 250);
  const hiddenOf = useHiddenCounts();

  useEffect(() => {
    document.title = "Suppressions · Tocsin";
  }, []);
  useHotkeys([{ keys: ["/"], label: "Search", group: "Everywhere", run: () => document.getElementById("suppression-search")?.focus() }]);
  const show = (id: string) => change({ open: id, tab: undefined, rule: undefined, preset: undefined }, { push: true });
  const close = () => {
    const opened = open;
    change({ open: undefined, tab: undefined, rule: undefined, preset: undefined }, { push: true });
    window.requestAnimationFrame(() => document.getElementById(`suppression-${opened ?? ""}`)?.focus());
  };

  return (
    <div className={page.page}>
      <div className={page.bar}>
        <h1 className={page.title}>Suppressions</h1>
        <TextInput
          id="suppression-search"
          size="xs"
          className={page.search}
          aria-label="Search suppressions"
          placeholder="Search suppressions: load test, enabled:false, creator:ana@example.com"
          leftSection={<Icon name="search" size={14} />}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            find(event.currentTarget.value);
          }}
        />
        <span className={page.dim}>{list.data && plural(list.data.meta.page.totalCount, "suppression")}</span>
        <div className={page.end}>
          <AppLink to="/signals/suppressed">All hidden signals</AppLink>
          <Gate permission={WRITE}>
            {(allowed) => (
              <Button leftSection={<Icon name="plus" size={14} />} disabled={!allowed} onClick={() => show(NEW)}>
                New suppression
              </Button>
            )}
          </Gate>
        </div>
      </div>
      <div className={page.split}>
        <div className={`${page.scroll ?? ""} ${classes.list ?? ""}`}>
          {list.error && <ErrorState inline={rows.length > 0} error={list.error} retry={() => void list.refetch()} />}
          {list.isPending ? (
            <SkeletonRows rows={12} height={34} />
          ) : (
            <>
              {rows.length > 0 && (
                <table className={`${page.table ?? ""} ${classes.table ?? ""}`} aria-busy={list.isFetching}>
                  <thead>
                    <tr>
                      {COLUMNS.map((column) => (
                        <Header key={column.label} {...column} sorted={sort} onSort={(next) => change({ sort: next === "name" ? undefined : next })} />
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    {rows.map((row) => (
                      <Row key={row.id} suppression={row} may={may} isOpen={row.id === open} hidden={hiddenOf(row.id)} onOpen={() => show(row.id)} />
                    ))}
                  </tbody>
                </table>
              )}
              {list.data && rows.length === 0 && (
                <EmptyState title={query ? "No suppression matches this search" : "Nothing is suppressed"}>
                  {query ? (
                    <Button
                      variant="default"
                      onClick={() => {
                        setText("");
                        change({ query: undefined });
                      }}
                    >
                      Show all suppressions
                    </Button>
                  ) : (
                    <p>A suppression hides signals that you know, of some rules, until a date. What it hides stays searchable and never comes back by itself. Begin one here, from a rule, or from a signal.</p>
                  )}
                </EmptyState>
              )}
            </>
          )}
        </div>
        {open === NEW && may && (
          <SuppressionEditor key={`${search.rule ?? ""} ${search.preset ?? ""}`} stored={null} original={presetFor(search.rule, search.preset)} opened={show} tab={null} onTab={() => undefined} close={close} />
        )}
        {open !== null && open !== NEW && <StoredSuppression key={open} id={open} tab={search.tab ?? null} onTab={(tab) => change({ tab })} close={close} />}
      </div>
    </div>
  );
}

function Header({ label, sort, sorted, onSort }: { label: string; sort?: string; sorted: string; onSort: (sort: string) => void }) {
  const direction = sort === undefined ? undefined : sorted === sort ? "ascending" : sorted === `-${sort}` ? "descending" : "none";
  const isNumber = label.startsWith("Hidden");
  return (
    <th scope="col" aria-sort={direction} className={isNumber ? page.number : undefined}>
      {sort === undefined ? (
        label
      ) : (
        <button type="button" className={page.sort} onClick={() => onSort(direction === "ascending" ? `-${sort}` : sort)}>
          {label}
          {direction !== "none" && <Icon name={direction === "descending" ? "sortDown" : "sortUp"} size={11} />}
        </button>
      )}
    </th>
  );
}

function Row({ suppression, may, isOpen, hidden, onOpen }: { suppression: Suppression; may: boolean; isOpen: boolean; hidden: number | null; onOpen: () => void }) {
  const client = useQueryClient();
  const { attributes } = suppression;
  const toggle = useMutation({
    mutationFn: (enabled: boolean) => updateSuppression(suppression.id, { enabled }, attributes.version),
    onSettled: () => client.invalidateQueries({ queryKey: suppressionKeys.all }),
    onError: (error) => notifications.show({ title: `${attributes.name} was not changed`, message: error.message, color: "gray" }),
  });
  const now = useNow();
  const enabled = toggle.isPending ? toggle.variables : attributes.enabled;
  const force = forceOf({ ...attributes, enabled }, now);
  const allowed = may && attributes.editable;
  return (
    <tr data-off={force !== "in force" || undefined} data-chosen={isOpen || undefined}>
      <td>
        <Tooltip label={allowed ? (enabled ? "Disable" : "Enable") : `This needs the permission ${WRITE}`}>
          <Switch size="xs" aria-label={`${attributes.name} enabled`} checked={enabled} disabled={!allowed || toggle.isPending} onChange={(event) => toggle.mutate(event.currentTarget.checked)} />
        </Tooltip>
      </td>
      <td className={classes.name}>
        <button type="button" id={`suppression-${suppression.id}`} className="link truncate" aria-expanded={isOpen} onClick={onOpen}>
          {attributes.name}
        </button>
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
        {hidden === null ? (
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
