"""Rows of feeds and their contents in the state store."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from tocsin.store import settings as remembered
from tocsin.threat_intel.feed import Feed, FeedSettings, as_json
from tocsin.threat_intel.tables import contents, feeds

REVISION = "threat_intel_revision"
"""Setting that rises with every change of what is enriched, so that other processes see that they must look again."""

_COLUMNS = [column for column in feeds.c if column.name not in ("secret", "digest")]


def all_feeds(session: Session) -> list[Feed]:
    """By name."""
    rows = session.execute(select(*_COLUMNS, feeds.c.secret).order_by(feeds.c.name)).mappings()
    return [_feed(row) for row in rows]


def feed(session: Session, feed_id: str) -> Feed | None:
    row = session.execute(select(*_COLUMNS, feeds.c.secret).where(feeds.c.id == feed_id)).mappings().first()
    return None if row is None else _feed(row)


def id_of(session: Session, name: str) -> str | None:
    return session.scalar(select(feeds.c.id).where(feeds.c.name == name))


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(feeds)) or 0


def insert(session: Session, made: Feed, secret: str | None) -> None:
    session.execute(
        feeds.insert().values(
            id=made.id,
            name=made.settings.name,
            settings=as_json(made.settings),
            secret=secret,
            is_enabled=made.settings.is_enabled,
            created_at=made.created_at,
            created_by=made.created_by,
            updated_at=made.updated_at,
            version=0,
            digest="",
            indicators=0,
            skipped=0,
            problems=[],
            next_at=made.next_at,
            error="",
        )
    )


def change(session: Session, feed_id: str, **values: Any) -> None:
    session.execute(update(feeds).where(feeds.c.id == feed_id).values(values))


def remove(session: Session, feed_id: str) -> None:
    """With its content and hunts."""
    session.execute(delete(feeds).where(feeds.c.id == feed_id))


def secret(session: Session, feed_id: str) -> str | None:
    return session.scalar(select(feeds.c.secret).where(feeds.c.id == feed_id))


def digest(session: Session, feed_id: str) -> str:
    return session.scalar(select(feeds.c.digest).where(feeds.c.id == feed_id)) or ""


def due(session: Session, now: int) -> list[str]:
    """Ids of the feeds that are to be refreshed, the longest waiting first."""
    where = feeds.c.is_enabled & (feeds.c.next_at <= now)
    return list(session.scalars(select(feeds.c.id).where(where).order_by(feeds.c.next_at)))


def parts(session: Session, feed_id: str, version: int) -> list[bytes]:
    where = (contents.c.feed_id == feed_id) & (contents.c.version == version)
    return list(session.scalars(select(contents.c.body).where(where).order_by(contents.c.part)))


def replace(session: Session, feed_id: str, version: int, bodies: Sequence[bytes]) -> None:
    """The whole content of a feed, in place of any other."""
    session.execute(delete(contents).where(contents.c.feed_id == feed_id))
    for number, body in enumerate(bodies):
        session.execute(contents.insert().values(feed_id=feed_id, version=version, part=number, body=body))


def revision(session: Session) -> int:
    return int(remembered.get(session, REVISION, 0))


def advance(session: Session, now: int) -> None:
    remembered.put(session, REVISION, revision(session) + 1, now)


def _feed(row: Any) -> Feed:
    chosen = FeedSettings(name=row["name"], is_enabled=row["is_enabled"], **row["settings"])
    return Feed(
        id=row["id"],
        settings=chosen,
        has_secret=row["secret"] is not None,
        problems=tuple(row["problems"]),
        **{
            name: row[name]
            for name in (
                "created_at",
                "created_by",
                "updated_at",
                "version",
                "indicators",
                "skipped",
                "attempted_at",
                "refreshed_at",
                "next_at",
                "error",
            )
        },
    )
