import type { ReferenceTable } from "@/api/tables";
import { AppLink } from "@/components/AppLink";
import page from "@/components/Page.module.css";
import { plural } from "@/lib/format";
import { stringifySearch } from "@/lib/urlState";

const SHOWN = 2;

/** The rules and pipelines that name a table, each with a way to it. */
export function UsedBy({ uses, all = false }: { uses: ReferenceTable["attributes"]["used_by"]; all?: boolean }) {
  if (uses.length === 0) return <span className={page.dim}>nothing</span>;
  const shown = all ? uses : uses.slice(0, SHOWN);
  return (
    <>
      {shown.map((use, index) => (
        <span key={`${use.kind} ${use.id}`}>
          {index > 0 && ", "}
          <AppLink to={use.kind === "rule" ? `/rules/${use.id}` : `/pipelines${stringifySearch({ pipeline: use.id })}`}>{use.name}</AppLink>
          <span className={page.dim}>
            {" "}
            ({use.kind}
            {use.is_enabled ? "" : ", disabled"})
          </span>
        </span>
      ))}
      {shown.length < uses.length && (
        <span className={page.dim} title={uses.map((use) => use.name).join("\n")}>
          , {plural(uses.length - shown.length, "more", "more")}
        </span>
      )}
    </>
  );
}
