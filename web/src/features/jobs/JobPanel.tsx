import { Button, Checkbox } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "@/api/errors";
import { cancelJob, deleteJob, isActive, jobQuery, resultsQuery, type JobData } from "@/api/jobs";
import { RULES_WRITE } from "@/api/rules";
import { useMay } from "@/api/session";
import type { ExploreEvent } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import { Gate } from "@/components/Gate";
import { Icon } from "@/components/icons";
import { CopyJson, JsonView } from "@/components/JsonView";
import { Columns, More, type Column } from "@/components/List";
import { NotThere } from "@/components/NotThere";
import page from "@/components/Page.module.css";
import { Section } from "@/components/Section";
import { SeverityLabel } from "@/components/Severity";
import { SidePanel } from "@/components/SidePanel";
import { ErrorState, SkeletonRows } from "@/components/states";
import { AbsoluteTime, CellTime, RelativeTime } from "@/components/Time";
import { formatNumber, plural } from "@/lib/format";
import { Convert } from "./Convert";
import classes from "./jobs.module.css";
import { JobStatus } from "./JobStatus";
import { customOf, nameOf, rangeOf, resultLogs } from "./model";

const COLUMNS: Column[] = [{ label: "Time" }, { label: "Severity" }, { label: "Result" }, { label: "Events", isNumber: true }];

/** A job: how far it is, what it ran, what it found, and signals made of that. */
export function JobPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const { data: job, error, isPending, refetch } = useQuery(jobQuery(id));
  const label = job?.attributes.jobName ?? "Historical job";
  return (
    <SidePanel
      label={label}
      onClose={onClose}
      header={
        <>
          {job && <JobStatus job={job} />}
          <h2 className={page.heading}>{label}</h2>
        </>
      }
    >
      {isPending && <SkeletonRows rows={8} />}
      {error instanceof ApiError && error.isUnknown ? <NotThere noun="job" /> : error && <ErrorState inline={job !== undefined} error={error} retry={() => void refetch()} />}
      {job && <Details job={job} onGone={onClose} />}
    </SidePanel>
  );
}

function Details({ job, onGone }: { job: JobData; onGone: () => void }) {
  const client = useQueryClient();
  const mayRead = useMay("security_monitoring_signals_read");
  const { attributes } = job;
  const { from, to } = rangeOf(job);
  const changed = () => client.invalidateQueries({ queryKey: ["jobs"] });
  const cancel = useMutation({ mutationFn: () => cancelJob(job.id), onSettled: changed });
  const remove = useMutation({
    mutationFn: () => deleteJob(job.id),
    onSuccess: async () => {
      onGone();
      client.removeQueries({ queryKey: jobQuery(job.id).queryKey });
      await client.invalidateQueries({ queryKey: ["jobs", "list"] });
    },
  });
  const failure = cancel.error ?? remove.error;
  return (
    <>
      <Section
        title="The job"
        aside={
          <Gate permission={RULES_WRITE}>
            {(may) =>
              isActive(job) ? (
                <Button variant="default" size="compact-xs" disabled={!may} loading={cancel.isPending} onClick={() => cancel.mutate()}>
                  Cancel the job
                </Button>
              ) : (
                <Button variant="default" size="compact-xs" disabled={!may} loading={remove.isPending} leftSection={<Icon name="trash" size={13} />} onClick={() => window.confirm(`Delete the job “${attributes.jobName}” with its ${plural(attributes.resultCount, "result")}? Signals made of them stay.`) && remove.mutate()}>
                  Delete
                </Button>
              )
            }
          </Gate>
        }
      >
        {failure && <ErrorState inline error={failure} />}
        {attributes.error && (
          <p className={page.fault} role="alert">
            {attributes.error}
          </p>
        )}
        <dl className={page.facts}>
          <dt>Logs of</dt>
          <dd>
            <AbsoluteTime time={from} /> – <AbsoluteTime time={to} />
          </dd>
          <dt>Rule</dt>
          <dd>{attributes.createdFromRuleId ? <AppLink to={`/rules/${attributes.createdFromRuleId}`}>{attributes.jobName}</AppLink> : "none: a definition of its own"}</dd>
          <dt>By</dt>
          <dd>
            {attributes.createdByName}, <RelativeTime time={Date.parse(attributes.createdAt)} />
          </dd>
        </dl>
        <details className={classes.definition}>
          <summary>What ran</summary>
          <CopyJson value={attributes.jobDefinition} />
          <JsonView value={attributes.jobDefinition} depth={3} />
        </details>
      </Section>
      {!attributes.signalOutput ? (
        <Section title="Results">
          <p>
            {isActive(job) ? "So far it" : "It"} would have made {plural(attributes.resultCount, "signal")}. They were counted, not kept.
          </p>
        </Section>
      ) : mayRead ? (
        <Results job={job} />
      ) : (
        <Section title="Results">
          <p className={page.dim}>{plural(attributes.resultCount, "result")}; to see them needs the permission security_monitoring_signals_read.</p>
        </Section>
      )}
    </>
  );
}

