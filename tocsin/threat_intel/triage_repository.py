"""What people decided about indicators, in the state store."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tocsin.threat_intel.tables import triage, triage_history

STATES = ("not_reviewed", "reviewed")

_NAMESPACE = uuid.UUID("2c0f8a54-4c6a-5d0e-9a3f-6d1c5b0d7e21")
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Triage:
    """Times in Unix milliseconds."""

    indicator: str
    state: str
    created_at: int
    changed_at: int
    changed_by: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A decision in the history; `at` in Unix milliseconds."""

    state: str
    at: int
    by: str


def id_of(indicator: str) -> str:
    """The id of an indicator, the same everywhere."""
    return str(uuid.uuid5(_NAMESPACE, indicator))


def of(session: Session, indicators: Iterable[str]) -> dict[str, Triage]:
    """By indicator; those that nobody looked at are absent."""
    ids = [id_of(indicator) for indicator in indicators]
    columns = [column for column in triage.c if column.name != "id"]
    found = {}
    for start in range(0, len(ids), _CHUNK):
        for row in session.execute(select(*columns).where(triage.c.id.in_(ids[start : start + _CHUNK]))):
            found[row[0]] = Triage(*row)
    return found


def decide(session: Session, indicator: str, state: str, now: int, by: str) -> Triage:
    """Note a decision and add it to the history."""
    own = id_of(indicator)
    values = {"state": state, "changed_at": now, "changed_by": by}
    if not session.execute(update(triage).where(triage.c.id == own).values(values)).rowcount:  # type: ignore[attr-defined]
        session.execute(triage.insert().values(id=own, indicator=indicator, created_at=now, **values))
    session.execute(triage_history.insert().values(triage_id=own, state=state, at=now, by=by))
    return of(session, [indicator])[indicator]


def history(session: Session, indicator: str, limit: int, offset: int) -> list[Entry]:
    """The latest first."""
    table = triage_history.c
    query = select(table.state, table.at, table.by).where(table.triage_id == id_of(indicator))
    rows = session.execute(query.order_by(table.id.desc()).limit(limit).offset(offset))
    return [Entry(*row) for row in rows]
