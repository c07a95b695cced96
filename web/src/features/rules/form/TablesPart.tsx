import { ActionIcon, Autocomplete, Button, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { tableChoicesQuery } from "@/api/rules";
import { useMay } from "@/api/session";
import { Icon } from "@/components/icons";
import { useEditor, useField } from "../editor";
import { list, queryLabel, removeAt, replaceAt, text } from "../ruleDraft";
import classes from "../rules.module.css";
import { Part } from "./Part";

interface TableFilter {
  tableName?: string;
  columnName?: string;
  logFieldPath?: string;
  ruleQueryName?: string;
  checkPresence?: boolean;
}

/** Events whose attribute is, or is not, in a column of a reference table (siem.md §2.6). */
export function TablesPart() {
  const { draft, edit, fixed } = useEditor();
  const field = useField();
  const may = useMay("reference_tables_read");
  const filters = list<TableFilter>(draft.referenceTables);
  const tables = useQuery({ ...tableChoicesQuery, enabled: may && filters.length > 0 }).data ?? [];
  const labels = draft.queries.map(queryLabel);
  const write = (referenceTables: TableFilter[]) => edit({ referenceTables });
  if (fixed && filters.length === 0) return null;
  return (
    <Part
      title="Reference tables"
      aside={
        !fixed && (
          <Button variant="default" leftSection={<Icon name="plus" size={12} />} onClick={() => write([...filters, { tableName: "", columnName: "", logFieldPath: "", ruleQueryName: labels[0] ?? "a", checkPresence: true }])}>
            Add a filter
          </Button>
        )
      }
    >
      {filters.length === 0 && <p className={classes.dim}>None: a filter keeps the events of a query whose attribute is in a table, or those whose is not.</p>}
      {filters.map((each, index) => {
        const target = `referenceTables[${String(index)}]`;
        const number = String(index + 1);
        const set = (next: Partial<TableFilter>) => write(replaceAt(filters, index, next));
        const columns = tables.find((table) => table.attributes.table_name === each.tableName)?.attributes.schema.fields.map((column) => column.name) ?? [];
        return (
          <div key={index} className={classes.case}>
            <Select size="xs" aria-label={`Query of filter ${number}`} w={120} data={[...new Set([...labels, text(each.ruleQueryName)].filter(Boolean))]} allowDeselect={false} disabled={fixed} value={text(each.ruleQueryName) || null} {...field(`${target}.ruleQueryName`)} onChange={(name) => name && set({ ruleQueryName: name })} />
            <Autocomplete size="xs" aria-label={`Attribute of filter ${number}`} placeholder="@network.client.ip" className={classes.grow} classNames={{ input: classes.mono }} disabled={fixed} value={text(each.logFieldPath)} {...field(`${target}.logFieldPath`)} onChange={(logFieldPath) => set({ logFieldPath })} />
            <Select
              size="xs"
              aria-label={`Presence of filter ${number}`}
              w={110}
              allowDeselect={false}
              disabled={fixed}
              data={[
                { value: "in", label: "is in" },
                { value: "not", label: "is not in" },
              ]}
              value={each.checkPresence === false ? "not" : "in"}
              onChange={(value) => set({ checkPresence: value === "in" })}
            />
            <Autocomplete size="xs" aria-label={`Table of filter ${number}`} placeholder="Table" data={tables.map((table) => table.attributes.table_name)} className={classes.grow} disabled={fixed} value={text(each.tableName)} {...field(`${target}.tableName`)} onChange={(tableName) => set({ tableName })} />
            <Autocomplete size="xs" aria-label={`Column of filter ${number}`} placeholder="Column" data={columns} className={classes.grow} disabled={fixed} value={text(each.columnName)} {...field(`${target}.columnName`)} onChange={(columnName) => set({ columnName })} />
            {!fixed && (
              <ActionIcon aria-label={`Remove filter ${number}`} onClick={() => write(removeAt(filters, index))}>
                <Icon name="trash" />
              </ActionIcon>
            )}
          </div>
        );
      })}
    </Part>
  );
}
