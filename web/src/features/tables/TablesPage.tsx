import { Button, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { usersQuery } from "@/api/people";
import { tablesQuery, type ReferenceTable } from "@/api/tables";
import { AppLink } from "@/components/AppLink";
import { Gate } from "@/components/Gate";
import { useHotkeys } from "@/components/hotkeys";
import { Icon } from "@/components/icons";
import page from "@/components/Page.module.css";
import { EmptyState, ErrorState, SkeletonRows } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import { formatNumber } from "@/lib/format";
import { stringifySearch } from "@/lib/urlState";
import { TableView, WRITE } from "./TableView";
import { UploadForm } from "./UploadForm";
import { UsedBy } from "./UsedBy";
import classes from "./tables.module.css";

export interface TablesSearch {
  query?: string;
  sort?: string;
  /** The open table, and what is searched in it. */
  open?: string;
  rows?: string;
}

type Change = (next: TablesSearch, options?: { push?: boolean }) => void;

export function TablesPage({ search, change }: { search: TablesSearch; change: Change }) {
  return search.open ? (
    <TableView key={search.open} id={search.open} search={search.rows ?? ""} onSearch={(rows) => change({ rows })} close={() => change({ open: undefined, rows: undefined }, { push: true })} />
  ) : (
    <TableList search={search} change={change} />
  );
}

const COLUMNS = [
  { label: "Name", sort: "table_name" },
  { label: "Rows" },
  { label: "Columns" },
  { label: "Used by" },
  { label: "Changed", sort: "updated_at" },
];

function TableList({ search, change }: { search: TablesSearch; change: Change }) {
  const { query = "", sort = "table_name" } = search;
  const list = useInfiniteQuery(tablesQuery(query, sort));
  const tables = list.data?.pages.flatMap((each) => each.data) ?? [];
  const [text, setText] = useState(query);
  const [uploading, setUploading] = useState(false);
  const find = useDebouncedCallback((next: string) => change({ query: next.trim() }), 250);
  useEffect(() => {
    document.title = "Reference tables · Tocsin";
  }, []);
  useHotkeys([{ keys: ["/"], label: "Search", group: "Everywhere", run: () => document.getElementById("table-search")?.focus() }]);
  return (
    <div className={page.page}>
      <div className={page.bar}>
        <h1 className={page.title}>Reference tables</h1>
        <TextInput
          id="table-search"
          size="xs"
          className={page.search}
          aria-label="Search tables"
          placeholder="Search tables by name"
          leftSection={<Icon name="search" size={14} />}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            find(event.currentTarget.value);
          }}
        />
        <div className={page.end}>
          <Gate permission={WRITE}>
            {(may) => (
              <Button leftSection={<Icon name="plus" size={14} />} disabled={!may} onClick={() => setUploading(true)}>
                New table
              </Button>
            )}
          </Gate>
        </div>
      </div>
      <div className={page.scroll}>
        {list.error && <ErrorState inline={tables.length > 0} error={list.error} retry={() => void list.refetch()} />}
        {list.isPending ? (
          <SkeletonRows rows={10} height={32} />
        ) : (
          tables.length > 0 && (
            <table className={page.table} aria-busy={list.isFetching}>
              <thead>
                <tr>
                  {COLUMNS.map(({ label, sort: by }) => {
                    const direction = by === undefined ? undefined : sort === by ? "ascending" : sort === `-${by}` ? "descending" : "none";
                    return (
                      <th key={label} scope="col" aria-sort={direction} className={label === "Rows" ? page.number : undefined}>
                        {by === undefined ? (
                          label
                        ) : (
                          <button type="button" className={page.sort} onClick={() => change({ sort: direction === "ascending" ? `-${by}` : by })}>
                            {label}
                            {direction !== "none" && <Icon name={direction === "descending" ? "sortDown" : "sortUp"} size={11} />}
                          </button>
                        )}
                      </th>
                    );
                  })}
                </tr>
              </thead>
              <tbody>
                {tables.map((table) => (
                  <Row key={table.id} table={table} />
                ))}
              </tbody>
            </table>
          )
        )}
        {list.data && tables.length === 0 && (
          <EmptyState title={query ? "No table has this in its name" : "There are no reference tables yet"}>
            {query ? (
              <Button
                variant="default"
                onClick={() => {
                  setText("");
                  change({ query: undefined });
                }}
              >
                Show all tables
              </Button>
            ) : (
              <p>Lists that you keep, such as staff and their teams, or allowed addresses. Pipelines look values up in them, and rules ask whether a value is in one. Begin with a CSV file.</p>
            )}
          </EmptyState>
        )}
        {list.hasNextPage && (
          <div className={page.more}>
            <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
              Show more
            </Button>
          </div>
        )}
      </div>
      <UploadForm purpose={{ kind: "create" }} opened={uploading} onClose={() => setUploading(false)} onDone={(id) => change({ open: id }, { push: true })} />
    </div>
  );
}

function Row({ table: { id, attributes } }: { table: ReferenceTable }) {
  const users = useQuery({ ...usersQuery, retry: false });
  const by = users.data?.data.find((user) => user.id === attributes.last_updated_by)?.attributes;
  const to = `/tables${stringifySearch({ open: id })}`;
  return (
    <tr>
      <td>
        <AppLink to={to} className={classes.name}>
          {attributes.table_name}
        </AppLink>
        {attributes.description && <span className={page.dim}> {attributes.description}</span>}
      </td>
      <td className={page.number}>
        <AppLink to={to} title={`Rows of ${attributes.table_name}`}>
          {formatNumber(attributes.row_count)}
        </AppLink>
      </td>
      <td className={page.text} title={attributes.schema.fields.map((field) => field.name).join(", ")}>
        {attributes.schema.fields.map((field) => field.name).join(", ")}
      </td>
      <td>
        <UsedBy uses={attributes.used_by} />
      </td>
      <td>
        <RelativeTime time={Date.parse(attributes.updated_at)} />
        {by && <span className={page.dim}> by {by.name ?? by.handle}</span>}
      </td>
    </tr>
  );
}
