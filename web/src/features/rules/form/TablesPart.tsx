import { Autocomplete, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMay } from "@/api/session";
import { tableChoicesQuery } from "@/api/tables";
import { useEditor, useField } from "../editor";
import { methodOf } from "../methods";
import { list, queryLabel, removeAt, replaceAt, text } from "../ruleDraft";
import { FieldInput } from "./FieldsInput";
import classes from "./form.module.css";
import { AddItem, Fault, Part } from "./Part";
import { RowEnd } from "./RowEnd";

interface TableFilter {
  tableName?: string;
  columnName?: string;
  logFieldPath?: string;
  /** None: of every query. */
  ruleQueryName?: string;
  checkPresence?: boolean;
}

const EVERY_QUERY = "*";
const UNOFFERED = ["third_party", "signal_correlation"];

/** Events whose attribute is, or is not, in a column of a reference table (siem.md §2.6). */
export function TablesPart() {
  const { draft, edit, fixed } = useEditor();
  const field = useField();
  const may = useMay("reference_tables_read");
  const filters = list<TableFilter>(draft.referenceTables);
  const tables = useQuery({ ...tableChoicesQuery, enabled: may && filters.length > 0 }).data ?? [];
  const write = (referenceTables: TableFilter[]) => edit({ referenceTables });
  if (filters.length === 0 && (fixed || UNOFFERED.includes(methodOf(draft)))) return null;
  return (
    <Part title="Reference tables" target="referenceTables" aside={!fixed && <AddItem onClick={() => write([...filters, { tableName: "", columnName: "", logFieldPath: "", checkPresence: true }])}>Add a filter</AddItem>}>
      {filters.length === 0 && <p className={classes.dim}>None. A filter keeps the logs whose attribute is in a column of a table, or those whose is not.</p>}
      <Fault>{field("referenceTables").error}</Fault>
      {filters.length > 0 && (
        <div className={classes.tableRow} aria-hidden="true">
          {["Of", "Attribute", "", "Table", "Column"].map((head) => (
            <span key={head} className={classes.dim}>
              {head}
            </span>
          ))}
        </div>
      )}
      {filters.map((each, index) => (
        <TableRow key={index} each={each} index={index} tables={tables} onChange={(next) => write(replaceAt(filters, index, next))} onRemove={() => write(removeAt(filters, index))} />
      ))}
    </Part>
  );
}

interface RowProps {
  each: TableFilter;
  index: number;
  tables: { attributes: { table_name: string; schema: { fields: { name: string }[] } } }[];
  onChange: (change: Partial<TableFilter>) => void;
  onRemove: () => void;
}

function TableRow({ each, index, tables, onChange, onRemove }: RowProps) {
  const { draft, fixed } = useEditor();
  const field = useField();
  const target = `referenceTables[${String(index)}]`;
  const number = String(index + 1);
  const query = text(each.ruleQueryName);
  const queries = [...new Set([...draft.queries.map(queryLabel), query].filter(Boolean))].map((label) => ({ value: label, label: `query ${label}` }));
  const columns = tables.find((table) => table.attributes.table_name === each.tableName)?.attributes.schema.fields.map((column) => column.name) ?? [];
  return (
    <div className={classes.tableRow}>
      <Select size="xs" aria-label={`Query of filter ${number}`} data={[{ value: EVERY_QUERY, label: "every query" }, ...queries]} allowDeselect={false} disabled={fixed} value={query || EVERY_QUERY} {...field(`${target}.ruleQueryName`)} onChange={(name) => onChange({ ruleQueryName: name === null || name === EVERY_QUERY ? undefined : name })} />
      <FieldInput label={`Attribute of filter ${number}`} placeholder="@network.client.ip" target={`${target}.logFieldPath`} disabled={fixed} value={text(each.logFieldPath)} onChange={(logFieldPath) => onChange({ logFieldPath })} />
      <Select
        size="xs"
        aria-label={`Presence of filter ${number}`}
        allowDeselect={false}
        disabled={fixed}
        data={[
          { value: "in", label: "is in" },
          { value: "not", label: "is not in" },
        ]}
        value={each.checkPresence === false ? "not" : "in"}
        {...field(`${target}.checkPresence`)}
        onChange={(value) => onChange({ checkPresence: value === "in" })}
      />
      <Autocomplete size="xs" aria-label={`Table of filter ${number}`} placeholder="Table" data={tables.map((table) => table.attributes.table_name)} disabled={fixed} value={text(each.tableName)} {...field(`${target}.tableName`)} onChange={(tableName) => onChange({ tableName })} />
      <Autocomplete size="xs" aria-label={`Column of filter ${number}`} placeholder="Column" data={columns} disabled={fixed} value={text(each.columnName)} {...field(`${target}.columnName`)} onChange={(columnName) => onChange({ columnName })} />
      {!fixed && <RowEnd what={`table filter ${number}`} onRemove={onRemove} />}
    </div>
  );
}
