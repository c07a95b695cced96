import { ActionIcon, Tooltip } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useDeferredValue, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { eventsQuery } from "@/api/explore";
import { useMay } from "@/api/session";
import type { ExploreEvent } from "@/api/types";
import { useHotkeys } from "@/components/hotkeys";
import { Icon } from "@/components/icons";
import { ErrorState, SkeletonRows } from "@/components/states";
import { formatNumber, plural, straight } from "@/lib/format";
import { onlyValue, toggleExcluded } from "@/lib/queryText";
import { countSelected, NOTHING, type Selection } from "@/lib/selection";
import { isMoving } from "@/lib/time";
import { ValueActionsProvider, type ValueActions } from "./actions";
import { ColumnMenu } from "./ColumnMenu";
import { EmptyResult } from "./EmptyResult";
import { EventGrid, TICK, type GridHandle } from "./EventGrid";
import classes from "./Explorer.module.css";
import { FacetPanel } from "./FacetPanel";
import { attributeColumn, elsewhere, type ExplorerColumn, type ExplorerHandle } from "./model";
import { QueryBox } from "./QueryBox";
import { TimeRange } from "./TimeRange";
import { Trend } from "./Trend";
import { useCursor } from "./useCursor";
import { useFitting } from "./useFitting";
import { useLive } from "./useLive";
import { useStandstill, useStill } from "./useStandstill";
import { useTotal } from "./useTotal";

export interface PanelProps {
  event: ExploreEvent | undefined;
  id: string;
  close: () => void;
  step: (by: 1 | -1) => void;
}

export interface BulkProps {
  selection: Selection;
  total: number;
  loaded: ExploreEvent[];
  select: (selection: Selection) => void;
}

export interface RowKeysProps {
  /** The row that is moved to or open, null without; `current` is absent while the list has not got it. */
  currentId: string | null;
  current: ExploreEvent | undefined;
  open: (id: string) => void;
}

interface Props {
  explorer: ExplorerHandle;
  title: string;
  panel: (props: PanelProps) => ReactNode;
  /** Present: rows can be ticked. */
  bulk?: (props: BulkProps) => ReactNode;
  /** Keys that act on the current row, while none is ticked. */
  rowKeys?: (props: RowKeysProps) => ReactNode;
  help: ReactNode;
  /** Before the search: other views of the same page. */
  views?: ReactNode;
  /** Rows that somebody else has changed since they were loaded. */
  marked?: ReadonlySet<string>;
}

