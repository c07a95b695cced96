import { useState } from "react";
import type { RulePreview } from "@/api/rules";
import { AppLink } from "@/components/AppLink";
import { useZone } from "@/components/zone";
import { formatCompact, formatNumber, plural } from "@/lib/format";
import { isSeverity } from "@/lib/severity";
import { formatDuration, formatShort } from "@/lib/time";
import { useEditor } from "./editor";
import { addressOf, hiddenFromSearch, readBy } from "./preview";
import classes from "./preview.module.css";

const WIDTH = 600;
const HEIGHT = 34;

interface Row {
  label: string;
  total: number;
  bars: { time: string; count: number }[];
  /** Where what it counts is searched; null where the explorer could not, and why. */
  address: string | null;
  why: string | null;
}

/** For each query a row of bars over the same time, and below them when signals open. */
export function PreviewChart({ preview }: { preview: RulePreview }) {
  const { draft } = useEditor();
  const { zone } = useZone();
  const [hovered, setHovered] = useState<number | null>(null);
  const start = Date.parse(preview.from);
  const end = Date.parse(preview.to);
  const interval = preview.interval_ms;
  const at = (time: string) => Math.round((Date.parse(time) - start) / interval);
  const bars = Math.max(1, Math.ceil((end - start) / interval));
  const range = { from: String(start), to: String(end) };
  const rows: Row[] = preview.queries.map((query, index) => {
    const why = hiddenFromSearch(draft, query.query);
    return { label: query.name, total: query.total, bars: query.series, why, address: why === null ? addressOf(readBy(draft.queries[index]), query.query, range) : null };
  });
  const noun = (index: number) => readBy(draft.queries[index]);
  const counts = (row: Row) => row.bars.find((bar) => at(bar.time) === hovered)?.count ?? 0;
  const opened = preview.signals.series.find((bar) => at(bar.time) === hovered)?.count ?? 0;
  const when = hovered === null ? null : start + hovered * interval;
  return (
    <div className={classes.chart} onMouseLeave={() => setHovered(null)}>
      {rows.map((row, index) => (
        <div key={index} className={classes.row}>
          <span className={classes.name} title={row.label}>
            {row.label}
          </span>
          <Strip row={row} bars={bars} at={at} hovered={hovered} onHover={setHovered} summary={`${plural(row.total, noun(index))} match the query ${row.label}`} />
          {row.address === null ? (
            <span className={classes.total} title={row.why ?? undefined}>
              {formatCompact(hovered === null ? row.total : counts(row))}
            </span>
          ) : (
            <AppLink to={row.address} className={classes.total} title={`${noun(index) === "log" ? "Logs" : "Signals"} that the query ${row.label} finds`}>
              {formatCompact(hovered === null ? row.total : counts(row))}
            </AppLink>
          )}
        </div>
      ))}
      <div className={classes.row}>
        <span className={classes.name}>signals</span>
        <Markers preview={preview} bars={bars} at={at} hovered={hovered} onHover={setHovered} />
        <span className={classes.total}>{formatCompact(hovered === null ? preview.signals.total : opened)}</span>
      </div>
      <div className={classes.axis}>
        {when === null ? (
          <>
            <span>{formatShort(start, zone)}</span>
            <span>bars of {formatDuration(interval)}</span>
            <span>{formatShort(end, zone)}</span>
          </>
        ) : (
          <span className={classes.hovered}>
            {formatShort(when, zone)}: {rows.map((row) => `${row.label} ${formatNumber(counts(row))}`).join(", ")}, {plural(opened, "signal")}
          </span>
        )}
      </div>
    </div>
  );
}

interface StripProps {
  bars: number;
  at: (time: string) => number;
  hovered: number | null;
  onHover: (index: number) => void;
}

function Strip({ row, bars, at, hovered, onHover, summary }: StripProps & { row: Row; summary: string }) {
  const max = Math.max(1, ...row.bars.map((bar) => bar.count));
  const width = WIDTH / bars;
  return (
    <svg className={classes.strip} viewBox={`0 0 ${String(WIDTH)} ${String(HEIGHT)}`} preserveAspectRatio="none" role="img" aria-label={summary} onMouseMove={(event) => onHover(barAt(event, bars))}>
      {hovered !== null && <rect x={hovered * width} y={0} width={width} height={HEIGHT} className={classes.cursor} />}
      {row.bars.map((bar) => {
        const height = Math.max(1.5, (bar.count / max) * (HEIGHT - 2));
        return <rect key={bar.time} x={at(bar.time) * width + width * 0.1} y={HEIGHT - height} width={Math.max(1, width * 0.8)} height={height} className={classes.bar} />;
      })}
    </svg>
  );
}

/** One mark for each signal that is listed, in the colour of its severity; a grey one where more open than are listed. */
function Markers({ preview, bars, at, hovered, onHover }: StripProps & { preview: RulePreview }) {
  const width = WIDTH / bars;
  const listed = new Set(preview.signals.shown.map((signal) => Math.floor((Date.parse(signal.timestamp) - Date.parse(preview.from)) / preview.interval_ms)));
  const start = Date.parse(preview.from);
  const span = Date.parse(preview.to) - start;
  return (
    <svg className={classes.markers} viewBox={`0 0 ${String(WIDTH)} 14`} preserveAspectRatio="none" role="img" aria-label={`${plural(preview.signals.total, "signal")} would have opened`} onMouseMove={(event) => onHover(barAt(event, bars))}>
      {hovered !== null && <rect x={hovered * width} y={0} width={width} height={14} className={classes.cursor} />}
      {preview.signals.series
        .filter((bar) => !listed.has(at(bar.time)))
        .map((bar) => (
          <rect key={bar.time} x={at(bar.time) * width + width * 0.2} y={2} width={Math.max(2, width * 0.6)} height={10} className={classes.unlisted} />
        ))}
      {preview.signals.shown.map((signal, index) => (
        <rect key={index} x={Math.min(WIDTH - 3, ((Date.parse(signal.timestamp) - start) / span) * WIDTH)} y={2} width={3} height={10} fill={`var(--${isSeverity(signal.severity) ? signal.severity : "info"}-fill)`} />
      ))}
    </svg>
  );
}

function barAt(event: React.MouseEvent<SVGSVGElement>, bars: number): number {
  const box = event.currentTarget.getBoundingClientRect();
  return Math.max(0, Math.min(bars - 1, Math.floor(((event.clientX - box.left) / box.width) * bars)));
}
