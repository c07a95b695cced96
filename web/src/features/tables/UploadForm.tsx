import { Button, Checkbox, FileButton, Select, TextInput } from "@mantine/core";
import { useIsMutating, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { appendRows, createTable, MOST_BYTES, replaceRows, tableKeys, uploadCheckQuery, uploadFile, type ReferenceTable, type TableSchema, type UploadCheck } from "@/api/tables";
import { Dialog, Form } from "@/components/Dialog";
import { Icon } from "@/components/icons";
import page from "@/components/Page.module.css";
import { ErrorState, SkeletonRows } from "@/components/states";
import { tell } from "@/components/telling";
import { formatNumber, plural } from "@/lib/format";
import { proposeSchema, readHead, type Head } from "./csv";
import classes from "./tables.module.css";

const TYPES = [
  { value: "STRING", label: "Text" },
  { value: "INT32", label: "Whole number" },
];
const TAKING = [...tableKeys.all, "take"];
const ERRORS_SHOWN = 100;
const HEAD_BYTES = 200_000;

/** What becomes of the file: a table, all rows of one, or more rows of one. */
export type Purpose = { kind: "create" } | { kind: "replace" | "append"; table: ReferenceTable };

interface Chosen {
  file: File;
  head: Head;
}

/** Choose a CSV file, say what its columns are, see what it gives line by line, then take it. */
export function UploadForm({ purpose, opened, onClose, onDone }: { purpose: Purpose; opened: boolean; onClose: () => void; onDone: (id: string) => void }) {
  const titles = { create: "New table from a CSV file", replace: "Replace all rows by a CSV file", append: "Add rows from a CSV file" };
  return (
    <Dialog opened={opened} onClose={onClose} size="xl" title={titles[purpose.kind]} closeOnClickOutside={false}>
      <Content purpose={purpose} onClose={onClose} onDone={onDone} />
    </Dialog>
  );
}

function Content({ purpose, onClose, onDone }: { purpose: Purpose; onClose: () => void; onDone: (id: string) => void }) {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const isTaking = useIsMutating({ mutationKey: TAKING }) > 0;
  const choose = async (file: File | null) => {
    if (!file) return;
    setRefusal(null);
    const head = readHead(await file.slice(0, HEAD_BYTES).text());
    if (file.size > MOST_BYTES) setRefusal(`${file.name} has ${formatNumber(file.size)} bytes; a file may have ${formatNumber(MOST_BYTES)}. Split it, then add the rest to the table.`);
    else if (head.headers.length === 0) setRefusal(`${file.name} is empty: its first line must name the columns.`);
    else setChosen({ file, head });
  };
  return (
    <div className={page.form}>
      <div className={classes.file}>
        <FileButton onChange={(file) => void choose(file)} accept=".csv,text/csv,text/plain" inputProps={{ "aria-label": "CSV file" }}>
          {(props) => (
            <Button {...props} disabled={isTaking} variant={chosen ? "default" : "filled"} leftSection={<Icon name="plus" size={14} />} data-autofocus>
              {chosen ? "Another file" : "Choose a CSV file"}
            </Button>
          )}
        </FileButton>
        <span className={page.dim}>{chosen ? `${chosen.file.name}, ${formatNumber(chosen.file.size)} bytes` : "UTF-8, commas, quotes doubled within quotes, at most 4 MB; the first line names the columns."}</span>
      </div>
      {refusal && (
        <p role="alert" className={page.fault}>
          {refusal}
        </p>
      )}
      {chosen && <Columns key={`${chosen.file.name} ${String(chosen.file.lastModified)} ${String(chosen.file.size)}`} purpose={purpose} chosen={chosen} onClose={onClose} onDone={onDone} />}
    </div>
  );
}

function Columns({ purpose, chosen: { file, head }, onClose, onDone }: { purpose: Purpose; chosen: Chosen; onClose: () => void; onDone: (id: string) => void }) {
  const client = useQueryClient();
  const isNew = purpose.kind === "create";
  const table = purpose.kind === "create" ? null : purpose.table;
  const [name, setName] = useState(table?.attributes.table_name ?? nameFrom(file.name));
  const [description, setDescription] = useState("");
  const [schema, setSchema] = useState<TableSchema>(() => initial(purpose, head));
  const [uploadedName] = useState(name);
  const { fields, primary_keys: keys } = schema;
  const isFixed = purpose.kind === "append";

  const upload = useQuery({
    queryKey: [...tableKeys.all, "upload", uploadedName, file.name, file.lastModified, file.size],
    queryFn: ({ signal }) => uploadFile(uploadedName, head.headers, file, signal),
    retry: false,
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  const check = useQuery({ ...uploadCheckQuery(upload.data ?? "", schema), enabled: upload.data !== undefined && keys.length > 0 });
  const take = useMutation({
    mutationKey: TAKING,
    mutationFn: async () => {
      // An upload is for a table of one name.
      const id = name === uploadedName && upload.data !== undefined ? upload.data : await uploadFile(name, head.headers, file);
      if (purpose.kind === "create") return createTable(name, description, schema, id).then(({ id: made }) => ({ id: made, said: `Table ${name} created` }));
      if (purpose.kind === "replace") return replaceRows(purpose.table.id, schema, id).then(() => ({ id: purpose.table.id, said: "All rows replaced" }));
      const { added, changed } = await appendRows(purpose.table.id, id);
      return { id: purpose.table.id, said: `${plural(added, "row")} added, ${formatNumber(changed)} changed` };
    },
    onSuccess: ({ id, said }) => {
      void client.invalidateQueries({ queryKey: tableKeys.all, predicate: ({ queryKey }) => ["list", "one", "rows"].includes(String(queryKey[1])) });
      tell(said);
      onDone(id);
    },
  });
  const setType = (index: number, type: string | null) => setSchema({ ...schema, fields: fields.map((field, at) => (at === index && (type === "STRING" || type === "INT32") ? { ...field, type } : field)) });
  const setKey = (column: string, isKey: boolean) => setSchema({ ...schema, primary_keys: head.headers.filter((header) => (header === column ? isKey : keys.includes(header))) });
  const refused = upload.error ?? check.error;
  const rows = check.data?.row_count ?? 0;
  return (
    <Form className={page.form} busy={take.isPending} onSubmit={() => take.mutate()}>
      {isNew && (
        <div className={page.pair}>
          <TextInput size="xs" label="Name" description="Lookups and rules name the table by it: letters, digits, _ - ." value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <TextInput size="xs" label="Description" description="What is in it, and who keeps it" value={description} onChange={(event) => setDescription(event.currentTarget.value)} />
        </div>
      )}
      <div className={classes.wide}>
        <table className={classes.preview}>
          <caption className="visually-hidden">Columns of the file</caption>
          <thead>
            <tr>
              {fields.map((field, index) => (
                <th key={field.name} scope="col">
                  <span className={page.mono}>{field.name}</span>
                  {isFixed ? (
                    <span className={page.dim}>{TYPES.find(({ value }) => value === field.type)?.label}</span>
                  ) : (
                    <Select size="xs" aria-label={`Type of ${field.name}`} data={TYPES} value={field.type} allowDeselect={false} onChange={(type) => setType(index, type)} comboboxProps={{ withinPortal: true }} />
                  )}
                  <Checkbox size="xs" label="Primary key" aria-label={`${field.name} is the primary key`} checked={keys.includes(field.name)} disabled={isFixed} onChange={(event) => setKey(field.name, event.currentTarget.checked)} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(check.data?.rows ?? []).slice(0, 5).map((row, index) => (
              <tr key={index}>
                {fields.map((field) => (
                  <td key={field.name} className="truncate">
                    {row[field.name] ?? <span className={page.dim}>–</span>}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {keys.length === 0 && <p className={page.fault}>Choose the column, or columns, by which a row is found.</p>}
      {refused ? <ErrorState inline error={refused} /> : check.data ? <Verdict check={check.data} /> : keys.length > 0 && <SkeletonRows rows={2} height={22} />}
      {purpose.kind === "replace" && <p>The rows that the table has now ({formatNumber(purpose.table.attributes.row_count)}) go; those of the file come in their place.</p>}
      {take.error && <ErrorState inline error={take.error} />}
      <div className={page.formEnd}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button disabled={Boolean(refused) || !check.data || rows === 0 || name === ""} loading={take.isPending} type="submit">
          {{ create: `Create the table with ${plural(rows, "row")}`, replace: `Replace by ${plural(rows, "row")}`, append: `Add ${plural(rows, "row")}` }[purpose.kind]}
        </Button>
      </div>
    </Form>
  );
}

/** How many lines become rows, and why the others do not. */
function Verdict({ check }: { check: UploadCheck }) {
  return (
    <div role="status">
      <p>
        <strong>{plural(check.row_count, "row")}</strong>
        {check.error_row_count > 0 ? `, ${plural(check.error_row_count, "line")} left out:` : "; every line fits."}
      </p>
      {check.errors.length > 0 && (
        <ul className={classes.errors} aria-label="Lines that are left out">
          {check.errors.slice(0, ERRORS_SHOWN).map((error) => (
            <li key={`${String(error.line)} ${error.message}`}>
              <span className={page.dim}>line {formatNumber(error.line)}</span> {error.message}
            </li>
          ))}
          {check.error_row_count > ERRORS_SHOWN && <li className={page.dim}>and {plural(check.error_row_count - ERRORS_SHOWN, "more line")}</li>}
        </ul>
      )}
    </div>
  );
}

/** The table's own schema where it has these columns, else what the file looks like. */
function initial(purpose: Purpose, head: Head): TableSchema {
  const proposed = proposeSchema(head);
  if (purpose.kind === "create") return proposed;
  const { schema } = purpose.table.attributes;
  if (purpose.kind === "append") return schema;
  const known = new Map(schema.fields.map((field) => [field.name, field]));
  const keys = schema.primary_keys.filter((key) => head.headers.includes(key));
  return { fields: proposed.fields.map((field) => known.get(field.name) ?? field), primary_keys: keys.length === schema.primary_keys.length ? keys : proposed.primary_keys };
}

const nameFrom = (fileName: string): string => fileName.replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9_.-]+/g, "_");
