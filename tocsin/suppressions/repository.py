"""Rows of suppressions in the state store."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from tocsin.store import settings
from tocsin.suppressions.tables import suppression_versions, suppressions

REVISION = "suppressions_revision"
"""Setting that rises with every change of any suppression, so that other processes see that they must look again."""


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """A suppression: `body` holds the attributes of the API's answer."""

    id: str
    version: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version; `at` is when it was saved, in Unix milliseconds."""

    suppression_id: str
    version: int
    at: int
    body: dict[str, Any]
    changes: list[dict[str, str]]


def load(session: Session, suppression_id: str) -> SuppressionRow | None:
    row = session.execute(_SELECT.where(suppressions.c.id == suppression_id)).first()
    return None if row is None else SuppressionRow(*row)


def load_all(session: Session) -> list[SuppressionRow]:
    return [SuppressionRow(*row) for row in session.execute(_SELECT.order_by(suppressions.c.id))]


def save(session: Session, row: SuppressionRow, changes: list[dict[str, str]], at: int) -> None:
    """Write a suppression and remember this version of it."""
    session.execute(delete(suppressions).where(suppressions.c.id == row.id))
    session.execute(suppressions.insert().values(id=row.id, version=row.version, body=row.body))
    _remember(session, row, changes, at)


def remove(session: Session, last: SuppressionRow, changes: list[dict[str, str]], at: int) -> None:
    """Delete a suppression; `last` is what history shows as its end."""
    session.execute(delete(suppressions).where(suppressions.c.id == last.id))
    _remember(session, last, changes, at)


def id_was_used(session: Session, suppression_id: str) -> bool:
    """Whether any suppression, deleted ones included, has had this id."""
    table = suppression_versions.c
    used = select(table.version).where(table.suppression_id == suppression_id).limit(1)
    return session.execute(used).first() is not None


def versions(session: Session, suppression_id: str, limit: int, offset: int) -> tuple[int, list[VersionRow]]:
    """How many versions there are, and a page of them, latest first."""
    table = suppression_versions.c
    mine = table.suppression_id == suppression_id
    count = session.scalar(select(func.count()).select_from(suppression_versions).where(mine)) or 0
    rows = session.execute(_VERSIONS.where(mine).order_by(table.version.desc()).limit(limit).offset(offset))
    return count, [VersionRow(*row) for row in rows]


def all_versions(session: Session) -> list[VersionRow]:
    """Every version of every suppression, each suppression's from the first to the last."""
    table = suppression_versions.c
    return [VersionRow(*row) for row in session.execute(_VERSIONS.order_by(table.suppression_id, table.version))]


def revision(session: Session) -> int:
    return int(settings.get(session, REVISION, 0))


def _remember(session: Session, row: SuppressionRow, changes: list[dict[str, str]], at: int) -> None:
    session.execute(
        suppression_versions.insert().values(
            suppression_id=row.id, version=row.version, at=at, body=row.body, changes=changes
        )
    )
    settings.put(session, REVISION, revision(session) + 1, at)


_SELECT = select(suppressions.c.id, suppressions.c.version, suppressions.c.body)
_VERSIONS = select(
    suppression_versions.c.suppression_id,
    suppression_versions.c.version,
    suppression_versions.c.at,
    suppression_versions.c.body,
    suppression_versions.c.changes,
)
