import { ActionIcon, Autocomplete, Button, Checkbox, Select, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { FieldFault } from "@/api/errors";
import type { Processor } from "@/api/pipelines";
import { useMay } from "@/api/session";
import { tableChoicesQuery } from "@/api/tables";
import { Icon } from "@/components/icons";
import pages from "@/components/Page.module.css";
import { isObject, scalarText } from "@/lib/attributes";
import { faultAt, member, textsOf, withMember } from "./pipelineDraft";
import classes from "./pipelines.module.css";
import type { Field } from "./processorKinds";

interface Props {
  fields: Field[];
  body: Processor;
  where: string;
  faults: FieldFault[];
  readOnly: boolean;
  onChange: (body: Processor) => void;
}

/** The form of a processor; a fault stands at its field. */
export function ProcessorFields({ fields, body, where, faults, readOnly, onChange }: Props) {
  return (
    <div className={classes.fields}>
      {fields.map((field) => (
        <div key={field.path || field.label} className={WIDE.has(field.kind) ? classes.wide : undefined}>
          <FieldInput field={field} body={body} error={faultAt(faults, `${where}.${field.path}`)} faults={faults} where={where} readOnly={readOnly} set={(value) => onChange(withMember(body, field.path, value))} onChange={onChange} />
        </div>
      ))}
    </div>
  );
}

const WIDE = new Set<Field["kind"]>(["lines", "list", "categories", "json"]);

interface InputProps extends Omit<Props, "fields"> {
  field: Field;
  error: string | undefined;
  set: (value: unknown) => void;
}

function FieldInput({ field, body, where, faults, error, readOnly, set, onChange }: InputProps) {
  const value = field.path === "" ? undefined : member(body, field.path);
  const text = value === undefined ? "" : scalarText(value);
  const shared = { size: "xs", label: field.label, description: field.description, error, disabled: readOnly } as const;
  const mono = { input: pages.mono };
  switch (field.kind) {
    case "text":
      return <TextInput {...shared} classNames={mono} placeholder={field.placeholder} spellCheck={false} value={text} onChange={(event) => set(event.currentTarget.value || undefined)} />;
    case "lines":
      return <Textarea {...shared} classNames={mono} autosize minRows={field.rows} maxRows={24} placeholder={field.placeholder} spellCheck={false} value={text} onChange={(event) => set(event.currentTarget.value)} />;
    case "list":
      return <ListInput shared={shared} field={field} value={textsOf(value)} set={set} />;
    case "paths":
      return <TagsInput {...shared} classNames={mono} placeholder={textsOf(value).length === 0 ? field.placeholder : undefined} splitChars={[","]} value={textsOf(value)} onChange={(paths) => set(paths)} />;
    case "flag":
      return <Checkbox size="xs" mt={22} label={field.label} disabled={readOnly} error={error} checked={value === undefined ? (field.preset ?? false) : value === true} onChange={(event) => set(event.currentTarget.checked)} />;
    case "choice":
      return <Select {...shared} data={[...field.options]} allowDeselect={false} value={text || field.preset} onChange={(chosen) => chosen && set(chosen)} />;
    case "variant":
      return <Select {...shared} data={[...field.options]} allowDeselect={false} value={field.current(body)} onChange={(chosen) => chosen && onChange(field.choose(body, chosen))} />;
    case "table":
      return <TableInput shared={shared} value={text} set={set} />;
    case "categories":
      return <Categories label={field.label} value={Array.isArray(value) ? value : []} faults={faults} target={`${where}.${field.path}`} readOnly={readOnly} set={set} />;
    case "json":
      return <JsonInput shared={shared} rows={field.rows} value={value} set={set} />;
  }
}

interface Shared {
  size: "xs";
  label: string;
  description?: string;
  error?: string;
  disabled: boolean;
}

/** One text a line; blank lines stay while somebody types, but are not sent. */
function ListInput({ shared, field, value, set }: { shared: Shared; field: Extract<Field, { kind: "list" }>; value: string[]; set: (value: unknown) => void }) {
  const [text, setText] = useState(value.join("\n"));
  const meant = lines(text);
  const [seen, setSeen] = useState(value);
  if (JSON.stringify(seen) !== JSON.stringify(value)) {
    setSeen(value);
    if (JSON.stringify(meant) !== JSON.stringify(value)) setText(value.join("\n"));
  }
  return (
    <Textarea
      {...shared}
      classNames={{ input: pages.mono }}
      autosize
      minRows={field.rows}
      maxRows={16}
      placeholder={field.placeholder}
      spellCheck={false}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        set(lines(event.currentTarget.value));
      }}
    />
  );
}

