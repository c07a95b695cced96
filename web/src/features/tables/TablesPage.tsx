import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { usersQuery } from "@/api/people";
import { tablesQuery, type ReferenceTable } from "@/api/tables";
import { AddButton } from "@/components/AddButton";
import { AppLink } from "@/components/AppLink";
import { List, NothingFound, type Column } from "@/components/List";
import { ListPage } from "@/components/ListPage";
import page from "@/components/Page.module.css";
import { EmptyState } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import { formatNumber, plural } from "@/lib/format";
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

const COLUMNS: Column[] = [
  { label: "Name", sort: "table_name" },
  { label: "Rows", isNumber: true },
  { label: "Columns" },
  { label: "Used by" },
  { label: "Changed", sort: "updated_at", descends: true },
];

function TableList({ search, change }: { search: TablesSearch; change: Change }) {
  const { query = "", sort = "table_name" } = search;
  const list = useInfiniteQuery(tablesQuery(query, sort));
  const tables = list.data?.pages.flatMap((each) => each.data) ?? [];
  const [uploading, setUploading] = useState(false);
  return (
    <ListPage
      title="Reference tables"
      search={{ label: "Search tables", placeholder: "Search tables by name", value: query, onSearch: (next) => change({ query: next }) }}
      about={list.data && !list.hasNextPage && plural(tables.length, "table")}
      actions={<AddButton permission={WRITE} label="New table" onClick={() => setUploading(true)} />}
      overlay={<UploadForm purpose={{ kind: "create" }} opened={uploading} onClose={() => setUploading(false)} onDone={(id) => change({ open: id }, { push: true })} />}
    >
      <List
        query={list}
        count={tables.length}
        columns={COLUMNS}
        sort={sort}
        onSort={(next) => change({ sort: next })}
        empty={
          query ? (
            <NothingFound title="No table has this in its name" all="Show all tables" onAll={() => change({ query: undefined })} />
          ) : (
            <EmptyState title="There are no reference tables yet">
              <p>Lists that you keep, such as staff and their teams, or allowed addresses. Pipelines look values up in them, and rules ask whether a value is in one. Begin with a CSV file.</p>
            </EmptyState>
          )
        }
      >
        {tables.map((table) => (
          <Row key={table.id} table={table} />
        ))}
      </List>
    </ListPage>
  );
}

function Row({ table: { id, attributes } }: { table: ReferenceTable }) {
  const users = useQuery({ ...usersQuery(), retry: false });
  const by = users.data?.data.find((user) => user.id === attributes.last_updated_by)?.attributes;
  const to = `/tables${stringifySearch({ open: id })}`;
  return (
    <tr>
      <td className={page.grow} title={attributes.description}>
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
      <td className={classes.uses}>
        <UsedBy uses={attributes.used_by} />
      </td>
      <td>
        <RelativeTime time={Date.parse(attributes.updated_at)} />
        {by && <span className={page.dim}> by {by.name ?? by.handle}</span>}
      </td>
    </tr>
  );
}
