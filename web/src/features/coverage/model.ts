/** What the coverage page shows: pure, from the answer. */
import type { CoverageCell } from "@/api/coverage";
import { formatNumber } from "@/lib/format";

/** Worst first, as the server picks the status of a cell of several minutes. */
export const STATUSES = [
  { id: "failed", label: "Failed", about: "with matches that the rule failed on" },
  { id: "not_evaluated", label: "Hole", about: "nobody has looked at it yet" },
  { id: "skipped", label: "Skipped", about: "matches were not evaluated, for the reason given" },
  { id: "late", label: "Late", about: "evaluated more than a minute after its end" },
  { id: "pending", label: "Pending", about: "less than a minute ago, or its matches wait for a baseline" },
  { id: "no_data", label: "No data", about: "evaluated, but no log of a source that the rule asks for had arrived" },
  { id: "evaluated", label: "Evaluated", about: "in time" },
  { id: "off", label: "Off", about: "the rule was not enabled, or not there yet" },
] as const;
export type Status = (typeof STATUSES)[number]["id"];

export const labelOf = (status: string): string => STATUSES.find(({ id }) => id === status)?.label ?? status;

/** Neighbouring cells of one status, as `[first, length)`. */
export interface Run {
  status: string;
  first: number;
  length: number;
}

export function runsOf(cells: readonly CoverageCell[]): Run[] {
  const runs: Run[] = [];
  cells.forEach(({ status }, index) => {
    const last = runs.at(-1);
    if (last?.status === status) last.length += 1;
    else runs.push({ status, first: index, length: 1 });
  });
  return runs;
}

/** `3 min late, 1 min no data`, worst first. */
export function minutesText(minutes: Readonly<Record<string, number>>): string {
  return STATUSES.filter(({ id }) => (minutes[id] ?? 0) > 0)
    .map(({ id, label }) => `${formatNumber(minutes[id] ?? 0)} min ${label.toLowerCase()}`)
    .join(", ");
}

/** The cell a key leads to; null for other keys. */
export function step(key: string, index: number, cells: readonly CoverageCell[]): number | null {
  const last = cells.length - 1;
  if (key === "ArrowRight") return Math.min(index + 1, last);
  if (key === "ArrowLeft") return Math.max(index - 1, 0);
  if (key === "Home") return 0;
  if (key === "End") return last;
  // To where the status changes: from one hole to the next.
  if (key === "PageDown") {
    const next = cells.findIndex(({ status }, at) => at > index && status !== cells[index]?.status);
    return next < 0 ? last : next;
  }
  if (key === "PageUp") {
    const previous = cells.findLastIndex(({ status }, at) => at < index && status !== cells[index]?.status);
    return Math.max(previous, 0);
  }
  return null;
}
