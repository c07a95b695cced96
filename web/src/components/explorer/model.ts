/** What an explorer is made of, apart from its track. */
import type { ReactNode } from "react";
import type { EventAttributes, ExploreEvent, Filter, Track } from "@/api/types";
import { quoteValue } from "@/lib/queryText";
import { stringifySearch, type ExplorerDefaults, type ExplorerState } from "@/lib/urlState";
import type { Range, Resolved } from "@/lib/time";
import { textsAt, valueAt } from "@/lib/attributes";
import type { Elsewhere } from "./actions";

export interface ExplorerColumn {
  id: string;
  header: string;
  /** Query field that sorts and filters this column; absent when it can do neither. */
  field?: string;
  /** Pixels. */
  width: number;
  /** How narrow it becomes before the list scrolls sideways; `width` by default. */
  least?: number;
  /** Its share of the space that is left. */
  grow?: number;
  mono?: boolean;
  /** How long it stays where an open panel leaves the list little room: 1 the longest; without it, it goes first. */
  rank?: number;
  render: (event: ExploreEvent) => ReactNode;
  /** The texts that `f` filters by and copying takes. */
  values?: (event: ExploreEvent) => string[];
}

export interface FacetDefinition {
  id: string;
  label: string;
  field: string;
  /** How a value is shown; the text itself by default. */
  render?: (value: string) => ReactNode;
  /** A fixed order of values instead of by count. */
  order?: readonly string[];
}

export interface TrendSeries {
  value: string;
  label: string;
  /** CSS variable of its fill. */
  fill: string;
}

export interface ExplorerConfig {
  track: Track;
  /** `signals`, `logs`: the noun in sentences. */
  noun: string;
  defaults: ExplorerDefaults;
  columns: ExplorerColumn[];
  facets: FacetDefinition[];
  series: TrendSeries[];
  placeholder: string;
}

export interface ExplorerHandle {
  config: ExplorerConfig;
  state: ExplorerState;
  /** A change of some members, or of the query as it is by then. */
  update: (patch: Partial<ExplorerState> | ((query: string) => string), options?: { replace?: boolean }) => void;
  range: Resolved;
  filter: Filter;
  /** Runs everything again up to now. */
  refresh: () => void;
  /** The same by itself, not because somebody asked for it. */
  follow: () => void;
  /** What is shown or on its way was asked for by nobody. */
  isFollowing: boolean;
}

/** Of signals alone, or with another meaning there than in logs. */
const OWN = /^(status|title|timestamp|message|rule|@workflow\b.*|@explanation\b.*)$/;

/** Where the other kind of events is searched for a value: the logs of the time that is shown, or signals of lately. */
export function elsewhere(track: Track, range: Range, field: string, value: string): Elsewhere | null {
  if (OWN.test(field)) return null;
  const query = `${field}:${quoteValue(value)}`;
  if (track === "logs") return { label: "Signals with this value", icon: "signals", address: `/signals${stringifySearch({ query })}` };
  return { label: "Logs with this value", icon: "logs", address: `/logs${stringifySearch({ query, from: range.from, to: range.to })}` };
}

/** How narrow a column may be, beyond which it says too little. */
export const leastOf = ({ least, width }: ExplorerColumn): number => least ?? width;

const READABLE = 220;

/** The columns that say most in so many pixels, in their order: readable, or (`isTight`) all but the first of them as narrow as each can be. */
export function fitting(columns: readonly ExplorerColumn[], width: number, isTight = false): ExplorerColumn[] {
  const need = (column: ExplorerColumn) => (column.grow && (!isTight || column.rank === 1) ? Math.min(column.width, READABLE) : leastOf(column));
  const rank = (column: ExplorerColumn) => column.rank ?? columns.length;
  const kept = [...columns];
  while (kept.length > 1 && kept.reduce((sum, column) => sum + need(column), 0) > width) {
    const least = Math.max(...kept.map(rank));
    kept.splice(kept.findLastIndex((column) => rank(column) === least), 1);
  }
  return kept;
}

/** Where the searchable members of an event stand: `custom` of a signal, `attributes` of a log. */
export function membersOf(attributes: EventAttributes): Record<string, unknown> {
  return attributes.custom ?? attributes.attributes ?? {};
}

/** The texts at a query field (`@usr.id`, `host`, a tag key) of an event. */
export function fieldTexts(event: ExploreEvent, field: string): string[] {
  const { attributes } = event;
  if (field.startsWith("@")) return textsAt(membersOf(attributes), field.slice(1).replace(/\\(.)|"/g, "$1"));
  if (field === "timestamp") return [attributes.timestamp];
  if (["status", "host", "service", "source", "message", "title"].includes(field)) {
    const own = textsAt(attributes, field);
    if (own.length > 0) return own;
    const tagged = tagTexts(attributes, field);
    return tagged.length > 0 ? tagged : textsAt(valueAt(membersOf(attributes), field), "");
  }
  return tagTexts(attributes, field);
}

function tagTexts(attributes: EventAttributes, key: string): string[] {
  return (attributes.tags ?? []).filter((tag) => tag.startsWith(`${key}:`)).map((tag) => tag.slice(key.length + 1));
}

/** A column for any attribute or tag. */
export function attributeColumn(field: string): ExplorerColumn {
  return { id: field, header: field, field, width: 160, mono: true, render: (event) => fieldTexts(event, field).join(", "), values: (event) => fieldTexts(event, field) };
}

export type { Range };
