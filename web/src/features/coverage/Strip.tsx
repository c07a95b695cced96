import { useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import type { CoverageCell } from "@/api/coverage";
import { useZone } from "@/components/zone";
import { plural } from "@/lib/format";
import { formatClock, formatShort, type Zone } from "@/lib/time";
import classes from "./coverage.module.css";
import { labelOf, minutesText, runsOf, step } from "./model";

interface Props {
  rule: string;
  cells: readonly CoverageCell[];
  /** Milliseconds of a cell. */
  cellMs: number;
  chosen: readonly string[];
}

/** A rule's minutes in a row; a cell says what it was on hover, and by keys: arrows, Page up and down to the next change. */
export function Strip({ rule, cells, cellMs, chosen }: Props) {
  const { zone } = useZone();
  const strip = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const [cursor, setCursor] = useState(cells.length - 1);
  const place = Math.min(cursor, cells.length - 1);
  const told = at === null ? null : cells[Math.min(at, cells.length - 1)];
  const current = cells[place];

  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    setAt(Math.max(0, Math.min(cells.length - 1, Math.floor(((event.clientX - left) / width) * cells.length))));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const next = step(event.key, place, cells);
    if (next === null) {
      if (event.key === "Escape") setAt(null);
      return;
    }
    event.preventDefault();
    setCursor(next);
    setAt(next);
  };
  if (!current) return null;
  return (
    <div
      ref={strip}
      role="slider"
      tabIndex={0}
      aria-label={`Coverage of ${rule}`}
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={cells.length - 1}
      aria-valuenow={place}
      aria-valuetext={spoken(current, cellMs, zone)}
      className={classes.strip}
      onPointerMove={onPointerMove}
      onPointerLeave={() => setAt(null)}
      onFocus={() => setAt(place)}
      onBlur={() => setAt(null)}
      onKeyDown={onKeyDown}
    >
      <svg viewBox={`0 0 ${String(cells.length)} 10`} preserveAspectRatio="none" aria-hidden="true" className={classes.cells}>
        {runsOf(cells).map((run) => (
          <rect key={run.first} x={run.first} width={run.length} height={10} data-status={run.status} data-dim={(chosen.length > 0 && !chosen.includes(run.status)) || undefined} />
        ))}
        {at !== null && <rect x={at} y={0} width={1} height={10} className={classes.cursor} />}
      </svg>
      {told && at !== null && (
        <div className={classes.tip} aria-hidden="true" data-side={at > cells.length / 2 ? "left" : "right"} style={at > cells.length / 2 ? { right: `${String((1 - at / cells.length) * 100)}%` } : { left: `${String(((at + 1) / cells.length) * 100)}%` }}>
          <strong>{span(told, cellMs, zone)}</strong>
          <span>
            <span className={classes.dot} data-status={told.status} /> {minutesText(told.minutes) || labelOf(told.status)}
          </span>
          <span>{plural(told.matches, "match", "matches")} arrived</span>
          {told.reasons.map((reason) => (
            <span key={reason} className={classes.reason}>
              {reason}
            </span>
          ))}
        </div>
      )}
    </div>
  );
}

function span(cell: CoverageCell, cellMs: number, zone: Zone): string {
  const start = Date.parse(cell.start);
  return `${formatShort(start, zone)} – ${formatClock(start + cellMs, zone)}`;
}

function spoken(cell: CoverageCell, cellMs: number, zone: Zone): string {
  return [span(cell, cellMs, zone), minutesText(cell.minutes) || labelOf(cell.status), plural(cell.matches, "match", "matches"), ...cell.reasons].join("; ");
}
