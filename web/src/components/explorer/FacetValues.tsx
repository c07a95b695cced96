import type { ReactNode } from "react";
import { Icon } from "@/components/icons";
import { formatCompact, formatNumber } from "@/lib/format";
import { clearFacet, facetSelection, onlyValue, toggleExcluded, toggleValue } from "@/lib/queryText";
import classes from "./FacetPanel.module.css";

interface Chooses {
  label: string;
  /** As the query names it: `@usr.id`, `status`. */
  field: string;
  query: string;
  /** A change to the query as it is by then: two clicks may come before the page shows what the first one did. */
  onQuery: (change: (query: string) => string) => void;
}

/** A value and how many have it; null while that is being asked. */
export interface Counted {
  value: string;
  count: number | null;
}

/** A facet that folds, and says how much of it is chosen. */
export function FacetSection({ label, field, query, onQuery, open, onOpen, children }: Chooses & { open: boolean; onOpen: (open: boolean) => void; children: ReactNode }) {
  const selection = facetSelection(query, field);
  const chosen = selection.included.length + selection.excluded.length;
  return (
    <section className={classes.facet} aria-label={label}>
      <div className={classes.title}>
        <button type="button" className={classes.fold} aria-expanded={open} onClick={() => onOpen(!open)}>
          <Icon name={open ? "chevronDown" : "chevronRight"} size={12} />
          {label}
        </button>
        {chosen > 0 && (
          <button type="button" className={classes.reset} aria-label={`${String(chosen)} chosen: clear ${label}`} onClick={() => onQuery((now) => clearFacet(now, field))}>
            {chosen} <Icon name="close" size={11} />
          </button>
        )}
      </div>
      {open && children}
    </section>
  );
}

/** Values with counts: a click includes, and each can be taken alone or excluded; all of it is text of the query. */
export function FacetValues({ label, field, query, onQuery, values, render }: Chooses & { values: Counted[]; render?: (value: string) => ReactNode }) {
  const selection = facetSelection(query, field);
  const most = Math.max(1, ...values.map(({ count }) => count ?? 0));
  return (
    <ul className={classes.list}>
      {values.map(({ value, count }) => {
        const included = selection.included.includes(value);
        const excluded = selection.excluded.includes(value);
        const muted = selection.included.length > 0 && !included;
        return (
          <li key={value} className={classes.row} data-excluded={excluded || undefined} data-muted={muted || undefined}>
            <span aria-hidden="true" className={classes.bar} style={{ width: `${String(((count ?? 0) / most) * 100)}%` }} />
            <button
              type="button"
              role="checkbox"
              aria-checked={included}
              aria-label={`${label} ${value}${count === null ? "" : `, ${formatNumber(count)}`}${excluded ? ", excluded" : ""}`}
              className={classes.value}
              title={value}
              onClick={() => onQuery((now) => toggleValue(now, field, value))}
            >
              <span className={classes.box} aria-hidden="true">
                {included && <Icon name="check" size={10} />}
                {excluded && <Icon name="close" size={10} />}
              </span>
              <span className={classes.text}>{value === "" ? <em>empty</em> : render ? render(value) : value}</span>
              <span className={classes.count}>{count === null ? "" : formatCompact(count)}</span>
            </button>
            <span className={classes.actions}>
              <button type="button" aria-label={`Only ${value}`} onClick={() => onQuery((now) => onlyValue(now, field, value))}>
                only
              </button>
              <button type="button" aria-label={`${excluded ? "Stop excluding" : "Exclude"} ${value}`} onClick={() => onQuery((now) => toggleExcluded(now, field, value))}>
                {excluded ? "undo" : "exclude"}
              </button>
            </span>
          </li>
        );
      })}
    </ul>
  );
}
