"""Subscriptions to sample logs in the state store. Times are Unix milliseconds."""

from dataclasses import dataclass

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from tocsin.content_packs.tables import sample_subscriptions as table


@dataclass(frozen=True, slots=True)
class Subscription:
    """Sample logs of a pack from `created_at` until `expires_at`, or until somebody unsubscribed (`ended_at`)."""

    id: str
    pack_id: str
    created_at: int
    expires_at: int
    ended_at: int | None
    sent_until: int

    @property
    def until(self) -> int:
        return self.expires_at if self.ended_at is None else min(self.expires_at, self.ended_at)

    def is_active(self, now: int) -> bool:
        return now < self.until


def load(session: Session, *, ending_after: int | None = None) -> list[Subscription]:
    """All, or those that had not expired before a moment, newest first."""
    wanted = select(table).order_by(table.c.created_at.desc(), table.c.id)
    if ending_after is not None:
        wanted = wanted.where(table.c.expires_at > ending_after)
    return [_read(row) for row in session.execute(wanted)]


def active(session: Session, pack_id: str, now: int) -> Subscription | None:
    """The one of a pack that runs."""
    running = table.c.expires_at > now, table.c.ended_at.is_(None)
    row = session.execute(select(table).where(table.c.pack_id == pack_id, *running)).first()
    return None if row is None else _read(row)


def add(session: Session, one: Subscription) -> None:
    session.execute(
        insert(table).values(
            id=one.id,
            pack_id=one.pack_id,
            created_at=one.created_at,
            expires_at=one.expires_at,
            ended_at=one.ended_at,
            sent_until=one.sent_until,
        )
    )


def change(session: Session, one: Subscription) -> None:
    """Write when it ends in the place of what was there."""
    values = {"expires_at": one.expires_at, "ended_at": one.ended_at}
    session.execute(update(table).where(table.c.id == one.id).values(values))


def advance(session: Session, subscription_id: str, sent_until: int) -> None:
    session.execute(update(table).where(table.c.id == subscription_id).values(sent_until=sent_until))


def newest_end(session: Session) -> int | None:
    """When the last sample log may have been sent, None if there never was one."""
    found: int | None = session.scalar(select(func.max(table.c.sent_until)))
    return found


def _read(row: object) -> Subscription:
    return Subscription(row.id, row.pack_id, row.created_at, row.expires_at, row.ended_at, row.sent_until)  # type: ignore[attr-defined]
