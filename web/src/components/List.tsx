import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Icon } from "./icons";
import classes from "./List.module.css";
import page from "./Page.module.css";
import { EmptyState, ErrorState, SkeletonRows } from "./states";

export interface Column {
  label: ReactNode;
  /** For React, where the label is no text. */
  id?: string;
  /** What the server sorts by; `-` before it descends. */
  sort?: string;
  /** Sorted by it, the largest comes first: counts and times. */
  descends?: boolean;
  isNumber?: boolean;
  /** Of buttons: its name is for who listens. */
  isHidden?: boolean;
  className?: string;
}

/** What a list needs of a query, whether it has pages or not. */
export interface ListQuery {
  data: unknown;
  error: Error | null;
  isPending: boolean;
  isFetching: boolean;
  refetch: () => unknown;
  hasNextPage?: boolean;
  isFetchingNextPage?: boolean;
  fetchNextPage?: () => unknown;
}

interface Sorting {
  sort?: string;
  onSort?: (sort: string) => void;
}

interface Props extends Sorting {
  query: ListQuery;
  /** How many rows are there to show. */
  count: number;
  columns: readonly Column[];
  /** What to say where there is none. */
  empty: ReactNode;
  more?: string;
  /** Of the list and of its table. */
  className?: string;
  tableClassName?: string;
  /** Above the table, while there is one. */
  notice?: ReactNode;
  children: ReactNode;
}

/** Rows of one kind: to come, there, none, or refused; what was there stays while something newer is fetched. */
export function List({ query, count, columns, sort, onSort, empty, more, className = "", tableClassName = "", notice, children }: Props) {
  return (
    <div className={`${classes.list ?? ""} ${className}`}>
      {query.error && <ErrorState inline={count > 0} error={query.error} retry={() => void query.refetch()} />}
      <div className={page.scroll}>
        {query.isPending && <SkeletonRows rows={14} height={33} />}
        {query.data !== undefined && notice}
        {count > 0 && (
          <table className={`${page.table ?? ""} ${tableClassName}`} aria-busy={query.isFetching}>
            <Columns columns={columns} sort={sort} onSort={onSort} />
            <tbody>{children}</tbody>
          </table>
        )}
        {query.data !== undefined && count === 0 && empty}
        <More query={query} label={more} className={page.more} />
      </div>
    </div>
  );
}

/** The head of a table: by what it can be sorted, and by what it is. */
export function Columns({ columns, sort, onSort, lead }: Sorting & { columns: readonly Column[]; lead?: ReactNode }) {
  return (
    <thead>
      <tr>
        {lead}
        {columns.map((column) => {
          const { label, sort: by, isNumber, isHidden, className = "", descends = false } = column;
          const direction = by === undefined ? undefined : sort === by ? "ascending" : sort === `-${by}` ? "descending" : "none";
          const next = direction === "none" ? descends : direction === "ascending";
          return (
            <th key={column.id ?? String(label)} scope="col" aria-sort={direction} className={`${isNumber ? (page.number ?? "") : ""} ${className}`.trim() || undefined}>
              {by === undefined ? (
                <span className={isHidden ? "visually-hidden" : undefined}>{label}</span>
              ) : (
                <button type="button" className={page.sort} onClick={() => onSort?.(next ? `-${by}` : by)}>
                  {label}
                  {direction !== "none" && <Icon name={direction === "descending" ? "sortDown" : "sortUp"} size={11} />}
                </button>
              )}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

/** The next page, where there is one. */
export function More({ query, label = "Show more", className }: { query: Pick<ListQuery, "hasNextPage" | "isFetchingNextPage" | "fetchNextPage">; label?: string; className?: string }) {
  if (!query.hasNextPage) return null;
  return (
    <div className={className}>
      <Button variant="default" mt={className ? 0 : "xs"} loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage?.()}>
        {label}
      </Button>
    </div>
  );
}

/** There is something, but not what was asked for: the way back to all. */
export function NothingFound({ title, all, onAll, children }: { title: string; all: string; onAll: () => void; children?: ReactNode }) {
  return (
    <EmptyState title={title}>
      {children}
      <Button variant="default" onClick={onAll}>
        {all}
      </Button>
    </EmptyState>
  );
}
