"""Rows of pipelines in the state store."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from tocsin.pipelines.tables import pipelines
from tocsin.store import settings

REVISION = "pipelines_revision"
"""Setting that rises with every change, so that other processes see that they must look again."""


@dataclass(frozen=True, slots=True)
class PipelineRow:
    """`body` is what was given; None for a shipped pipeline."""

    id: str
    is_enabled: bool
    body: dict[str, Any] | None


def load_all(session: Session) -> list[PipelineRow]:
    """All pipelines in their order."""
    columns = select(pipelines.c.id, pipelines.c.is_enabled, pipelines.c.body)
    return [PipelineRow(*row) for row in session.execute(columns.order_by(pipelines.c.position, pipelines.c.id))]


def save(session: Session, row: PipelineRow, at: int) -> None:
    """Write what is there already, in its place."""
    values = {"is_enabled": row.is_enabled, "body": row.body}
    session.execute(update(pipelines).where(pipelines.c.id == row.id).values(values))
    _advance(session, at)


def insert(session: Session, row: PipelineRow, at: int) -> None:
    """Add one behind all others."""
    session.execute(
        pipelines.insert().values(id=row.id, position=len(load_all(session)), is_enabled=row.is_enabled, body=row.body)
    )
    _advance(session, at)


def remove(session: Session, pipeline_id: str, at: int) -> None:
    session.execute(delete(pipelines).where(pipelines.c.id == pipeline_id))
    arrange(session, [row.id for row in load_all(session)], at)


def arrange(session: Session, ids: Sequence[str], at: int) -> None:
    """Put all pipelines into this order."""
    for position, pipeline_id in enumerate(ids):
        session.execute(update(pipelines).where(pipelines.c.id == pipeline_id).values(position=position))
    _advance(session, at)


def revision(session: Session) -> int:
    return int(settings.get(session, REVISION, 0))


def _advance(session: Session, at: int) -> None:
    settings.put(session, REVISION, revision(session) + 1, at)
