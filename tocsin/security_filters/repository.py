"""Rows of security filters in the state store."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from tocsin.security_filters.effective import Exclusion, SecurityFilter
from tocsin.security_filters.tables import security_filter_versions, security_filters


@dataclass(frozen=True, slots=True)
class Configuration:
    """All filters as they were from a moment on."""

    version: int
    at: int
    filters: tuple[SecurityFilter, ...]


def load_all(session: Session) -> list[SecurityFilter]:
    """All filters, the built-in one first."""
    rows = session.execute(select(security_filters.c.body).order_by(security_filters.c.id))
    return sorted((_read(row.body) for row in rows), key=lambda one: not one.is_builtin)


def save(session: Session, one: SecurityFilter) -> None:
    """Add a filter, or write it in the place of the one with its id."""
    session.execute(delete(security_filters).where(security_filters.c.id == one.id))
    session.execute(security_filters.insert().values(id=one.id, version=one.version, body=_body(one)))


def remove(session: Session, filter_id: str) -> None:
    session.execute(delete(security_filters).where(security_filters.c.id == filter_id))


def add_version(session: Session, at: int) -> None:
    """Remember the filters as they are now."""
    filters = [_body(one) for one in load_all(session)]
    values = {"version": revision(session) + 1, "at": at, "filters": filters}
    session.execute(security_filter_versions.insert().values(values))


def revision(session: Session) -> int:
    """The version of the whole set; it rises with every change of any process."""
    return session.scalar(select(func.max(security_filter_versions.c.version))) or 0


def versions(session: Session) -> list[Configuration]:
    """Newest first."""
    table = security_filter_versions.c
    rows = session.execute(select(table.version, table.at, table.filters).order_by(table.version.desc()))
    return [Configuration(row.version, row.at, tuple(_read(body) for body in row.filters)) for row in rows]


def _body(one: SecurityFilter) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "query": one.query,
        "is_enabled": one.is_enabled,
        "is_builtin": one.is_builtin,
        "exclusion_filters": [{"name": exclusion.name, "query": exclusion.query} for exclusion in one.exclusions],
        "version": one.version,
    }


def _read(body: dict[str, Any]) -> SecurityFilter:
    return SecurityFilter(
        body["id"],
        body["name"],
        body["query"],
        body["is_enabled"],
        body["is_builtin"],
        tuple(Exclusion(given["name"], given["query"]) for given in body["exclusion_filters"]),
        body["version"],
    )
