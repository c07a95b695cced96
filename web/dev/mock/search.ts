/** Just enough of the query language for a screen to behave: AND of plain clauses, `*` and `-`. */
import type { ExploreEvent, Filter } from "../../src/api/types";
import { fieldTexts } from "../../src/components/explorer/model";
import { parseClauses } from "../../src/lib/queryText";

export function find(events: ExploreEvent[], filter: Filter): ExploreEvent[] {
  const from = Date.parse(filter.from);
  const to = Date.parse(filter.to);
  const { clauses } = parseClauses(filter.query);
  return events.filter((event) => {
    const time = Date.parse(event.attributes.timestamp);
    if (time < from || time > to) return false;
    return clauses.every((clause) => {
      const written = filter.query.slice(clause.start, clause.end);
      if (written === "*" || written === "*:*") return true;
      const holds = clause.field === "" ? `${event.attributes.message ?? ""} ${event.attributes.title ?? ""}`.toLowerCase().includes(written.replace(/^-|"/g, "").toLowerCase()) : fieldTexts(event, clause.field).some((text) => clause.values === null || clause.values.includes(text));
      return holds !== clause.negated;
    });
  });
}

/** The fault that a test of the screen needs: a field without a value. */
export function fault(query: string): { code: string; start: number; end: number; message: string; fix: string | null } | null {
  const missing = /(^|\s)([@\w.]+:)(?=\s|$)/.exec(query);
  if (missing) {
    const start = missing.index + (missing[1]?.length ?? 0);
    return { code: "MISSING_VALUE", start, end: start + (missing[2]?.length ?? 1), message: `“${missing[2] ?? ""}” has no value`, fix: `${query.slice(0, start)}${missing[2] ?? ""}*${query.slice(start + (missing[2]?.length ?? 0))}` };
  }
  if ((query.match(/(?<!\\)"/g)?.length ?? 0) % 2 === 1) return { code: "UNBALANCED_QUOTE", start: query.lastIndexOf('"'), end: query.length, message: "This quotation mark is not closed", fix: `${query}"` };
  return null;
}
