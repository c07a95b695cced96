"""Rows of triage in the state store."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tocsin.signal import Person, Triage
from tocsin.triage.history import person_from_json, person_to_json
from tocsin.triage.tables import signal_triage

CHUNK = 500
"""Ids in one IN list: below SQLite's old limit of 999 variables."""


def load(session: Session, signal_ids: Iterable[str]) -> dict[str, Triage]:
    """The triage of those signals that somebody has touched."""
    ids = list(dict.fromkeys(signal_ids))
    found = {}
    for start in range(0, len(ids), CHUNK):
        rows = session.execute(select(signal_triage).where(signal_triage.c.signal_id.in_(ids[start : start + CHUNK])))
        for row in rows.mappings():
            found[row["signal_id"]] = _triage(row)
    return found


def save(session: Session, triage: Triage) -> None:
    """Write a signal's triage; writers come one at a time, so no version can be lost here (decision 0030)."""
    session.execute(delete(signal_triage).where(signal_triage.c.signal_id == triage.signal_id))
    session.execute(
        signal_triage.insert().values(
            signal_id=triage.signal_id,
            signal_timestamp=triage.signal_timestamp,
            state=triage.state,
            archive_reason=triage.archive_reason,
            archive_comment=triage.archive_comment,
            archive_comment_at=triage.archive_comment_at,
            archive_comment_by=_optional(triage.archive_comment_by),
            assignee=person_to_json(triage.assignee),
            incident_ids=list(triage.incident_ids),
            state_updated_at=triage.state_updated_at,
            state_updated_by=_optional(triage.state_updated_by),
            version=triage.version,
        )
    )


def remove(session: Session, signal_id: str) -> None:
    """Forget a signal that was superseded."""
    session.execute(delete(signal_triage).where(signal_triage.c.signal_id == signal_id))


def _optional(person: Person | None) -> dict[str, Any] | None:
    return None if person is None else person_to_json(person)


def _triage(row: Mapping[Any, Any]) -> Triage:
    commented, moved = row["archive_comment_by"], row["state_updated_by"]
    return Triage(
        signal_id=row["signal_id"],
        signal_timestamp=row["signal_timestamp"],
        state=row["state"],
        archive_reason=row["archive_reason"],
        archive_comment=row["archive_comment"],
        archive_comment_at=row["archive_comment_at"],
        archive_comment_by=person_from_json(commented) if commented else None,
        assignee=person_from_json(row["assignee"]),
        incident_ids=tuple(row["incident_ids"]),
        state_updated_at=row["state_updated_at"],
        state_updated_by=person_from_json(moved) if moved else None,
        version=row["version"],
    )
