"""Everything that happened to a signal, in order (siem.md §3.7).

The evaluator's side writes what detection did (`created`, `severity`, `updated`), triage what people decided
(`state`, `comment`, `assignee`, `incident`), and `moved` when late events gave a signal a new id.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from tocsin.signal import Person
from tocsin.signals.course import Told
from tocsin.triage.tables import signal_history

DETECTED = ("created", "severity", "updated")
DECIDED = ("state", "comment", "assignee", "incident", "moved")
KINDS = (*DETECTED, *DECIDED)

CHUNK = 500
"""Signals in one query."""

SYSTEM = Person(name="Tocsin")
"""Who did what no person did."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a signal's history. `at` in Unix milliseconds; `before` and `after` as text, empty if meaningless."""

    at: int
    kind: str
    by: Person
    before: str = ""
    after: str = ""
    comment: str = ""


def add(
    session: Session,
    signal_id: str,
    kind: str,
    at: int,
    by: Person = SYSTEM,
    before: str = "",
    after: str = "",
    comment: str = "",
    *,
    sequence: int = 0,
) -> None:
    """Add an entry in the caller's transaction; adding the same entry again changes nothing.

    `sequence` orders entries of the same millisecond and keeps equal ones apart.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind of history entry '{kind}'; use one of {', '.join(KINDS)}")
    content = "\x1f".join((signal_id, kind, str(at), by.uuid, before, after, comment, str(sequence)))
    entry_id = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
    if session.scalar(select(signal_history.c.id).where(signal_history.c.id == entry_id)) is None:
        session.execute(
            signal_history.insert().values(
                id=entry_id,
                signal_id=signal_id,
                at=at,
                sequence=sequence,
                kind=kind,
                by=person_to_json(by),
                before=before,
                after=after,
                comment=comment,
            )
        )


def entries(session: Session, signal_id: str) -> list[Entry]:
    """The history of a signal, oldest first."""
    table = signal_history.c
    rows = session.execute(
        select(table.at, table.kind, table.by, table.before, table.after, table.comment)
        .where(table.signal_id == signal_id)
        .order_by(table.at, table.sequence, table.id)
    )
    return [Entry(at, kind, person_from_json(by), *texts) for at, kind, by, *texts in rows]


def told(session: Session, signal_ids: Iterable[str]) -> dict[str, Told]:
    """The severity that each history tells last; those that tell none are absent."""
    table, ids = signal_history.c, list(signal_ids)
    found: dict[str, Told] = {}
    for start in range(0, len(ids), CHUNK):
        rows = session.execute(
            select(table.signal_id, table.at, table.sequence, table.after)
            .where(table.signal_id.in_(ids[start : start + CHUNK]), table.kind.in_(("created", "severity")))
            .order_by(table.at, table.sequence, table.id)
        )
        found |= {signal_id: Told(at, sequence, after) for signal_id, at, sequence, after in rows}
    return found


def last_decision(session: Session, signal_id: str) -> Entry | None:
    """The latest entry that a person made, None if nobody touched the signal."""
    made = [entry for entry in entries(session, signal_id) if entry.by.uuid]
    return made[-1] if made else None


def move(session: Session, old_id: str, new_id: str) -> int:
    """Give what people decided about a superseded signal to its heir; returns how many entries.

    What detection noted goes with the old signal: the heir has notes of its own.
    """
    table = signal_history
    session.execute(delete(table).where(table.c.signal_id == old_id, table.c.kind.in_(DETECTED)))
    moved = session.execute(update(table).where(table.c.signal_id == old_id).values(signal_id=new_id))
    return int(moved.rowcount)  # type: ignore[attr-defined]


def person_to_json(person: Person) -> dict[str, Any]:
    return {"uuid": person.uuid, "handle": person.handle, "name": person.name, "id": person.id}


def person_from_json(value: Mapping[str, Any]) -> Person:
    return Person(uuid=value["uuid"], handle=value["handle"], name=value["name"], id=value["id"])