/** Search and time on top, facets left, trend above the list, the panel right. */
export function Explorer({ explorer, title, panel, bulk, rowKeys, help, views, marked }: Props) {
  const { config, state, update, range, filter } = explorer;
  const list = useInfiniteQuery(eventsQuery(config.track, filter, state.sort));
  const still = useStandstill(explorer);
  const listed = useStill(list.data, still.isStill);
  const events = useMemo(() => unique(listed?.pages.flatMap((page) => page.data) ?? []), [listed]);
  const total = useTotal(explorer);
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const grid = useRef<GridHandle>(null);
  const ticked = countSelected(selection, total ?? events.length);
  const snapshot = list.isPlaceholderData ? undefined : list.data?.pages[0]?.meta.snapshot;
  const live = useLive(explorer, snapshot, ticked > 0, () => state.event === null && !still.isPointed() && (grid.current?.isIdle() ?? true));

  // Another search finds other rows: what was ticked under the old one is not meant any more.
  const [searched, setSearched] = useState(filter.query);
  if (searched !== filter.query) {
    setSearched(filter.query);
    setSelection(NOTHING);
  }
  useEffect(() => {
    document.title = straight(`${state.query === "" ? title : `${state.query} · ${title}`} · Tocsin`);
  }, [state.query, title]);

  const chosen = useMemo(() => state.columns.map((id) => config.columns.find((column) => column.id === id) ?? attributeColumn(id)), [state.columns, config.columns]);
  const offered = useMemo(() => offer(config.columns, chosen), [config.columns, chosen]);
  const section = useRef<HTMLElement>(null);
  const columns = useFitting(section, chosen, state.columns.join() !== config.defaults.columns.join(), state.event !== null, bulk ? TICK : 0);
  const mayElsewhere = useMay(config.track === "logs" ? "security_monitoring_signals_read" : "logs_read_data");
  const actions = useMemo<ValueActions>(
    () => ({
      include: (field, value) => update((query) => onlyValue(query, field, value)),
      exclude: (field, value) => update((query) => toggleExcluded(query, field, value)),
      elsewhere: (field, value) => (mayElsewhere ? elsewhere(config.track, state.range, field, value) : null),
    }),
    [update, config.track, state.range, mayElsewhere],
  );
  const cursor = useCursor(state.event, update);
  const { id: currentId, moveTo, open } = cursor;
  const close = () => {
    cursor.close();
    grid.current?.focus();
  };
  // From where the cursor is, which the panel follows: two clicks may come before it has.
  const currentIndex = events.findIndex((event) => event.id === currentId);
  const step = (by: 1 | -1) => {
    const next = events[currentIndex + by];
    if (next) moveTo(next.id);
  };

  useHotkeys([
    { keys: ["["], label: "Show or hide facets", group: "Panel", run: () => update({ facetsHidden: !state.facetsHidden }, { replace: true }) },
    { keys: ["]"], label: "Open or close the panel", group: "Panel", run: () => (state.event !== null ? close() : currentId !== null && open(currentId)) },
  ]);

  const opened = useDeferredValue(state.event);
  const current = events[currentIndex];
  const failed = list.error && !list.isFetching;
  return (
    <ValueActionsProvider value={actions}>
      <div className={classes.page}>
        <h1 className="visually-hidden">{title}</h1>
        <div className={classes.bar}>
          {state.facetsHidden && (
            <ActionIcon size={32} variant="default" aria-label="Show facets" title="Show facets ([)" onClick={() => update({ facetsHidden: false }, { replace: true })}>
              <Icon name="panelLeft" />
            </ActionIcon>
          )}
          {views}
          <QueryBox track={config.track} label={`Search ${config.noun}`} placeholder={config.placeholder} value={state.query} from={filter.from} to={filter.to} onSubmit={(query) => (query === state.query ? explorer.refresh() : update({ query }))} />
          <TimeRange range={state.range} resolved={range} onChange={(next) => update({ range: next })} />
          <LiveButton explorer={explorer} on={live.on} held={ticked > 0} />
        </div>
        <Trend explorer={explorer} />
        <div className={classes.main} {...still.area}>
          {!state.facetsHidden && <FacetPanel explorer={explorer} isStill={still.isStill} />}
          <section ref={section} className={classes.list} aria-label={title}>
            {live.arrived > 0 && (
              <button type="button" className={classes.pill} onClick={explorer.refresh}>
                <Icon name="sortUp" size={12} /> {plural(live.arrived, `new ${config.noun.replace(/s$/, "")}`)}
              </button>
            )}
            {failed && <ErrorState inline={events.length > 0} error={list.error} retry={() => void list.refetch()} />}
            {list.isPending ? (
              <SkeletonRows rows={20} />
            ) : events.length === 0 ? (
              !failed && <EmptyResult explorer={explorer} help={help} />
            ) : (
              <EventGrid
                ref={grid}
                label={title}
                events={events}
                total={total ?? -1}
                columns={columns}
                sort={state.sort}
                currentId={currentId}
                openId={state.event}
                marked={marked}
                selection={bulk ? selection : undefined}
                onSelection={setSelection}
                onCurrent={moveTo}
                onOpen={open}
                onSort={(sort) => update({ sort })}
                onCell={actions.include}
                onEnd={() => {
                  if (!list.hasNextPage || list.isFetchingNextPage) return;
                  still.end();
                  void list.fetchNextPage();
                }}
                loadingMore={list.isFetchingNextPage}
                busy={list.isPlaceholderData}
              />
            )}
            {bulk && ticked > 0 && bulk({ selection, total: total ?? events.length, loaded: events, select: setSelection })}
            <div className={classes.foot}>
              <span role="status">{events.length > 0 && total !== undefined && (events.length < total ? `${formatNumber(events.length)} of ${formatNumber(total)} loaded` : `All ${formatNumber(total)} loaded`)}</span>
              {columns.length < chosen.length && <span className={classes.folded}>{plural(chosen.length - columns.length, "column")} hidden{state.event === null ? ": no room" : " beside the panel"}</span>}
              <ColumnMenu shown={chosen} offered={offered} onColumns={(ids) => update({ columns: ids }, { replace: true })} />
            </div>
          </section>
          {opened !== null && state.event !== null && <Slot render={panel} event={events.find((event) => event.id === opened)} id={opened} close={close} step={step} />}
        </div>
      </div>
      {ticked === 0 && rowKeys?.({ currentId, current, open })}
    </ValueActionsProvider>
  );
}

/** Keeps what the page renders into the panel a part of this tree. */
function Slot({ render, ...props }: PanelProps & { render: (props: PanelProps) => ReactNode }) {
  return render(props);
}

function LiveButton({ explorer, on, held }: { explorer: ExplorerHandle; on: boolean; held: boolean }) {
  const { state, update, refresh } = explorer;
  const moving = isMoving(state.range);
  const label = !moving ? "Refresh" : on ? "Pause live updates" : held ? "Live updates wait while rows are ticked" : "Resume live updates";
  const text = moving ? (on ? "Live" : held ? "Held" : "Paused") : "Refresh";
  return (
    <Tooltip label={label}>
      <button
        type="button"
        className={classes.live}
        data-on={on || undefined}
        aria-label={moving ? `${text}: ${label.toLowerCase()}` : text}
        onClick={() => {
          if (!moving) refresh();
          else {
            if (state.paused) refresh();
            update({ paused: !state.paused }, { replace: true });
          }
        }}
      >
        <Icon name={!moving ? "refresh" : on ? "pause" : "play"} size={14} />
        {text}
      </button>
    </Tooltip>
  );
}

/** The track's columns in their order, and further attributes that are shown. */
function offer(known: ExplorerColumn[], shown: ExplorerColumn[]): ExplorerColumn[] {
  return [...known, ...shown.filter((column) => !known.some((other) => other.id === column.id))];
}

/** Pages may overlap when an event arrives between them. */
function unique(events: ExploreEvent[]): ExploreEvent[] {
  const seen = new Set<string>();
  return events.filter((event) => !seen.has(event.id) && seen.add(event.id));
}
