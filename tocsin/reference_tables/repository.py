"""Rows of reference tables in the state store."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from tocsin.reference_tables.tables import (
    reference_table_parts,
    reference_table_rows,
    reference_table_uploads,
    reference_tables,
)
from tocsin.store import settings

REVISION = "reference_tables_revision"
"""Setting that rises with every change, so that all processes see that they must look again."""

PAGE = 5_000
"""Rows read or written in one statement."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A table without its rows. `body`: description, tags, schema, source, created_by, last_updated_by, error."""

    id: str
    name: str
    version: int
    row_count: int
    body: dict[str, Any]
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class UploadRow:
    id: str
    table_name: str
    headers: list[str]
    part_count: int
    secret: str
    created_at: int


def load_all(session: Session) -> list[TableRow]:
    """All tables by name."""
    return [TableRow(*row) for row in session.execute(select(reference_tables).order_by(reference_tables.c.name))]


def load(session: Session, table_id: str) -> TableRow | None:
    row = session.execute(select(reference_tables).where(reference_tables.c.id == table_id)).first()
    return None if row is None else TableRow(*row)


def by_name(session: Session, name: str) -> TableRow | None:
    row = session.execute(select(reference_tables).where(reference_tables.c.name == name)).first()
    return None if row is None else TableRow(*row)


def insert(session: Session, table: TableRow) -> None:
    session.execute(reference_tables.insert().values(_values(table)))
    _advance(session, table.updated_at)


def save(session: Session, table: TableRow) -> None:
    session.execute(update(reference_tables).where(reference_tables.c.id == table.id).values(_values(table)))
    _advance(session, table.updated_at)


def remove(session: Session, table_id: str, at: int) -> None:
    """A table with its rows."""
    session.execute(delete(reference_table_rows).where(reference_table_rows.c.table_id == table_id))
    session.execute(delete(reference_tables).where(reference_tables.c.id == table_id))
    _advance(session, at)


def replace_rows(session: Session, table_id: str, rows: Mapping[str, dict[str, Any]]) -> None:
    """These rows in the place of all others."""
    session.execute(delete(reference_table_rows).where(reference_table_rows.c.table_id == table_id))
    keys = list(rows)
    for start in range(0, len(keys), PAGE):
        values = [{"table_id": table_id, "key": key, "row": rows[key]} for key in keys[start : start + PAGE]]
        session.execute(reference_table_rows.insert(), values)


def put_rows(session: Session, table_id: str, rows: Mapping[str, dict[str, Any]]) -> None:
    """These rows beside the others, in the place of those with the same keys."""
    delete_rows(session, table_id, list(rows))
    values = [{"table_id": table_id, "key": key, "row": row} for key, row in rows.items()]
    session.execute(reference_table_rows.insert(), values)


def delete_rows(session: Session, table_id: str, keys: Sequence[str]) -> None:
    table = reference_table_rows.c
    session.execute(delete(reference_table_rows).where(table.table_id == table_id, table.key.in_(keys)))


def rows_of(session: Session, table_id: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The rows of those keys that are there."""
    table = reference_table_rows.c
    found = select(table.key, table.row).where(table.table_id == table_id, table.key.in_(keys))
    return {row.key: row.row for row in session.execute(found)}


def page_of(session: Session, table_id: str, after: str, limit: int) -> list[tuple[str, dict[str, Any]]]:
    """Rows behind a key, in the order of keys."""
    table = reference_table_rows.c
    found = (
        select(table.key, table.row)
        .where(table.table_id == table_id, table.key > after)
        .order_by(table.key)
        .limit(limit)
    )
    return [(row.key, row.row) for row in session.execute(found)]


def each_row(session: Session, table_id: str) -> Iterator[dict[str, Any]]:
    """All rows in the order of keys."""
    after = ""
    while page := page_of(session, table_id, after, PAGE):
        yield from (row for _, row in page)
        after = page[-1][0]


def count_rows(session: Session, table_id: str) -> int:
    counted = select(func.count()).select_from(reference_table_rows).where(reference_table_rows.c.table_id == table_id)
    return session.scalar(counted) or 0


def insert_upload(session: Session, upload: UploadRow) -> None:
    session.execute(
        reference_table_uploads.insert().values(
            id=upload.id,
            table_name=upload.table_name,
            headers=upload.headers,
            part_count=upload.part_count,
            secret=upload.secret,
            created_at=upload.created_at,
        )
    )


def upload(session: Session, upload_id: str) -> UploadRow | None:
    row = session.execute(select(reference_table_uploads).where(reference_table_uploads.c.id == upload_id)).first()
    return None if row is None else UploadRow(*row)


def put_part(session: Session, upload_id: str, number: int, content: bytes) -> None:
    """A part, in the place of one that was sent before."""
    table = reference_table_parts.c
    session.execute(delete(reference_table_parts).where(table.upload_id == upload_id, table.number == number))
    session.execute(reference_table_parts.insert().values(upload_id=upload_id, number=number, content=content))


def part_sizes(session: Session, upload_id: str) -> dict[int, int]:
    """Bytes of each part that is there."""
    table = reference_table_parts.c
    found = select(table.number, func.length(table.content)).where(table.upload_id == upload_id)
    return {row[0]: row[1] for row in session.execute(found)}


def content_of(session: Session, upload_id: str) -> bytes:
    """All parts in their order."""
    table = reference_table_parts.c
    found = select(table.content).where(table.upload_id == upload_id).order_by(table.number)
    return b"".join(session.scalars(found))


def remove_uploads(session: Session, before: int, upload_id: str = "") -> None:
    """One upload, and all that were begun before a moment."""
    gone = select(reference_table_uploads.c.id).where(
        (reference_table_uploads.c.created_at < before) | (reference_table_uploads.c.id == upload_id)
    )
    ids = list(session.scalars(gone))
    session.execute(delete(reference_table_parts).where(reference_table_parts.c.upload_id.in_(ids)))
    session.execute(delete(reference_table_uploads).where(reference_table_uploads.c.id.in_(ids)))


def revision(session: Session) -> int:
    return int(settings.get(session, REVISION, 0))


def _values(table: TableRow) -> dict[str, Any]:
    return {name: getattr(table, name) for name in TableRow.__dataclass_fields__}


def _advance(session: Session, at: int) -> None:
    settings.put(session, REVISION, revision(session) + 1, at)
