import { Button, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { jobsQuery, type JobData } from "@/api/jobs";
import { AppLink } from "@/components/AppLink";
import { Gate } from "@/components/Gate";
import { useHotkeys } from "@/components/hotkeys";
import { Icon } from "@/components/icons";
import page from "@/components/Page.module.css";
import { EmptyState, ErrorState, SkeletonRows } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import { useZone } from "@/components/zone";
import { formatNumber, plural } from "@/lib/format";
import { formatShort } from "@/lib/time";
import { stringifySearch } from "@/lib/urlState";
import { JobPanel } from "./JobPanel";
import { JobStatus } from "./JobStatus";
import { rangeOf } from "./model";
import { NewJob } from "./NewJob";

const WRITE = "security_monitoring_rules_write";
const DEFAULT_SORT = "-created_at";
const COLUMNS: { label: string; sort?: string; className?: string }[] = [
  { label: "Job", sort: "name" },
  { label: "Status", sort: "status" },
  { label: "Looks at" },
  { label: "Results", className: page.number },
  { label: "By" },
  { label: "Created", sort: "created_at" },
];

interface Props {
  search: Record<string, string | undefined>;
  change: (change: Record<string, string | undefined>, options?: { push?: boolean }) => void;
}

/** Rules run over the past: what they would have found (siem.md §2.24). */
export function JobsPage({ search, change }: Props) {
  const query = search.query ?? "";
  const sort = search.sort ?? DEFAULT_SORT;
  const list = useInfiniteQuery(jobsQuery(query, sort));
  const jobs = list.data?.pages.flatMap(({ data }) => data) ?? [];
  const total = list.data?.pages[0]?.meta.totalCount ?? 0;
  const [text, setText] = useState(query);
  const seek = useDebouncedCallback((next: string) => change({ query: next.trim() }), 250);

  useEffect(() => {
    document.title = "Historical jobs · Tocsin";
  }, []);
  useHotkeys([{ keys: ["/"], label: "Search", group: "Everywhere", run: () => document.getElementById("job-search")?.focus() }]);

  return (
    <div className={page.page}>
      <div className={page.bar}>
        <h1 className={page.title}>Historical jobs</h1>
        <TextInput
          id="job-search"
          size="xs"
          className={page.search}
          aria-label="Search jobs"
          placeholder="Search by name or status"
          leftSection={<Icon name="search" size={14} />}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            seek(event.currentTarget.value);
          }}
        />
        <span className={page.dim}>{list.data && plural(total, "job")}</span>
        <div className={page.end}>
          <Gate permission={WRITE}>
            {(may) => (
              <Button leftSection={<Icon name="plus" size={14} />} disabled={!may} onClick={() => change({ new: "1" }, { push: true })}>
                New job
              </Button>
            )}
          </Gate>
        </div>
      </div>
      {list.error && <ErrorState inline={jobs.length > 0} error={list.error} retry={() => void list.refetch()} />}
      <div className={page.split}>
        <div className={page.scroll}>
          {list.isPending && <SkeletonRows rows={10} />}
          {jobs.length > 0 && (
            <table className={page.table}>
              <thead>
                <tr>
                  {COLUMNS.map((column) => (
                    <Head key={column.label} {...column} order={sort} onSort={(next) => change({ sort: next === DEFAULT_SORT ? undefined : next })} />
                  ))}
                </tr>
              </thead>
              <tbody>
                {jobs.map((job) => (
                  <JobRow
                    key={job.id}
                    job={job}
                    chosen={job.id === search.job}
                    address={`/jobs${stringifySearch({ ...search, job: job.id })}`}
                  />
                ))}
              </tbody>
            </table>
          )}
          {list.data && jobs.length === 0 && (
            <EmptyState title={query ? "No job is called so" : "No job has run yet"}>
              {query ? (
                <Button
                  variant="default"
                  onClick={() => {
                    setText("");
                    change({ query: undefined });
                  }}
                >
                  Show all jobs
                </Button>
              ) : (
                <p>A job runs a rule once over logs that are stored already: what would it have found last month? Its results alarm nobody until you make signals of them.</p>
              )}
            </EmptyState>
          )}
          {list.hasNextPage && (
            <div className={page.more}>
              <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                Show more
              </Button>
            </div>
          )}
        </div>
        {search.job && (
          <JobPanel
            key={search.job}
            id={search.job}
            onClose={() => {
              const row = document.querySelector<HTMLElement>(`[data-job="${CSS.escape(search.job ?? "")}"] a`);
              change({ job: undefined });
              row?.focus();
            }}
          />
        )}
      </div>
      <NewJob opened={search.new !== undefined || search.rule !== undefined} ruleId={search.rule ?? null} onClose={() => change({ new: undefined, rule: undefined })} onMade={(job) => change({ new: undefined, rule: undefined, job })} />
    </div>
  );
}

function Head({ label, sort, className, order, onSort }: { label: string; sort?: string; className?: string; order: string; onSort: (sort: string) => void }) {
  if (!sort) {
    return (
      <th scope="col" className={className}>
        {label}
      </th>
    );
  }
  const direction = order === sort ? "ascending" : order === `-${sort}` ? "descending" : "none";
  return (
    <th scope="col" aria-sort={direction} className={className}>
      <button type="button" className={page.sort} onClick={() => onSort(direction === "descending" ? sort : `-${sort}`)}>
        {label}
        {direction !== "none" && <Icon name={direction === "descending" ? "sortDown" : "sortUp"} size={11} />}
      </button>
    </th>
  );
}

function JobRow({ job, chosen, address }: { job: JobData; chosen: boolean; address: string }) {
  const { zone } = useZone();
  const { from, to } = rangeOf(job);
  const { jobName, createdAt, createdByName, createdFromRuleId, resultCount } = job.attributes;
  return (
    <tr data-chosen={chosen || undefined} data-job={job.id}>
      <td className={page.grow}>
        <AppLink to={address}>{jobName}</AppLink>
        {createdFromRuleId && (
          <span className={page.dim}>
            {" "}
            from <AppLink to={`/rules/${createdFromRuleId}`}>its rule</AppLink>
          </span>
        )}
      </td>
      <td>
        <JobStatus job={job} />
      </td>
      <td>
        <AppLink to={`/logs${stringifySearch({ from: String(from), to: String(to) })}`} title="The logs of this time">
          {formatShort(from, zone)} – {formatShort(to, zone)}
        </AppLink>
      </td>
      <td className={page.number}>
        <AppLink to={address} title={`${plural(resultCount, "result")} of ${jobName}`}>
          {formatNumber(resultCount)}
        </AppLink>
      </td>
      <td>{createdByName}</td>
      <td>
        <RelativeTime time={Date.parse(createdAt)} />
      </td>
    </tr>
  );
}
