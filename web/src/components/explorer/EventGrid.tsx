/* eslint-disable jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus --
   The grid holds the focus and handles the keys for its rows and cells (aria-activedescendant). */
import { Checkbox, Loader } from "@mantine/core";
import { columnSizingFeature, columnResizingFeature, tableFeatures, useTable, type ColumnDef } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useEffectEvent, useImperativeHandle, useMemo, useRef, useState, type KeyboardEvent, type Ref } from "react";
import type { ExploreEvent } from "@/api/types";
import { useHotkeys } from "@/components/hotkeys";
import { Icon } from "@/components/icons";
import { between, countSelected, isSelected, NOTHING, setSelected, toggle, type Selection } from "@/lib/selection";
import type { Sort } from "@/lib/urlState";
import classes from "./EventGrid.module.css";
import { leastOf, type ExplorerColumn } from "./model";

const ROW = 30;
/** The column of ticks, in pixels. */
export const TICK = 34;

export interface GridHandle {
  focus: () => void;
  /** Neither scrolled nor focused: rows may move. */
  isIdle: () => boolean;
}

interface Props {
  ref?: Ref<GridHandle>;
  label: string;
  events: ExploreEvent[];
  /** How many the query finds; -1 while unknown. */
  total: number;
  columns: ExplorerColumn[];
  sort: Sort;
  currentId: string | null;
  openId: string | null;
  /** Rows that somebody else has changed since they were loaded. */
  marked?: ReadonlySet<string>;
  /** Absent: rows cannot be ticked. */
  selection?: Selection;
  onSelection?: (selection: Selection) => void;
  /** Moves to a row; an open panel follows. */
  onCurrent: (id: string) => void;
  onOpen: (id: string) => void;
  onSort: (sort: Sort) => void;
  onCell: (field: string, value: string) => void;
  onEnd: () => void;
  loadingMore: boolean;
  /** Another search is on its way; these are the rows of the last one. */
  busy: boolean;
}

const features = tableFeatures({ columnSizingFeature, columnResizingFeature });
type Features = typeof features;

