import { ActionIcon, Button, Menu, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useMay } from "@/api/session";
import { deleteTable, rowsQuery, tableKeys, tableQuery, valuesOf, type ReferenceTable } from "@/api/tables";
import { AppLink } from "@/components/AppLink";
import { useHotkeys } from "@/components/hotkeys";
import { Icon } from "@/components/icons";
import page from "@/components/Page.module.css";
import { EmptyState, ErrorState, SkeletonRows } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import { formatNumber, plural } from "@/lib/format";
import { NewRow, Row } from "./Row";
import classes from "./tables.module.css";
import { UploadForm } from "./UploadForm";
import { UsedBy } from "./UsedBy";

export const WRITE = "reference_tables_write";

interface Props {
  id: string;
  search: string;
  onSearch: (text: string) => void;
  close: () => void;
}

/** One table: its rows, each cell to be changed in its place. */
export function TableView({ id, search, onSearch, close }: Props) {
  const table = useQuery(tableQuery(id));
  useEffect(() => {
    if (table.data) document.title = `${table.data.attributes.table_name} · Reference tables · Tocsin`;
  }, [table.data]);
  if (!table.data) {
    return (
      <div className={page.page}>
        <div className={page.bar}>
          <AppLink to="/tables" className={page.crumb}>
            Reference tables
          </AppLink>
          <h1 className="visually-hidden">Reference table</h1>
        </div>
        {table.error ? <ErrorState error={table.error} retry={() => void table.refetch()} /> : <SkeletonRows rows={14} />}
      </div>
    );
  }
  return <Opened table={table.data} search={search} onSearch={onSearch} close={close} />;
}

function Opened({ table, search, onSearch, close }: Omit<Props, "id"> & { table: ReferenceTable }) {
  const client = useQueryClient();
  const may = useMay(WRITE);
  const { attributes } = table;
  const rows = useInfiniteQuery(rowsQuery(table.id, search));
  const found = rows.data?.pages.flatMap((each) => each.data) ?? [];
  const [text, setText] = useState(search);
  const [adding, setAdding] = useState(false);
  const [uploading, setUploading] = useState<"append" | "replace" | null>(null);
  const find = useDebouncedCallback((next: string) => onSearch(next.trim()), 250);
  const remove = useMutation({
    mutationFn: () => deleteTable(table.id),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: [...tableKeys.all, "list"] });
      close();
    },
  });
  const changed = () => {
    void client.invalidateQueries({ queryKey: tableQuery(table.id).queryKey });
    void client.invalidateQueries({ queryKey: [...tableKeys.all, "list"] });
    return client.invalidateQueries({ queryKey: [...tableKeys.all, "rows", table.id] });
  };
  useHotkeys([{ keys: ["/"], label: "Search", group: "Everywhere", run: () => document.getElementById("row-search")?.focus() }]);
  const { fields, primary_keys: keys } = attributes.schema;
  return (
    <div className={page.page}>
      <header className={page.bar}>
        <AppLink to="/tables" className={page.crumb}>
          Reference tables
        </AppLink>
        <Icon name="chevronRight" size={12} />
        <h1 className={page.title}>{attributes.table_name}</h1>
        <TextInput
          id="row-search"
          size="xs"
          className={page.search}
          aria-label="Search rows"
          placeholder="Search rows: a text in any column"
          leftSection={<Icon name="search" size={14} />}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            find(event.currentTarget.value);
          }}
        />
        <div className={page.end}>
          {may ? (
            <>
              <Button variant="default" leftSection={<Icon name="plus" size={14} />} onClick={() => setAdding(true)}>
                Add a row
              </Button>
              <Button variant="default" onClick={() => setUploading("append")}>
                Add from CSV
              </Button>
              <Menu position="bottom-end">
                <Menu.Target>
                  <ActionIcon aria-label="More">
                    <Icon name="dots" />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item leftSection={<Icon name="refresh" />} onClick={() => setUploading("replace")}>
                    Replace all rows by a CSV file
                  </Menu.Item>
                  <Menu.Item leftSection={<Icon name="trash" />} onClick={() => window.confirm(`Delete the table “${attributes.table_name}” with its ${plural(attributes.row_count, "row")}?`) && remove.mutate()}>
                    Delete the table
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            </>
          ) : (
            <span className={page.dim}>Changing rows needs the permission {WRITE}</span>
          )}
        </div>
      </header>
      <p className={classes.about}>
        <span>{plural(attributes.row_count, "row")}</span>
        <span>
          found by <code>{keys.join(", ")}</code>
        </span>
        <span>
          changed <RelativeTime time={Date.parse(attributes.updated_at)} />
        </span>
        <span>
          used by <UsedBy uses={attributes.used_by} all />
        </span>
        {attributes.description && <span>{attributes.description}</span>}
        {attributes.file_metadata && (
          <span title={attributes.file_metadata.error_message}>
            {plural(attributes.file_metadata.error_row_count, "line")} of its file left out: {attributes.file_metadata.error_message}
          </span>
        )}
      </p>
      {remove.error && <ErrorState inline error={remove.error} />}
      <div className={page.scroll}>
        {rows.error && <ErrorState inline={found.length > 0} error={rows.error} retry={() => void rows.refetch()} />}
        {rows.isPending ? (
          <SkeletonRows rows={14} />
        ) : (
          (found.length > 0 || adding) && (
            <table className={page.table} aria-busy={rows.isFetching}>
              <thead>
                <tr>
                  {fields.map((field) => (
                    <th key={field.name} scope="col">
                      {field.name}
                      <span className={classes.kind}>
                        {field.type === "INT32" ? "number" : "text"}
                        {keys.includes(field.name) && ", key"}
                      </span>
                    </th>
                  ))}
                  {may && (
                    <th scope="col">
                      <span className="visually-hidden">Actions</span>
                    </th>
                  )}
                </tr>
              </thead>
              <tbody>
                {adding && <NewRow table={table} onDone={changed} onClose={() => setAdding(false)} />}
                {found.map((row) => (
                  <Row key={row.id} table={table} id={row.id} values={valuesOf(row)} may={may} onDone={changed} />
                ))}
              </tbody>
            </table>
          )
        )}
        {rows.data && found.length === 0 && !adding && !rows.hasNextPage && (
          <EmptyState title={search ? "No row has this text in a column" : "The table has no rows"}>
            {search && (
              <Button
                variant="default"
                onClick={() => {
                  setText("");
                  onSearch("");
                }}
              >
                Show all rows
              </Button>
            )}
          </EmptyState>
        )}
        {rows.hasNextPage && (
          <div className={page.more}>
            <Button variant="default" loading={rows.isFetchingNextPage} onClick={() => void rows.fetchNextPage()}>
              {search ? "Search on" : `Show more (${formatNumber(found.length)} of ${formatNumber(attributes.row_count)} shown)`}
            </Button>
          </div>
        )}
      </div>
      {uploading && <UploadForm purpose={{ kind: uploading, table }} opened onClose={() => setUploading(null)} onDone={() => setUploading(null)} />}
    </div>
  );
}
