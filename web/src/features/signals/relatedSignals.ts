/** Which other signals are about the same user, address or host (siem.md §7.5). */
import type { ExploreEvent, FacetValue } from "@/api/types";
import { fieldTexts } from "@/components/explorer/model";
import { valueClauses } from "@/lib/queryText";
import { splitEntity } from "./Entities";
import { custom, timeOf } from "./config";

/** A value, and how many signals of the time around have it. */
export interface Shared {
  field: string;
  value: string;
  count?: number;
}

export interface Related {
  signal: ExploreEvent;
  shared: Shared[];
}

export const AROUND_MS = 7 * 86_400_000;
const MOST_VALUES = 20;
export const MOST_RELATED = 50;
/** What more signals than this have, and more than the share below of all, says nothing of this one: a proxy, a service account. */
const COMMON = 50;
const COMMON_SHARE = 0.05;

/** What a signal may have in common with others: what its rule groups by, then its entities. */
export function valuesOf(signal: ExploreEvent): Shared[] {
  const { entities = [], groupByValues = {} } = custom(signal);
  const grouped = Object.entries(groupByValues).flatMap(([field, value]) => [value].flat().map((each) => ({ field, value: each })));
  const all = [...grouped, ...entities.map(splitEntity)].filter(({ field, value }) => field !== "" && value !== "" && value !== "N/A");
  return all.filter((one, index) => all.findIndex((other) => other.field === one.field && other.value === one.value) === index).slice(0, MOST_VALUES);
}

/** A week before the signal and one after it. */
export function rangeAround(signal: ExploreEvent): { from: number; to: number } {
  const { workflow } = custom(signal);
  const first = timeOf(workflow?.first_seen ?? signal.attributes.timestamp) ?? 0;
  const last = timeOf(workflow?.last_seen ?? signal.attributes.timestamp) ?? first;
  return { from: first - AROUND_MS, to: last + AROUND_MS };
}

/** Signals with any of the values. */
export function queryOf(values: readonly Shared[]): string {
  const fields = [...new Set(values.map(({ field }) => field))];
  return valueClauses(Object.fromEntries(fields.map((field) => [field, values.filter((one) => one.field === field).map(({ value }) => value)]))).join(" OR ");
}

/** Those of the values that tell signals apart, as the counts of a search for all of them say. */
export function telling(values: readonly Shared[], facets: readonly { facet: string; values: readonly FacetValue[] }[], total: number): Shared[] {
  const counted = values.map((one) => ({ ...one, count: facets.find(({ facet }) => facet === one.field)?.values.find(({ value }) => value === one.value)?.count ?? 0 }));
  return counted.filter(({ count }) => count <= Math.max(COMMON, total * COMMON_SHARE));
}

/** With what each shares, by how rare that is; of the same weight the nearest in time first. */
export function ranked(signal: ExploreEvent, found: readonly ExploreEvent[], values: readonly Shared[]): Related[] {
  const at = Date.parse(signal.attributes.timestamp);
  const related = found
    .filter(({ id }) => id !== signal.id)
    .map((other) => ({ signal: other, shared: values.filter(({ field, value }) => fieldTexts(other, field).includes(value) || custom(other).entities?.includes(`${field}:${value}`)) }));
  const weight = ({ shared }: Related) => shared.reduce((sum, { count }) => sum + 1 / Math.max(1, count ?? 1), 0);
  const distance = (one: Related) => Math.abs(Date.parse(one.signal.attributes.timestamp) - at);
  return related.toSorted((left, right) => weight(right) - weight(left) || distance(left) - distance(right)).slice(0, MOST_RELATED);
}