/** The list: one tab stop, rows by j/k and arrows, cells by left and right, only what is in sight in the document. */
export function EventGrid(props: Props) {
  const { events, columns, sort, currentId, openId, selection, onSelection, onCurrent, onOpen, onSort, onCell, onEnd } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const grid = useRef<HTMLDivElement>(null);
  const anchor = useRef<string | null>(null);
  const [activeColumn, setActiveColumn] = useState(-1);
  const ids = useMemo(() => events.map((event) => event.id), [events]);

  const definitions = useMemo<ColumnDef<Features, ExploreEvent>[]>(
    () => columns.map((column) => ({ id: column.id, size: column.width, minSize: 48, maxSize: 1600 })),
    [columns],
  );
  const table = useTable({ features, columns: definitions, data: events, getRowId: (event) => event.id, columnResizeMode: "onChange" });
  const headers = table.getHeaderGroups()[0]?.headers ?? [];
  const resized = table.state.columnSizing;
  const template = [
    ...(selection ? [`${String(TICK)}px`] : []),
    ...columns.map((column) => {
      const set = resized[column.id];
      return set !== undefined ? `${String(set)}px` : `minmax(${String(leastOf(column))}px, ${column.grow ? `${String(column.grow)}fr` : `${String(column.width)}px`})`;
    }),
    ...(columns.some((column) => column.grow && resized[column.id] === undefined) ? [] : ["1fr"]),
  ].join(" ");
  const minWidth = (selection ? TICK : 0) + columns.reduce((sum, column) => sum + (resized[column.id] ?? leastOf(column)), 0);

  const virtual = useVirtualizer({ count: events.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 12, scrollPaddingStart: ROW, getItemKey: (index) => ids[index] ?? index });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const reachedEnd = useEffectEvent(onEnd);
  useEffect(() => {
    if (events.length > 0 && last >= events.length - 20) reachedEnd();
  }, [last, events.length]);

  const currentIndex = currentId === null ? -1 : ids.indexOf(currentId);
  const scrollTo = useEffectEvent((index: number) => virtual.scrollToIndex(index, { align: "auto" }));
  useEffect(() => {
    if (currentIndex >= 0) scrollTo(currentIndex);
  }, [currentIndex]);

  useImperativeHandle(
    props.ref,
    () => ({
      focus: () => grid.current?.focus({ preventScroll: true }),
      isIdle: () => (scroller.current?.scrollTop ?? 0) < 4 && !grid.current?.contains(document.activeElement),
    }),
    [],
  );

  const go = (index: number) => {
    const id = ids[Math.max(0, Math.min(ids.length - 1, index))];
    if (id === undefined) return;
    onCurrent(id);
    grid.current?.focus({ preventScroll: true });
  };
  const step = (by: number) => go(currentIndex < 0 ? 0 : currentIndex + by);
  const tick = (id: string, extend: boolean) => {
    if (!selection || !onSelection) return;
    const next = extend ? setSelected(selection, between(ids, anchor.current, id), true) : toggle(selection, id);
    anchor.current = id;
    onSelection(next);
  };
  const inGrid = (event: { target: EventTarget | null }) => event.target === grid.current || event.target === document.body;
  const hasRows = events.length > 0;

  useHotkeys(
    [
      { keys: ["j"], label: "Next row", group: "List", run: () => step(1) },
      { keys: ["ArrowDown"], label: "Next row", group: "List", run: () => step(1), when: inGrid },
      { keys: ["k"], label: "Previous row", group: "List", run: () => step(-1) },
      { keys: ["ArrowUp"], label: "Previous row", group: "List", run: () => step(-1), when: inGrid },
      { keys: ["o"], label: "Open the row", group: "List", run: () => currentId && onOpen(currentId) },
      { keys: ["Enter"], label: "Open the row", group: "List", run: () => currentId && onOpen(currentId), when: (event) => inGrid(event) && currentId !== null },
      ...(selection
        ? [
            { keys: ["x"], label: "Tick the row", group: "List", run: () => currentId && tick(currentId, false) },
            { keys: ["shift+x"], label: "Tick up to the row", group: "List", run: () => currentId && tick(currentId, true) },
          ]
        : []),
      { keys: ["f"], label: "Filter by the cell (← → choose it)", group: "List", run: () => filterByCell() },
    ],
    hasRows,
  );

  const filterByCell = () => {
    const event = events[currentIndex];
    const column = columns[activeColumn] ?? columns.find((each) => each.field && each.values && each.field !== "timestamp");
    const value = event && column?.values?.(event)[0];
    if (column?.field && value) onCell(column.field, value);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== grid.current || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW) - 2);
    const moves: Record<string, () => void> = {
      Home: () => go(0),
      End: () => go(ids.length - 1),
      PageDown: () => step(page),
      PageUp: () => step(-page),
      ArrowRight: () => setActiveColumn(Math.min(columns.length - 1, activeColumn + 1)),
      ArrowLeft: () => setActiveColumn(Math.max(-1, activeColumn - 1)),
      " ": () => currentId && tick(currentId, event.shiftKey),
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  };

  const loadedTicked = selection ? ids.filter((id) => isSelected(selection, id)).length : 0;
  const active = currentIndex >= 0 ? (activeColumn >= 0 ? cellId(currentIndex, activeColumn) : rowId(currentIndex)) : undefined;
  return (
    <div ref={scroller} className={classes.scroller} data-busy={props.busy || undefined}>
      <div
        ref={grid}
        role="grid"
        tabIndex={0}
        className={classes.grid}
        aria-label={props.label}
        aria-rowcount={props.total >= 0 ? props.total + 1 : -1}
        aria-colcount={columns.length + (selection ? 1 : 0)}
        aria-multiselectable={selection ? true : undefined}
        aria-activedescendant={active}
        aria-busy={props.busy}
        style={{ minWidth }}
        onKeyDown={onKeyDown}
        onFocus={(event) => {
          if (event.target === grid.current && currentIndex < 0 && openId === null && ids[0] !== undefined) onCurrent(ids[0]);
        }}
      >
        <div role="rowgroup" className={classes.head}>
          <div role="row" aria-rowindex={1} className={classes.row} style={{ gridTemplateColumns: template }}>
            {selection && (
              <div role="columnheader" className={classes.tick}>
                <Checkbox
                  size="xs"
                  tabIndex={-1}
                  aria-label="Tick all loaded rows"
                  checked={loadedTicked > 0 && loadedTicked === ids.length}
                  indeterminate={loadedTicked > 0 && loadedTicked < ids.length}
                  onChange={(event) => onSelection?.(event.currentTarget.checked ? setSelected(NOTHING, ids, true) : NOTHING)}
                />
              </div>
            )}
            {columns.map((column, index) => {
              const sorted = column.field === sort.field;
              const header = headers[index];
              return (
                <div key={column.id} role="columnheader" className={classes.header} aria-sort={sorted ? (sort.descending ? "descending" : "ascending") : column.field ? "none" : undefined}>
                  {column.field ? (
                    <button
                      type="button"
                      tabIndex={-1}
                      className={classes.sort}
                      onClick={() => column.field && onSort({ field: column.field, descending: sorted ? !sort.descending : true })}
                    >
                      <span className="truncate">{column.header}</span>
                      {sorted && <Icon name={sort.descending ? "sortDown" : "sortUp"} size={11} />}
                    </button>
                  ) : (
                    <span className="truncate">{column.header}</span>
                  )}
                  {header && <span aria-hidden="true" className={classes.resize} onPointerDown={(event) => event.stopPropagation()} onMouseDown={header.getResizeHandler()} />}
                </div>
              );
            })}
          </div>
        </div>
        <div role="rowgroup" className={classes.body} style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const event = events[item.index];
            if (!event) return null;
            const ticked = selection ? isSelected(selection, event.id) : false;
            return (
              <div
                key={event.id}
                id={rowId(item.index)}
                role="row"
                aria-rowindex={item.index + 2}
                aria-selected={selection ? ticked : undefined}
                data-current={event.id === currentId || undefined}
                data-open={event.id === openId || undefined}
                data-ticked={ticked || undefined}
                data-marked={props.marked?.has(event.id) || undefined}
                title={props.marked?.has(event.id) ? "Somebody else has changed it" : undefined}
                className={classes.row}
                style={{ gridTemplateColumns: template, transform: `translateY(${String(item.start)}px)` }}
                onClick={(click) => {
                  if (click.shiftKey && selection) {
                    tick(event.id, true);
                    return;
                  }
                  onOpen(event.id);
                }}
              >
                {selection && (
                  <div role="gridcell" className={classes.tick} onClick={(click) => click.stopPropagation()}>
                    <Checkbox
                      size="xs"
                      tabIndex={-1}
                      aria-label={`Tick row ${String(item.index + 1)}`}
                      checked={ticked}
                      onChange={() => undefined}
                      onClick={(click) => {
                        if (openId === null) onCurrent(event.id);
                        tick(event.id, click.shiftKey);
                      }}
                    />
                  </div>
                )}
                {columns.map((column, index) => (
                  <div
                    key={column.id}
                    id={cellId(item.index, index)}
                    role="gridcell"
                    data-active={(event.id === currentId && index === activeColumn) || undefined}
                    className={column.mono ? `${classes.cell} ${classes.mono}` : classes.cell}
                  >
                    {column.render(event)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
      {props.loadingMore && (
        <div className={classes.more} role="status">
          <Loader size={12} /> Loading more
        </div>
      )}
      {selection && <span className="visually-hidden" role="status">{countSelected(selection, props.total)} rows ticked</span>}
    </div>
  );
}

const rowId = (index: number): string => `row-${String(index)}`;
const cellId = (row: number, column: number): string => `cell-${String(row)}-${String(column)}`;
