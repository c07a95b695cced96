import { Progress } from "@mantine/core";
import { isActive, type JobData } from "@/api/jobs";
import classes from "./jobs.module.css";
import { STATUS_WORDS } from "./model";

/** The status by word, and how far a job has come. */
export function JobStatus({ job }: { job: JobData }) {
  const { jobStatus, progressRate, error } = job.attributes;
  const percent = Math.round(progressRate * 100);
  return (
    <span className={classes.status} data-status={jobStatus} title={error ?? undefined}>
      <span className={classes.dot} aria-hidden="true" />
      {STATUS_WORDS[jobStatus] ?? jobStatus}
      {isActive(job) && (
        <>
          <Progress value={percent} size="sm" w={70} aria-label="Progress" />
          <span className={classes.percent}>{percent} %</span>
        </>
      )}
    </span>
  );
}
