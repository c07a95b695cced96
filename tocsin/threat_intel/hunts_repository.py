"""Rows of hunts in the state store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tocsin.enrich.indicators import Indicator
from tocsin.threat_intel.content import packed, unpacked
from tocsin.threat_intel.tables import hunts

MAX_INDICATORS = 100_000
"""That one hunt looks for; of a feed that brings more, the first ones."""

MAX_MATCHED = 1_000
"""Indicators of which a hunt remembers in how many logs it found them; those of the most logs."""

GRACE_MS = 60_000
"""By then new indicators have reached every process that takes logs in; a hunt looks through all that came before."""


@dataclass(frozen=True, slots=True)
class Hunt:
    """A search of stored logs for new indicators. Times in Unix milliseconds; `state` is running, done or failed.

    `matched`: in how many logs each indicator was found, for at most `MAX_MATCHED` of them.
    """

    id: str
    feed_id: str
    version: int
    state: str
    indicators: int
    created_at: int
    from_at: int
    to_at: int
    position: int
    scanned: int
    found: int
    finished_at: int | None
    error: str
    matched: Mapping[str, int]


_COLUMNS = [hunts.c[field.name] for field in fields(Hunt)]


def insert(
    session: Session,
    hunt_id: str,
    feed_id: str,
    version: int,
    fresh: Sequence[tuple[Indicator, int]],
    now: int,
    since: int,
) -> None:
    """A hunt that is to begin; it looks from now back to `since`."""
    chosen = list(fresh)[:MAX_INDICATORS]
    body = b"".join(len(part).to_bytes(4, "big") + part for part in packed(chosen))
    error = "" if len(chosen) == len(fresh) else f"looks for {len(chosen):,} of {len(fresh):,} new indicators only"
    session.execute(
        hunts.insert().values(
            id=hunt_id,
            feed_id=feed_id,
            version=version,
            state="running",
            indicators=len(chosen),
            body=body,
            created_at=now,
            from_at=since,
            to_at=now + GRACE_MS,
            position=now + GRACE_MS,
            scanned=0,
            found=0,
            matched={},
            error=error,
        )
    )


def latest(session: Session, limit: int, feed_id: str | None = None) -> list[Hunt]:
    """Of a feed or of all, the latest first."""
    query = select(*_COLUMNS).order_by(hunts.c.created_at.desc(), hunts.c.id).limit(limit)
    if feed_id is not None:
        query = query.where(hunts.c.feed_id == feed_id)
    return [Hunt(*row) for row in session.execute(query)]


def running(session: Session) -> list[Hunt]:
    """The oldest first."""
    query = select(*_COLUMNS).where(hunts.c.state == "running").order_by(hunts.c.created_at, hunts.c.id)
    return [Hunt(*row) for row in session.execute(query)]


def wanted(session: Session, hunt_id: str) -> list[Indicator]:
    """The indicators that a hunt looks for."""
    body = session.scalar(select(hunts.c.body).where(hunts.c.id == hunt_id)) or b""
    parts, at = [], 0
    while at < len(body):
        size = int.from_bytes(body[at : at + 4], "big")
        parts.append(body[at + 4 : at + 4 + size])
        at += 4 + size
    return [indicator for indicator, _ in unpacked(parts)]


def change(session: Session, hunt_id: str, **values: Any) -> None:
    session.execute(update(hunts).where(hunts.c.id == hunt_id).values(values))
