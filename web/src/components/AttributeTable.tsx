import { TextInput } from "@mantine/core";
import { Fragment, useMemo, useState } from "react";
import { flatten, scalarText } from "@/lib/attributes";
import { fieldOf } from "@/lib/queryText";
import classes from "./AttributeTable.module.css";
import { ValueMenu } from "./ValueMenu";

/** Every attribute with its path; each value has the one menu. */
export function AttributeTable({ value, searchable = true }: { value: Record<string, unknown>; searchable?: boolean }) {
  const [search, setSearch] = useState("");
  const rows = useMemo(() => flatten(value), [value]);
  const wanted = search.trim().toLowerCase();
  const found = rows.filter(([path, item]) => `${path} ${scalarText(item)}`.toLowerCase().includes(wanted));
  return (
    <div>
      {searchable && rows.length > 12 && <TextInput size="xs" mb={6} aria-label="Find an attribute" placeholder="Find an attribute or value" value={search} onChange={(event) => setSearch(event.currentTarget.value)} />}
      <dl className={classes.table}>
        {found.map(([path, item], row) => (
          // A path may occur twice: `a.b` as one name, and `b` within `a`.
          <div key={row} className={classes.row}>
            <dt className={classes.path}>{breakable(path)}</dt>
            <dd className={classes.value}>
              {(Array.isArray(item) ? (item as unknown[]) : [item]).map((each, index) => (
                <ValueMenu key={index} field={fieldOf(path.replace(/\[\d+\]/g, ""))} value={scalarText(each)} />
              ))}
            </dd>
          </div>
        ))}
      </dl>
      {found.length === 0 && <p className={classes.none}>{rows.length === 0 ? "It has no attributes." : "No attribute contains this."}</p>}
    </div>
  );
}

/** A path is broken behind its dots rather than within a name. */
const breakable = (path: string) =>
  path.split(/(?<=\.)/).map((part, index) => (
    <Fragment key={index}>
      {index > 0 && <wbr />}
      {part}
    </Fragment>
  ));
