"""Rows of historical jobs in the state store, and their results in the event store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from tocsin.query import Sql
from tocsin.rules.jobs.tables import historical_jobs
from tocsin.store.events import EventStore
from tocsin.store.limits import Limits

PENDING, RUNNING, COMPLETED, CANCELLED, FAILED = "pending", "running", "completed", "cancelled", "failed"
ACTIVE = (PENDING, RUNNING)

LIMITS = Limits(seconds=120, rows=0)

PAGE = 2_000

_RESULTS = """
SELECT id, timestamp, ingested_at, row_version, rule_id FROM historical FINAL
WHERE attributes.`workflow.job.id`.:String = {job:String} LIMIT {page:UInt32}
"""


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job. Times in Unix milliseconds; `progress` 0 to 1; `signals` is how many it has found."""

    id: str
    name: str
    status: str
    definition: dict[str, Any]
    rule: dict[str, Any]
    rule_id: str | None
    signal_output: bool
    progress: float
    signals: int
    error: str | None
    created_at: int
    modified_at: int
    created_by_handle: str
    created_by_name: str

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE


_SELECT = select(*(historical_jobs.c[name] for name in JobRow.__dataclass_fields__))


def add(session: Session, row: JobRow) -> None:
    session.execute(historical_jobs.insert().values({name: getattr(row, name) for name in JobRow.__dataclass_fields__}))


def load(session: Session, job_id: str) -> JobRow | None:
    row = session.execute(_SELECT.where(historical_jobs.c.id == job_id)).first()
    return None if row is None else JobRow(*row)


def load_all(session: Session) -> list[JobRow]:
    """Latest first."""
    order = (historical_jobs.c.created_at.desc(), historical_jobs.c.id)
    return [JobRow(*row) for row in session.execute(_SELECT.order_by(*order))]


def next_job(session: Session) -> JobRow | None:
    """The oldest job that is not finished."""
    active = _SELECT.where(historical_jobs.c.status.in_(ACTIVE))
    row = session.execute(active.order_by(historical_jobs.c.created_at, historical_jobs.c.id).limit(1)).first()
    return None if row is None else JobRow(*row)


def change(session: Session, job_id: str, **values: Any) -> bool:
    """Change an unfinished job; False if it is finished, cancelled or gone."""
    mine = (historical_jobs.c.id == job_id) & historical_jobs.c.status.in_(ACTIVE)
    return bool(session.execute(update(historical_jobs).where(mine).values(values)).rowcount)  # type: ignore[attr-defined]


def remove(session: Session, job_id: str) -> None:
    session.execute(delete(historical_jobs).where(historical_jobs.c.id == job_id))


class JobResults:
    """Which results a job has."""

    def __init__(self, events: EventStore) -> None:
        self._events = events

    def page(self, job_id: str) -> Sequence[dict[str, Any]]:
        """Some of the results that are still there: id, timestamp, ingested_at, row_version, rule_id."""
        return self._events.query(Sql(_RESULTS, {"job": job_id, "page": PAGE}), LIMITS)

    def pages(self, job_id: str) -> Iterator[Sequence[dict[str, Any]]]:
        """Until there are none; who reads them must remove them."""
        while rows := self.page(job_id):
            yield rows