function Results({ job }: { job: JobData }) {
  const list = useInfiniteQuery(resultsQuery(job.id, job.attributes.resultCount));
  const mayConvert = useMay("security_monitoring_signals_write");
  const results = list.data?.pages.flatMap(({ data }) => data) ?? [];
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const [converting, setConverting] = useState(false);
  const tick = (id: string) => {
    const next = new Set(ticked);
    if (!next.delete(id)) next.add(id);
    setTicked(next);
  };
  const all = results.length > 0 && results.every(({ id }) => ticked.has(id));
  const count = job.attributes.resultCount;
  return (
    <Section
      title={count === 0 ? "Results" : plural(count, "result")}
      aside={
        mayConvert &&
        results.length > 0 && (
          <Button size="compact-xs" disabled={ticked.size === 0} onClick={() => setConverting(true)}>
            {ticked.size === 0 ? "Make signals" : `Make ${plural(ticked.size, "signal")}`}
          </Button>
        )
      }
    >
      {list.error && <ErrorState inline={results.length > 0} error={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <SkeletonRows rows={4} />}
      {list.data && results.length === 0 && <p className={page.dim}>{isActive(job) ? "Nothing found yet." : "It found nothing in this time."}</p>}
      {results.length > 0 && (
        <table className={`${page.table ?? ""} ${classes.results ?? ""}`}>
          <Columns
            columns={COLUMNS}
            lead={
              mayConvert && (
                <th scope="col">
                  <Checkbox size="xs" aria-label="Tick all results that are shown" checked={all} indeterminate={!all && ticked.size > 0} onChange={() => setTicked(all ? new Set() : new Set(results.map(({ id }) => id)))} />
                </th>
              )
            }
          />
          <tbody>
            {results.map((result) => (
              <ResultRow key={result.id} result={result} ticked={mayConvert ? ticked.has(result.id) : null} onTick={() => tick(result.id)} />
            ))}
          </tbody>
        </table>
      )}
      <More query={list} />
      <Convert opened={converting} job={job} results={results.filter(({ id }) => ticked.has(id))} onClose={() => setConverting(false)} onDone={() => setTicked(new Set())} />
    </Section>
  );
}

function ResultRow({ result, ticked, onTick }: { result: ExploreEvent; ticked: boolean | null; onTick: () => void }) {
  const custom = customOf(result);
  const name = nameOf(result);
  const message = result.attributes.message ?? "";
  return (
    <tr>
      {ticked !== null && (
        <td>
          <Checkbox size="xs" aria-label={`Tick ${name}`} checked={ticked} onChange={onTick} />
        </td>
      )}
      <td>
        <CellTime time={Date.parse(result.attributes.timestamp)} />
      </td>
      <td>
        <SeverityLabel severity={custom.status ?? result.attributes.status ?? ""} />
      </td>
      <td className={page.grow} title={message}>
        {name}
      </td>
      <td className={page.number}>
        <AppLink to={resultLogs(result)} title="The logs of this result">
          {formatNumber(custom.workflow?.events_matched ?? 0)}
        </AppLink>
      </td>
    </tr>
  );
}
