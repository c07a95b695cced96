import { formatCell, formatRelative, formatTime } from "@/lib/time";
import { useNow } from "./useNow";
import { useZone } from "./zone";

/** Relative in the cell, absolute on hover. */
export function RelativeTime({ time }: { time: number | null }) {
  const now = useNow();
  const { zone } = useZone();
  if (time === null || Number.isNaN(time)) return <span>–</span>;
  return (
    <time dateTime={new Date(time).toISOString()} title={`${formatTime(time, zone, true)} ${zone === "utc" ? "UTC" : "local"}`}>
      {formatRelative(time, Math.max(now, time > now && time - now < 15_000 ? time : now))}
    </time>
  );
}

export function AbsoluteTime({ time }: { time: number }) {
  const now = useNow();
  const { zone } = useZone();
  return (
    <time dateTime={new Date(time).toISOString()} title={formatRelative(time, now)}>
      {formatTime(time, zone)}
    </time>
  );
}

/** `Jan 01 00:04:10.000` in a table cell. */
export function CellTime({ time }: { time: number }) {
  const now = useNow();
  const { zone } = useZone();
  if (Number.isNaN(time)) return <span>–</span>;
  return (
    <time dateTime={new Date(time).toISOString()} title={`${formatTime(time, zone, true)} · ${formatRelative(time, now)}`}>
      {formatCell(time, zone)}
    </time>
  );
}
