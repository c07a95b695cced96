import { useState } from "react";
import type { ExploreEvent, SignalSample } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import { AttributeTable } from "@/components/AttributeTable";
import { Icon } from "@/components/icons";
import { CopyJson } from "@/components/JsonView";
import { useZone } from "@/components/zone";
import { formatNumber, plural } from "@/lib/format";
import { formatCell } from "@/lib/time";
import { custom } from "./config";
import { relatedLogs } from "./relatedLogs";
import classes from "./signals.module.css";

/** The events that made the signal: the first and last ones, and the way to all of them. */
export function SampleLogs({ signal }: { signal: ExploreEvent }) {
  const { samples = [], workflow, queries = [] } = custom(signal);
  const count = workflow?.events_matched ?? samples.length;
  return (
    <>
      <div className={classes.toolbar}>
        <span className={classes.dim}>
          {samples.length < count ? `${formatNumber(samples.length)} of ${plural(count, "matched event")}` : plural(count, "matched event")}
        </span>
        <AppLink to={relatedLogs(signal)}>View all related logs</AppLink>
      </div>
      {samples.length === 0 && <p className={classes.dim}>{count === 0 ? "Nothing came: that is what the signal tells of." : "The signal keeps no samples; the related logs have all of them."}</p>}
      <ul className={classes.samples}>
        {samples.map((sample, index) => (
          <Sample key={`${sample.eventId}-${String(index)}`} sample={sample} query={queries[sample.queryIndex]?.name ?? String.fromCharCode(97 + sample.queryIndex)} />
        ))}
      </ul>
    </>
  );
}

function Sample({ sample, query }: { sample: SignalSample; query: string }) {
  const [open, setOpen] = useState(false);
  const { zone } = useZone();
  const { content } = sample;
  const time = Date.parse(content.timestamp);
  const { custom: attributes, ...rest } = content;
  return (
    <li>
      <button type="button" className={classes.sample} aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={open ? "chevronDown" : "chevronRight"} size={11} />
        <time dateTime={content.timestamp}>{Number.isNaN(time) ? content.timestamp : formatCell(time, zone)}</time>
        <span className={classes.sampleQuery} title="Query that matched">
          {query}
        </span>
        <span className="truncate">{content.message ?? sample.eventId}</span>
      </button>
      {open && (
        <div className={classes.sampleBody}>
          <AttributeTable value={{ ...rest, ...attributes }} />
          <div className={classes.toolbar}>
            <AppLink to={`/logs?event=${encodeURIComponent(sample.eventId)}&from=${String(time - 300_000)}&to=${String(time + 300_000)}`}>Open in the Logs Explorer</AppLink>
            <CopyJson value={content} />
          </div>
        </div>
      )}
    </li>
  );
}
