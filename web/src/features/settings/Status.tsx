import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { intakeStatusQuery, rejectedQuery, replayRejected } from "@/api/status";
import { AppLink } from "@/components/AppLink";
import { Gate } from "@/components/Gate";
import { Columns, More, type Column } from "@/components/List";
import page from "@/components/Page.module.css";
import { ErrorState, SkeletonRows } from "@/components/states";
import { tell } from "@/components/telling";
import { RelativeTime } from "@/components/Time";
import { formatNumber, plural } from "@/lib/format";
import { formatDuration } from "@/lib/time";
import { Head } from "./Head";
import classes from "./settings.module.css";

const COLUMNS: Column[] = [{ label: "Received" }, { label: "Code" }, { label: "Reason" }, { label: "Raw text" }];

/** What came in, what became of it, and what was refused and why. */
export function Status() {
  const { data, error, isPending, refetch } = useQuery(intakeStatusQuery);
  return (
    <>
      <Head isPage title="Status" />
      {error && <ErrorState inline={Boolean(data)} error={error} retry={() => void refetch()} />}
      {isPending && <SkeletonRows rows={4} />}
      {data && (
        <dl className={classes.numbers}>
          <Fact label="Accepted since the start" value={formatNumber(data.since_start.accepted)} detail={<>started <RelativeTime time={Date.parse(data.since_start.started_at)} /></>} />
          <Fact label="Stored" value={<AppLink to="/logs?from=now-30d&to=now">{formatNumber(data.since_start.stored)}</AppLink>} detail={`${formatNumber(data.kept.stored)} kept in all`} />
          <Fact label="Rejected" value={<a href="#rejected">{formatNumber(data.since_start.rejected)}</a>} detail={`${formatNumber(sum(data.kept.rejected))} kept to look at`} />
          <Fact label="Sent twice" value={formatNumber(data.since_start.duplicates)} detail="known already, counted once" />
          <Fact label="Turned away" value={formatNumber(data.since_start.throttled)} detail="requests asked to come back later" />
          <Fact label="Waiting" value={data.lag_ms === null ? "nothing" : formatDuration(data.lag_ms)} detail={`buffer ${String(Math.round((data.buffer.bytes / Math.max(1, data.buffer.limit_bytes)) * 100))} % full`} />
          <Fact label="Newest log" value={data.newest_ingested_at ? <RelativeTime time={Date.parse(data.newest_ingested_at)} /> : "none yet"} detail="by arrival" />
        </dl>
      )}
      <Rejected />
    </>
  );
}

function Fact({ label, value, detail }: { label: string; value: ReactNode; detail: ReactNode }) {
  return (
    <div className={classes.fact}>
      <dt>{label}</dt>
      <dd>
        <span className={classes.figure}>{value}</span>
        <span className={classes.dim}>{detail}</span>
      </dd>
    </div>
  );
}

function Rejected() {
  const client = useQueryClient();
  const list = useInfiniteQuery(rejectedQuery);
  const events = list.data?.pages.flatMap((page) => page.data) ?? [];
  const replay = useMutation({
    mutationFn: (ids: string[]) => replayRejected(ids),
    onSuccess: (report) => {
      tell(`${plural(report.replayed, "event")} replayed: ${formatNumber(report.stored)} stored, ${formatNumber(report.rejected)} rejected again`);
      void client.invalidateQueries({ queryKey: ["rejected"] });
      void client.invalidateQueries({ queryKey: ["intake-status"] });
    },
  });
  return (
    <section id="rejected" className={classes.section} aria-label="Rejected events">
      <Head title="Rejected events" about="Kept with their reason and raw text, newest first.">
        {events.length > 0 && (
          <Gate permission="logs_write_processors">
            {(may) => (
              <Button variant="default" disabled={!may} loading={replay.isPending} onClick={() => replay.mutate([])}>
                Replay all
              </Button>
            )}
          </Gate>
        )}
      </Head>
      {(list.error ?? replay.error) && <ErrorState inline error={list.error ?? replay.error} retry={() => void list.refetch()} />}
      {list.isPending && <SkeletonRows rows={4} />}
      {list.data && events.length === 0 && <p className={classes.none}>Nothing was rejected.</p>}
      {events.length > 0 && (
        <table className={page.table}>
          <Columns columns={COLUMNS} />
          <tbody>
            {events.map((event) => (
              <tr key={event.id}>
                <td>
                  <RelativeTime time={Date.parse(event.attributes.received_at)} />
                </td>
                <td>
                  <code>{event.attributes.code}</code>
                </td>
                <td className={classes.wrap}>{event.attributes.reason}</td>
                <td className={classes.raw} title={event.attributes.raw}>
                  {event.attributes.raw}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <More query={list} />
    </section>
  );
}

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((total, count) => total + count, 0);
