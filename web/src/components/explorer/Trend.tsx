import { useMantineColorScheme, useComputedColorScheme } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { ApiError } from "@/api/errors";
import { timeseriesQuery } from "@/api/explore";
import type { TimeBucket } from "@/api/types";
import { ErrorState } from "@/components/states";
import { useZone } from "@/components/zone";
import { formatCompact, formatNumber, plural } from "@/lib/format";
import { facetSelection, toggleValue } from "@/lib/queryText";
import { formatDuration, formatShort, type Zone } from "@/lib/time";
import type { ExplorerHandle, TrendSeries } from "./model";
import classes from "./Trend.module.css";

const HEIGHT = 92;
const LABEL_HALF = 36;
export const TREND_BUCKETS = 80;

/** Events over time, stacked by status; dragging across it sets the time range. */
export function Trend({ explorer }: { explorer: ExplorerHandle }) {
  const { config, filter, state, update } = explorer;
  const { data, error, isPending, isFetching, refetch } = useQuery(timeseriesQuery(config.track, filter, TREND_BUCKETS));
  const [hovered, setHovered] = useState<number | null>(null);
  const buckets = data?.data.buckets ?? NO_BUCKETS;
  const totals = useMemo(() => sums(buckets, config.series), [buckets, config.series]);
  const bucket = hovered === null ? null : buckets[hovered];
  const { zone } = useZone();
  const chosen = facetSelection(state.query, "status").included;
  // What is wrong with a search stands below, where its events would.
  if (error instanceof ApiError && error.status === 400 && !data) return null;
  if (error && !data) return <ErrorState inline error={error} retry={() => void refetch()} />;
  return (
    <section className={classes.trend} aria-label="Trend" aria-busy={isFetching}>
      <div className={classes.legend}>
        <strong className={classes.total}>{isPending ? "…" : plural(data?.meta.total ?? 0, config.noun.replace(/s$/, ""))}</strong>
        {totals
          .filter((series) => series.count > 0 || chosen.includes(series.value))
          .map((series) => (
            <button
              key={series.value}
              type="button"
              className={classes.key}
              aria-pressed={chosen.includes(series.value)}
              aria-label={`${series.label}, ${formatNumber(series.count)}: filter`}
              onClick={() => update((query) => toggleValue(query, "status", series.value))}
            >
              <span aria-hidden="true" className={classes.swatch} style={{ background: `var(${series.fill})` }} />
              {series.label} <b>{formatCompact(bucket ? (bucket.by[series.value] ?? 0) : series.count)}</b>
            </button>
          ))}
        <span className={classes.when}>
          {bucket ? `${formatShort(bucket.time, zone)} · ${plural(bucket.count, config.noun.replace(/s$/, ""))} in ${formatDuration(data?.data.interval_ms ?? 0)}` : "Drag to zoom"}
        </span>
      </div>
      <Plot
        buckets={buckets}
        interval={data?.data.interval_ms ?? 1}
        from={explorer.range.from}
        to={explorer.range.to}
        series={config.series}
        zone={zone}
        summary={`${formatNumber(data?.meta.total ?? 0)} ${config.noun} over time, ${totals.map((series) => `${series.label} ${formatNumber(series.count)}`).join(", ")}`}
        onHover={setHovered}
        onBrush={(from, to) => update({ range: { from: String(from), to: String(to) } })}
      />
    </section>
  );
}

const NO_BUCKETS: TimeBucket[] = [];

interface PlotProps {
  buckets: TimeBucket[];
  interval: number;
  from: number;
  to: number;
  series: TrendSeries[];
  zone: Zone;
  summary: string;
  onHover: (index: number | null) => void;
  onBrush: (from: number, to: number) => void;
}

function Plot({ buckets, interval, from, to, series, zone, summary, onHover, onBrush }: PlotProps) {
  const host = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme("light");
  const { colorScheme } = useMantineColorScheme();
  const hovered = useEffectEvent(onHover);
  const brushed = useEffectEvent(onBrush);

  useEffect(() => {
    const element = host.current;
    if (!element) return undefined;
    const style = getComputedStyle(document.documentElement);
    const color = (name: string) => style.getPropertyValue(name).trim();
    // Bars are drawn over one another: the full stack first, then less and less of it.
    const used = series.filter((each) => buckets.some((bucket) => bucket.by[each.value]));
    const stacks = used.map((_, index) => buckets.map((bucket) => used.slice(index).reduce((sum, each) => sum + (bucket.by[each.value] ?? 0), 0)));
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        ms: 1,
        tzDate: (time) => (zone === "utc" ? uPlot.tzDate(new Date(time), "Etc/UTC") : new Date(time)),
        legend: { show: false },
        padding: [6, 12, 0, 0],
        cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
        scales: { x: { time: true, range: () => [Math.min(from, buckets[0]?.time ?? from), Math.max(to, (buckets.at(-1)?.time ?? to - interval) + interval)] }, y: { range: (_, __, max) => [0, Math.max(1, max * 1.05)] } },
        axes: [
          { stroke: color("--dim"), font: "11px 'Inter Variable', sans-serif", grid: { show: false }, ticks: { stroke: color("--line"), size: 4, width: 1 }, size: 22, gap: 2, space: 90, values: (self, splits) => splits.map((split) => (isCutOff(self, split) ? "" : axisLabel(split, to - from, zone))) },
          { stroke: color("--dim"), font: "11px 'Inter Variable', sans-serif", grid: { stroke: color("--line"), width: 1 }, ticks: { show: false }, size: 44, gap: 4, space: 30, values: (_, splits) => splits.map((split) => (Number.isInteger(split) ? formatCompact(split) : "")) },
        ],
        series: [
          {},
          ...used.map((each) => ({
            label: each.label,
            fill: color(each.fill),
            width: 0,
            points: { show: false },
            paths: uPlot.paths.bars?.({ size: [0.82, 28, 1], align: 1 }),
          })),
        ],
        hooks: {
          setCursor: [(self) => hovered(self.cursor.idx ?? null)],
          setSelect: [
            (self) => {
              if (self.select.width < 4) return;
              const start = self.posToVal(self.select.left, "x");
              const end = self.posToVal(self.select.left + self.select.width, "x");
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              brushed(Math.floor(start), Math.ceil(end));
            },
          ],
        },
      },
      [buckets.map((bucket) => bucket.time), ...stacks],
      element,
    );
    const resize = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      plot.destroy();
    };
  }, [buckets, interval, from, to, series, zone, scheme, colorScheme]);

  return <div ref={host} className={classes.plot} role="img" aria-label={summary} onMouseLeave={() => onHover(null)} />;
}

/** A label stands in the middle below its tick; at the right edge half of it would be outside. */
function isCutOff(plot: uPlot, time: number): boolean {
  return plot.valToPos(time, "x") > plot.over.clientWidth - LABEL_HALF;
}

function axisLabel(time: number, span: number, zone: Zone): string {
  const [day = "", clock = ""] = formatShort(time, zone).split(", ");
  if (span > 3 * 86_400_000) return clock === "00:00" ? day : `${day} ${clock}`;
  return clock === "00:00" ? day : clock;
}

function sums(buckets: TimeBucket[], series: TrendSeries[]) {
  return series.map((each) => ({ ...each, count: buckets.reduce((sum, bucket) => sum + (bucket.by[each.value] ?? 0), 0) }));
}
