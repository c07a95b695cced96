"""Answers about the runs of scheduled rules."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel

from tocsin.rule import Schedule
from tocsin.rules.scheduled.repository import Run
from tocsin.rules.scheduled.service import Overview
from tocsin.signals.resource import iso


class ScheduledRun(BaseModel):
    """A run over the logs of `(since, until]`, at the version of the rule when it began. `times` above 1: it is for
    earlier times of the schedule as well, which were missed. `error` says why it failed or was skipped."""

    since: str
    until: str
    version: int
    status: Literal["running", "completed", "failed", "skipped"]
    times: int
    began_at: str
    ended_at: str | None
    matches: int
    error: str | None

    @classmethod
    def of(cls, run: Run) -> "ScheduledRun":
        return cls.model_validate(
            {
                "since": iso(run.since),
                "until": iso(run.until),
                "version": run.rule_version,
                "status": run.status,
                "times": run.times,
                "began_at": iso(run.began_at),
                "ended_at": None if run.ended_at is None else iso(run.ended_at),
                "matches": run.matches,
                "error": run.error,
            }
        )


class RuleScheduleAttributes(BaseModel):
    """Logs up to `analysed_until` were looked at (null: the rule is off). A run begins two minutes after its time in
    `next_runs`. `runs`: the latest first."""

    rrule: str
    start: str
    timezone: str
    analysed_until: str | None
    next_runs: list[str]
    last_run: ScheduledRun | None
    runs: list[ScheduledRun]


class RuleSchedule(BaseModel):
    id: str
    type: Literal["rule_schedule"] = "rule_schedule"
    attributes: RuleScheduleAttributes


class RuleScheduleAnswer(BaseModel):
    data: RuleSchedule

    @classmethod
    def of(cls, rule_id: str, found: Overview) -> "RuleScheduleAnswer":
        runs = [ScheduledRun.of(run) for run in found.runs]
        attributes = RuleScheduleAttributes(
            rrule=found.schedule.rrule,
            start=found.schedule.start,
            timezone=found.schedule.timezone,
            analysed_until=None if found.analysed_until is None else iso(found.analysed_until),
            next_runs=[iso(at) for at in found.next_times],
            last_run=runs[0] if runs else None,
            runs=runs,
        )
        return cls(data=RuleSchedule(id=rule_id, attributes=attributes))


class ScheduleBody(BaseModel):
    """A schedule as a rule has it in `schedulingOptions`."""

    rrule: str
    start: str
    timezone: str

    def to_model(self) -> Schedule:
        return Schedule(self.rrule, self.start, self.timezone)


class NextRuns(BaseModel):
    next_runs: list[str]


class NextRunsAnswer(BaseModel):
    data: NextRuns

    @classmethod
    def of(cls, times: Iterable[int]) -> "NextRunsAnswer":
        return cls(data=NextRuns(next_runs=[iso(at) for at in times]))
