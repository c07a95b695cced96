"""Rows of the runs of scheduled rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from tocsin.rules.scheduled.tables import scheduled_runs
from tocsin.rules.tables import rule_versions

RUNNING, COMPLETED, FAILED, SKIPPED = "running", "completed", "failed", "skipped"


@dataclass(frozen=True, slots=True)
class Run:
    """A run over the logs of `(since, until]`. All times in Unix milliseconds; see `tables`."""

    rule_id: str
    until: int
    since: int
    rule_version: int
    status: str
    times: int
    began_at: int
    ended_at: int | None = None
    matches: int = 0
    error: str | None = None


_TABLE = scheduled_runs.c
_SELECT = select(*(_TABLE[name] for name in Run.__dataclass_fields__))


def add(session: Session, run: Run) -> None:
    session.execute(scheduled_runs.insert().values({name: getattr(run, name) for name in Run.__dataclass_fields__}))


def end(session: Session, run: Run, **values: Any) -> bool:
    """Change a run that is not ended; False if it is ended, or gone."""
    mine = (_TABLE.rule_id == run.rule_id) & (_TABLE.until == run.until) & (_TABLE.status == RUNNING)
    return bool(session.execute(update(scheduled_runs).where(mine).values(values)).rowcount)  # type: ignore[attr-defined]


def latest(session: Session, rule_id: str, limit: int, status: str | None = None) -> list[Run]:
    """The latest first; those of a status, or all."""
    asked = _SELECT.where(_TABLE.rule_id == rule_id)
    if status is not None:
        asked = asked.where(_TABLE.status == status)
    return [Run(*row) for row in session.execute(asked.order_by(_TABLE.until.desc()).limit(limit))]


def first_since(session: Session, rule_id: str, version: int) -> int | None:
    """From when on completed runs of a version have looked at what is stored."""
    mine = (_TABLE.rule_id == rule_id) & (_TABLE.rule_version == version) & (_TABLE.status == COMPLETED)
    found: int | None = session.scalar(select(func.min(_TABLE.since)).where(mine))
    return found


def running(session: Session) -> list[Run]:
    """Runs that have begun and not ended, of all rules."""
    return [Run(*row) for row in session.execute(_SELECT.where(_TABLE.status == RUNNING).order_by(_TABLE.began_at))]


def within(session: Session, rule_ids: Sequence[str], start: int, end: int) -> list[Run]:
    """Ended runs that looked at something of `(start, end]`, in order."""
    asked = _SELECT.where(_TABLE.rule_id.in_(rule_ids), _TABLE.until > start, _TABLE.since < end)
    return [Run(*row) for row in session.execute(asked.where(_TABLE.status != RUNNING).order_by(_TABLE.until))]


def forget(session: Session, rule_id: str, before: int, but: int) -> None:
    """Drop the runs of a rule up to a moment, but those from `but` on."""
    session.execute(delete(scheduled_runs).where(_TABLE.rule_id == rule_id, _TABLE.until < min(before, but)))


def activity(session: Session, rule_id: str) -> list[tuple[int, bool]]:
    """When each version was saved and whether it is one that runs at times, the latest first, back to the one that does
    not, or to when the rule was made."""
    found = []
    table = rule_versions.c
    rows = session.execute(select(table.at, table.body).where(table.rule_id == rule_id).order_by(table.version.desc()))
    for at, body in rows:
        is_active = bool(body.get("isEnabled", True)) and bool(body.get("schedulingOptions"))
        found.append((at, is_active))
        if not is_active or body.get("createdAt") == at:
            break
    return found
