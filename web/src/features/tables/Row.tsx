import { ActionIcon, Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useRef, useState, type KeyboardEvent } from "react";
import { deleteRow, hasRow, upsertRow, type ReferenceTable, type RowValues } from "@/api/tables";
import { Icon } from "@/components/icons";
import page from "@/components/Page.module.css";
import { keyOf } from "./csv";
import classes from "./tables.module.css";

interface RowProps {
  table: ReferenceTable;
  id: string;
  values: RowValues;
  may: boolean;
  onDone: () => Promise<unknown>;
}

/** A row whose cells are changed in their place; the primary key says which row it is, and stays. */
export function Row({ table, id, values, may, onDone }: RowProps) {
  const { fields, primary_keys: keys } = table.attributes.schema;
  const remove = useMutation({ mutationFn: () => deleteRow(table.id, id), onSuccess: onDone });
  return (
    <tr>
      {fields.map(({ name }) => (
        <td key={name} className={page.text}>
          {may && !keys.includes(name) ? <Cell table={table} id={id} name={name} value={String(values[name] ?? "")} onDone={onDone} /> : <span className={keys.includes(name) ? classes.key : undefined}>{values[name] ?? ""}</span>}
        </td>
      ))}
      {may && (
        <td className={page.actions}>
          {remove.error && <span className={page.fault}>{remove.error.message} </span>}
          <ActionIcon aria-label={`Delete the row ${id}`} title="Delete the row" loading={remove.isPending} onClick={() => window.confirm(`Delete the row “${id}”?`) && remove.mutate()}>
            <Icon name="trash" size={14} />
          </ActionIcon>
        </td>
      )}
    </tr>
  );
}

function Cell({ table, id, name, value, onDone }: { table: ReferenceTable; id: string; name: string; value: string; onDone: () => Promise<unknown> }) {
  const [text, setText] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  // Left by a key, the cell keeps the focus that its input had.
  const [keepsFocus, setKeepsFocus] = useState(false);
  const leave = () => {
    setKeepsFocus(document.activeElement === input.current);
    setText(null);
  };
  const save = useMutation({
    mutationFn: (next: string) => upsertRow(table.id, id, { [name]: next }),
    onSuccess: async () => {
      await onDone(); // the cell shows what the list says
      leave();
    },
  });
  if (text === null) {
    return (
      <button type="button" autoFocus={keepsFocus} className={classes.cell} aria-label={`${name} of ${id}: ${value || "empty"}, change`} onClick={() => setText(value)}>
        {value || <span className={page.dim}>–</span>}
      </button>
    );
  }
  const submit = () => {
    if (save.isPending) return;
    if (text === value) leave();
    else save.mutate(text);
  };
  const cancel = () => {
    if (save.isPending) return;
    save.reset();
    leave();
  };
  return (
    <TextInput
      size="xs"
      ref={input}
      autoFocus
      aria-label={`${name} of ${id}`}
      value={text}
      readOnly={save.isPending}
      aria-busy={save.isPending || undefined}
      error={save.error?.message}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={() => !save.error && submit()}
      onKeyDown={(event: KeyboardEvent) => {
        if (event.key === "Enter") submit();
        if (event.key === "Escape") cancel();
      }}
    />
  );
}

/** A row to be written; it replaces none that is there. */
export function NewRow({ table, onDone, onClose }: { table: ReferenceTable; onDone: () => Promise<unknown>; onClose: () => void }) {
  const { fields, primary_keys: keys } = table.attributes.schema;
  const [values, setValues] = useState<Record<string, string>>({});
  const id = keyOf(keys, values);
  const isComplete = keys.every((key) => (values[key] ?? "") !== "");
  const add = useMutation({
    mutationFn: async () => {
      if (await hasRow(table.id, id)) throw new Error(`There is a row “${id}” already: change it where it is.`);
      await upsertRow(table.id, id, Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "")));
    },
    onSuccess: async () => {
      await onDone();
      setValues({});
      document.getElementById("new-row-0")?.focus();
    },
  });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && isComplete && !add.isPending) add.mutate();
    if (event.key === "Escape") onClose();
  };
  return (
    <tr className={classes.added}>
      {fields.map(({ name }, index) => (
        <td key={name}>
          <TextInput id={`new-row-${String(index)}`} size="xs" autoFocus={index === 0} aria-label={`${name} of the new row`} placeholder={keys.includes(name) ? "needed" : undefined} value={values[name] ?? ""} readOnly={add.isPending} onChange={(event) => setValues({ ...values, [name]: event.currentTarget.value })} onKeyDown={onKeyDown} />
        </td>
      ))}
      <td className={page.actions}>
        {add.error && (
          <span role="alert" className={page.fault}>
            {add.error.message}{" "}
          </span>
        )}
        <Button size="compact-xs" disabled={!isComplete} loading={add.isPending} onClick={() => add.mutate()}>
          Add
        </Button>{" "}
        <Button size="compact-xs" variant="default" onClick={onClose}>
          Close
        </Button>
      </td>
    </tr>
  );
}