const lines = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");

function TableInput({ shared, value, set }: { shared: Shared; value: string; set: (value: unknown) => void }) {
  const may = useMay("reference_tables_read");
  const tables = useQuery({ ...tableChoicesQuery, enabled: may });
  return <Autocomplete {...shared} data={(tables.data ?? []).map((table) => table.attributes.table_name)} value={value} onChange={(name) => set(name)} />;
}

interface Category {
  name?: unknown;
  filter?: { query?: unknown };
}

function Categories({ label, value, faults, target, readOnly, set }: { label: string; value: unknown[]; faults: FieldFault[]; target: string; readOnly: boolean; set: (value: unknown) => void }) {
  const categories = value.map((each) => (isObject(each) ? each : {}) as Category & Record<string, unknown>);
  const replace = (index: number, change: Category) => set(categories.map((each, position) => (position === index ? { ...each, ...change } : each)));
  const own = faults.find((fault) => fault.target === target)?.message;
  return (
    <fieldset className={classes.categories}>
      <legend>{label}</legend>
      {own && <p className={pages.fault}>{own}</p>}
      {categories.map((category, index) => {
        const place = `${target}[${String(index)}]`;
        return (
          <div key={index} className={classes.category}>
            <TextInput size="xs" aria-label={`Name of category ${String(index + 1)}`} placeholder="name" disabled={readOnly} value={typeof category.name === "string" ? category.name : ""} error={faultAt(faults, `${place}.name`)} onChange={(event) => replace(index, { name: event.currentTarget.value })} />
            <TextInput size="xs" aria-label={`Query of category ${String(index + 1)}`} placeholder="@http.status_code:[200 TO 299]" classNames={{ input: pages.mono }} spellCheck={false} disabled={readOnly} value={typeof category.filter?.query === "string" ? category.filter.query : ""} error={faultAt(faults, `${place}.filter`)} onChange={(event) => replace(index, { filter: { query: event.currentTarget.value } })} />
            {!readOnly && (
              <ActionIcon aria-label={`Remove category ${String(index + 1)}`} onClick={() => set(categories.filter((_, position) => position !== index))}>
                <Icon name="trash" />
              </ActionIcon>
            )}
          </div>
        );
      })}
      {!readOnly && (
        <Button variant="default" size="compact-xs" leftSection={<Icon name="plus" size={12} />} onClick={() => set([...categories, { filter: { query: "" }, name: "" }])}>
          Add a category
        </Button>
      )}
    </fieldset>
  );
}

/** What is JSON is in the draft as its value; what is not yet stands there as a text, which the server refuses, so that nobody saves around it. */
function JsonInput({ shared, rows, value, set }: { shared: Shared; rows: number; value: unknown; set: (value: unknown) => void }) {
  const [text, setText] = useState(() => (typeof value === "string" ? value : JSON.stringify(value ?? null, null, 2)));
  const [fault, setFault] = useState<string | null>(null);
  const change = (next: string) => {
    setText(next);
    try {
      set(JSON.parse(next));
      setFault(null);
    } catch (error) {
      set(next);
      setFault(error instanceof Error ? error.message : "This is no JSON");
    }
  };
  return <Textarea {...shared} error={fault ?? shared.error} classNames={{ input: pages.mono }} autosize minRows={rows} maxRows={30} spellCheck={false} value={text} onChange={(event) => change(event.currentTarget.value)} />;
}
