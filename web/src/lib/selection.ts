/** Ticked rows: named ones, or everything that a query finds except some. Never a list of 12,480 ids. */
export type Selection =
  | { kind: "rows"; ids: ReadonlySet<string> }
  | { kind: "query"; except: ReadonlySet<string> };

export const NOTHING: Selection = { kind: "rows", ids: new Set() };
export const EVERYTHING: Selection = { kind: "query", except: new Set() };

export function isSelected(selection: Selection, id: string): boolean {
  return selection.kind === "rows" ? selection.ids.has(id) : !selection.except.has(id);
}

/** How many are ticked, out of `total` that the query finds. */
export function countSelected(selection: Selection, total: number): number {
  return selection.kind === "rows" ? selection.ids.size : Math.max(0, total - selection.except.size);
}

export function toggle(selection: Selection, id: string): Selection {
  return setSelected(selection, [id], !isSelected(selection, id));
}

/** Ticks or unticks these rows. */
export function setSelected(selection: Selection, ids: Iterable<string>, selected: boolean): Selection {
  const isRows = selection.kind === "rows";
  const set = new Set(isRows ? selection.ids : selection.except);
  for (const id of ids) {
    if (selected === isRows) set.add(id);
    else set.delete(id);
  }
  return isRows ? { kind: "rows", ids: set } : { kind: "query", except: set };
}

/** The rows between two positions, both included, as shift+x and shift+click take them. */
export function between(ids: readonly string[], anchor: string | null, current: string): string[] {
  const to = ids.indexOf(current);
  const from = anchor === null ? to : ids.indexOf(anchor);
  if (to < 0) return [];
  return ids.slice(Math.min(from < 0 ? to : from, to), Math.max(from, to) + 1);
}
