"""Rows of critical assets in the state store."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tocsin.critical_assets.tables import critical_assets
from tocsin.store import settings

REVISION = "critical_assets_revision"
"""Setting that rises with every change of any asset, so that other processes see that they must look again."""


@dataclass(frozen=True, slots=True)
class AssetRow:
    """An asset as it is kept: `body` are the attributes that the API answers."""

    id: str
    version: int
    body: dict[str, Any]


def load_all(session: Session) -> list[AssetRow]:
    """Every asset, the oldest first."""
    table = critical_assets.c
    rows = [AssetRow(*row) for row in session.execute(select(table.id, table.version, table.body).order_by(table.id))]
    return sorted(rows, key=lambda row: (row.body["creation_date"], row.id))


def load(session: Session, asset_id: str) -> AssetRow | None:
    table = critical_assets.c
    row = session.execute(select(table.id, table.version, table.body).where(table.id == asset_id)).first()
    return None if row is None else AssetRow(*row)


def save(session: Session, row: AssetRow, at: int) -> None:
    """Add an asset, or write it in the place of the one with its id."""
    session.execute(delete(critical_assets).where(critical_assets.c.id == row.id))
    session.execute(critical_assets.insert().values(id=row.id, version=row.version, body=row.body))
    _advance(session, at)


def remove(session: Session, asset_id: str, at: int) -> None:
    session.execute(delete(critical_assets).where(critical_assets.c.id == asset_id))
    _advance(session, at)


def revision(session: Session) -> int:
    return int(settings.get(session, REVISION, 0))


def _advance(session: Session, at: int) -> None:
    settings.put(session, REVISION, revision(session) + 1, at)
