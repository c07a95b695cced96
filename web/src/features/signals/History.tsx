import { useQuery } from "@tanstack/react-query";
import { historyQuery } from "@/api/signals";
import type { HistoryEntry } from "@/api/types";
import { StateLabel, SeverityLabel } from "@/components/Severity";
import { ErrorState, SkeletonRows } from "@/components/states";
import { AbsoluteTime } from "@/components/Time";
import classes from "./signals.module.css";

/** Everything that happened to the signal, oldest first. */
export function History({ id }: { id: string }) {
  const { data, error, isPending, refetch } = useQuery(historyQuery(id));
  if (isPending) return <SkeletonRows rows={4} />;
  if (!data) return <ErrorState error={error} retry={() => void refetch()} />;
  if (data.length === 0) return <p className={classes.dim}>Nothing has happened to this signal yet.</p>;
  return (
    <ol className={classes.timeline}>
      {data.map((entry, index) => (
        <li key={`${String(entry.at)}-${String(index)}`} className={classes.entry}>
          <span className={classes.when}>
            <AbsoluteTime time={entry.at} />
          </span>
          <div>
            <Sentence entry={entry} />
            {entry.comment && <blockquote className={classes.comment}>{entry.comment}</blockquote>}
          </div>
        </li>
      ))}
    </ol>
  );
}

function Sentence({ entry: { kind, by, from, to } }: { entry: HistoryEntry }) {
  const who = <strong>{by?.name || by?.handle || "Tocsin"}</strong>;
  switch (kind) {
    case "created":
      return <>Signal created{to ? <> with severity <SeverityLabel severity={to} /></> : ""}</>;
    case "severity":
      return (
        <>
          Severity {from && <>from <SeverityLabel severity={from} /> </>}to <SeverityLabel severity={to ?? ""} />
        </>
      );
    case "state":
      return (
        <>
          {who} moved it {from && <>from <StateLabel state={from} /> </>}to <StateLabel state={to ?? ""} />
        </>
      );
    case "assignee":
      return to ? <>{who} assigned it to {to}</> : <>{who} unassigned it{from ? ` from ${from}` : ""}</>;
    case "comment":
      return <>{who} commented</>;
    case "updated":
      return <>More events matched{to ? `: ${to}` : ""}</>;
    case "moved":
      return <>Late events gave the signal a new id</>;
    case "incident":
      return <>{who} linked incidents{to ? `: ${to}` : ""}</>;
    default:
      return (
        <>
          {who}: {kind.replace(/_/g, " ")}
          {to ? `, ${to}` : ""}
        </>
      );
  }
}
