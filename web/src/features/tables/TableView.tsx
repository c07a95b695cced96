import { Button } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "@/api/errors";
import { useMay } from "@/api/session";
import { deleteTable, rowsQuery, tableKeys, tableQuery, valuesOf, type ReferenceTable } from "@/api/tables";
import { Icon } from "@/components/icons";
import { List, NothingFound, type Column } from "@/components/List";
import { ListPage } from "@/components/ListPage";
import { MoreItem, MoreMenu } from "@/components/MoreMenu";
import { NotThere } from "@/components/NotThere";
import page from "@/components/Page.module.css";
import { EmptyState, ErrorState, SkeletonRows } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import { formatNumber, plural } from "@/lib/format";
import { NewRow, Row } from "./Row";
import classes from "./tables.module.css";
import { UploadForm } from "./UploadForm";
import { UsedBy } from "./UsedBy";

export const WRITE = "reference_tables_write";
const ALL = { to: "/tables", label: "Reference tables" };

interface Props {
  id: string;
  search: string;
  onSearch: (text: string) => void;
  close: () => void;
}

/** One table: its rows, each cell to be changed in its place. */
export function TableView({ id, search, onSearch, close }: Props) {
  const table = useQuery(tableQuery(id));
  if (table.data) return <Opened table={table.data} search={search} onSearch={onSearch} close={close} />;
  return (
    <ListPage title="Reference table" crumb={ALL}>
      <div className={page.scroll}>{table.error instanceof ApiError && table.error.isUnknown ? <NotThere noun="reference table" /> : table.error ? <ErrorState error={table.error} retry={() => void table.refetch()} /> : <SkeletonRows rows={14} height={33} />}</div>
    </ListPage>
  );
}

function Opened({ table, search, onSearch, close }: Omit<Props, "id"> & { table: ReferenceTable }) {
  const client = useQueryClient();
  const may = useMay(WRITE);
  const { attributes } = table;
  const rows = useInfiniteQuery(rowsQuery(table.id, search));
  const found = rows.data?.pages.flatMap((each) => each.data) ?? [];
  const [adding, setAdding] = useState(false);
  const [uploading, setUploading] = useState<"append" | "replace" | null>(null);
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
  const { fields, primary_keys: keys } = attributes.schema;
  const columns: Column[] = fields.map((field) => ({
    id: field.name,
    label: (
      <>
        {field.name}
        <span className={classes.kind}>
          {field.type === "INT32" ? "number" : "text"}
          {keys.includes(field.name) && ", key"}
        </span>
      </>
    ),
  }));
  if (may) columns.push({ label: "Actions", isHidden: true });
  return (
    <ListPage
      title={attributes.table_name}
      crumb={ALL}
      search={{ label: "Search rows", placeholder: "Search rows: a text in any column", value: search, onSearch }}
      actions={
        may ? (
          <>
            <Button variant="default" leftSection={<Icon name="plus" size={14} />} onClick={() => setAdding(true)}>
              Add a row
            </Button>
            <Button variant="default" onClick={() => setUploading("append")}>
              Add from CSV
            </Button>
            <MoreMenu>
              <MoreItem icon="refresh" onClick={() => setUploading("replace")}>
                Replace all rows by a CSV file
              </MoreItem>
              <MoreItem icon="trash" onClick={() => window.confirm(`Delete the table “${attributes.table_name}” with its ${plural(attributes.row_count, "row")}?`) && remove.mutate()}>
                Delete the table
              </MoreItem>
            </MoreMenu>
          </>
        ) : (
          <span className={page.dim}>Changing rows needs the permission {WRITE}</span>
        )
      }
      below={
        <>
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
        </>
      }
      overlay={uploading && <UploadForm purpose={{ kind: uploading, table }} opened onClose={() => setUploading(null)} onDone={() => setUploading(null)} />}
    >
      <List
        query={rows}
        count={found.length + Number(adding)}
        columns={columns}
        more={search ? "Search on" : `Show more (${formatNumber(found.length)} of ${formatNumber(attributes.row_count)} shown)`}
        empty={!rows.hasNextPage && (search ? <NothingFound title="No row has this text in a column" all="Show all rows" onAll={() => onSearch("")} /> : <EmptyState title="The table has no rows" />)}
      >
        {adding && <NewRow table={table} onDone={changed} onClose={() => setAdding(false)} />}
        {found.map((row) => (
          <Row key={row.id} table={table} id={row.id} values={valuesOf(row)} may={may} onDone={changed} />
        ))}
      </List>
    </ListPage>
  );
}
