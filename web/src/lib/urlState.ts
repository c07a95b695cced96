/** What is on the screen, as search parameters: sharing the address shares the view (siem.md §4.6). */
import { isRange, type Range } from "./time";

export interface Sort {
  field: string;
  descending: boolean;
}

/** Only what differs from the explorer's defaults is present. */
export interface ExplorerSearch {
  query?: string;
  from?: string;
  to?: string;
  /** `-timestamp`, `@usr.id`. */
  sort?: string;
  /** Column ids, joined by commas. */
  columns?: string;
  /** The open event. */
  event?: string;
  tab?: string;
  /** Ids of the facets that are unfolded, joined by commas; `-` hides the whole panel. */
  facets?: string;
  paused?: string;
}

export interface ExplorerDefaults {
  range: Range;
  sort: Sort;
  columns: string[];
  facets: string[];
}

export interface ExplorerState {
  query: string;
  range: Range;
  sort: Sort;
  columns: string[];
  event: string | null;
  tab: string | null;
  facets: string[];
  facetsHidden: boolean;
  paused: boolean;
}

const NAMES = ["query", "from", "to", "sort", "columns", "event", "tab", "facets", "paused"] as const;

/** Search parameters from an address, unknown ones dropped, all of them text. */
export function validateExplorerSearch(search: Record<string, unknown>): ExplorerSearch {
  const known: ExplorerSearch = {};
  for (const name of NAMES) {
    const value = search[name];
    if (typeof value === "string" && value !== "") known[name] = value;
  }
  return known;
}

export function readExplorer(search: ExplorerSearch, defaults: ExplorerDefaults): ExplorerState {
  const hidden = search.facets?.startsWith("-") ?? false;
  const range = { from: search.from ?? "", to: search.to ?? "now" };
  const columns = [...new Set(search.columns?.split(",").filter(Boolean))];
  const facets = (hidden ? search.facets?.slice(1) : search.facets) ?? "";
  return {
    query: search.query ?? "",
    range: isRange(range, Date.now()) ? range : defaults.range, // what the page names is what it shows
    sort: search.sort ? parseSort(search.sort) : defaults.sort,
    columns: columns.length > 0 ? columns : defaults.columns,
    event: search.event ?? null,
    tab: search.tab ?? null,
    facets: search.facets && facets !== "" ? facets.split(",").filter((id) => id !== "none") : defaults.facets,
    facetsHidden: hidden,
    paused: search.paused === "1",
  };
}

/** The reverse of `readExplorer`: writing what was read gives the same search. */
export function writeExplorer(state: ExplorerState, defaults: ExplorerDefaults): ExplorerSearch {
  const search: ExplorerSearch = {};
  if (state.query.trim() !== "") search.query = state.query;
  if (state.range.from !== defaults.range.from || state.range.to !== defaults.range.to) {
    search.from = state.range.from;
    search.to = state.range.to;
  }
  if (printSort(state.sort) !== printSort(defaults.sort)) search.sort = printSort(state.sort);
  if (state.columns.length > 0 && state.columns.join() !== defaults.columns.join()) search.columns = state.columns.join();
  if (state.event) search.event = state.event;
  if (state.event && state.tab) search.tab = state.tab;
  const facets = state.facets.join() === defaults.facets.join() ? "" : state.facets.join() || "none";
  if (state.facetsHidden || facets) search.facets = `${state.facetsHidden ? "-" : ""}${facets}`;
  if (state.paused) search.paused = "1";
  return search;
}

export function parseSort(text: string): Sort {
  return text.startsWith("-") ? { field: text.slice(1), descending: true } : { field: text, descending: false };
}

export const printSort = (sort: Sort): string => `${sort.descending ? "-" : ""}${sort.field}`;

/** Plain `a=b` pairs: readable addresses, every value text. */
export function parseSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (typeof value === "string" && value !== "") pairs.set(name, value);
  }
  // Legible queries in the address bar: these characters are allowed in a query part.
  const text = pairs.toString().replace(/%3A/g, ":").replace(/%40/g, "@").replace(/%2C/g, ",").replace(/%2F/g, "/").replace(/%28/g, "(").replace(/%29/g, ")");
  return text === "" ? "" : `?${text}`;
}
