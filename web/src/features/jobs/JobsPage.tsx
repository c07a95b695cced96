import { useInfiniteQuery } from "@tanstack/react-query";
import { jobsQuery, type JobData } from "@/api/jobs";
import { RULES_WRITE } from "@/api/rules";
import { AddButton } from "@/components/AddButton";
import { AppLink } from "@/components/AppLink";
import { List, NothingFound, type Column } from "@/components/List";
import { ListPage } from "@/components/ListPage";
import page from "@/components/Page.module.css";
import { EmptyState } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import { useZone } from "@/components/zone";
import { formatNumber, plural } from "@/lib/format";
import { formatShort } from "@/lib/time";
import { stringifySearch } from "@/lib/urlState";
import { JobPanel } from "./JobPanel";
import classes from "./jobs.module.css";
import { JobStatus } from "./JobStatus";
import { rangeOf } from "./model";
import { NewJob } from "./NewJob";

const DEFAULT_SORT = "-created_at";
const COLUMNS: Column[] = [
  { label: "Job", sort: "name" },
  { label: "Status", sort: "status" },
  { label: "Looks at" },
  { label: "Results", isNumber: true },
  { label: "By" },
  { label: "Created", sort: "created_at", descends: true },
];

interface Props {
  search: Record<string, string | undefined>;
  change: (change: Record<string, string | undefined>, options?: { push?: boolean }) => void;
}

/** Rules run over the past: what they would have found (siem.md §2.24). */
export function JobsPage({ search, change }: Props) {
  const { query = "", sort = DEFAULT_SORT } = search;
  const list = useInfiniteQuery(jobsQuery(query, sort));
  const jobs = list.data?.pages.flatMap(({ data }) => data) ?? [];
  const close = () => {
    const row = document.querySelector<HTMLElement>(`[data-job="${CSS.escape(search.job ?? "")}"] a`);
    change({ job: undefined });
    row?.focus();
  };
  return (
    <ListPage
      title="Historical jobs"
      search={{ label: "Search jobs", placeholder: "Search by name or status", value: query, onSearch: (next) => change({ query: next }) }}
      about={list.data && plural(list.data.pages[0]?.meta.totalCount ?? 0, "job")}
      actions={<AddButton permission={RULES_WRITE} label="New job" onClick={() => change({ new: "1" }, { push: true })} />}
      panel={search.job && <JobPanel key={search.job} id={search.job} onClose={close} />}
      overlay={<NewJob opened={search.new !== undefined || search.rule !== undefined} ruleId={search.rule ?? null} onClose={() => change({ new: undefined, rule: undefined })} onMade={(job) => change({ new: undefined, rule: undefined, job })} />}
    >
      <List
        query={list}
        count={jobs.length}
        className={classes.list}
        tableClassName={classes.table}
        columns={COLUMNS}
        sort={sort}
        onSort={(next) => change({ sort: next === DEFAULT_SORT ? undefined : next })}
        empty={
          query ? (
            <NothingFound title="No job is called so" all="Show all jobs" onAll={() => change({ query: undefined })} />
          ) : (
            <EmptyState title="No job has run yet">
              <p>A job runs a rule once over logs that are stored already: what would it have found last month? Its results alarm nobody until you make signals of them.</p>
            </EmptyState>
          )
        }
      >
        {jobs.map((job) => (
          <JobRow key={job.id} job={job} chosen={job.id === search.job} address={`/jobs${stringifySearch({ ...search, job: job.id })}`} />
        ))}
      </List>
    </ListPage>
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
