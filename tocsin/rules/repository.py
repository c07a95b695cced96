"""Rows of rules in the state store."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from tocsin.rules.tables import rule_versions, rules
from tocsin.store import settings

REVISION = "rules_revision"
"""Setting that rises with every change of any rule, so that other processes see that they must look again."""

PART = 500
"""Rules that one statement names."""


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule as it is kept: `body` is the API's answer, `shipped` what came with Tocsin, None for custom rules."""

    id: str
    version: int
    body: dict[str, Any]
    shipped: dict[str, Any] | None = None

    @property
    def is_default(self) -> bool:
        return self.shipped is not None


@dataclass(frozen=True, slots=True)
class VersionRow:
    version: int
    at: int
    body: dict[str, Any]
    changes: list[dict[str, str]]


def load(session: Session, rule_id: str) -> RuleRow | None:
    row = session.execute(_SELECT.where(rules.c.id == rule_id)).first()
    return None if row is None else RuleRow(*row)


def load_all(session: Session) -> list[RuleRow]:
    return [RuleRow(*row) for row in session.execute(_SELECT.order_by(rules.c.id))]


def numbers(session: Session) -> list[tuple[str, int]]:
    """The id and version of every rule, by id."""
    return [(rule_id, version) for rule_id, version in session.execute(_NUMBERS)]


def load_some(session: Session, rule_ids: Sequence[str]) -> list[RuleRow]:
    """Those of these rules that there are."""
    parts = (rule_ids[start : start + PART] for start in range(0, len(rule_ids), PART))
    return [RuleRow(*row) for part in parts for row in session.execute(_SELECT.where(rules.c.id.in_(part)))]


def save(session: Session, row: RuleRow, changes: list[dict[str, str]], at: int) -> None:
    """Write a rule and remember this version of it."""
    session.execute(delete(rules).where(rules.c.id == row.id))
    session.execute(
        rules.insert().values(
            id=row.id, version=row.version, is_default=row.is_default, body=row.body, shipped=row.shipped
        )
    )
    session.execute(
        rule_versions.insert().values(rule_id=row.id, version=row.version, at=at, body=row.body, changes=changes)
    )
    _advance(session, at)


def remove(session: Session, rule_id: str, at: int) -> None:
    """Delete a rule; its versions stay."""
    session.execute(delete(rules).where(rules.c.id == rule_id))
    _advance(session, at)


def id_was_used(session: Session, rule_id: str) -> bool:
    """Whether any rule, deleted ones included, has had this id."""
    used = select(rule_versions.c.version).where(rule_versions.c.rule_id == rule_id).limit(1)
    return session.execute(used).first() is not None


def versions(session: Session, rule_id: str, limit: int, offset: int) -> tuple[int, list[VersionRow]]:
    """How many versions there are, and a page of them, latest first."""
    table = rule_versions.c
    count = session.scalar(select(func.count()).select_from(rule_versions).where(table.rule_id == rule_id)) or 0
    rows = session.execute(
        select(table.version, table.at, table.body, table.changes)
        .where(table.rule_id == rule_id)
        .order_by(table.version.desc())
        .limit(limit)
        .offset(offset)
    )
    return count, [VersionRow(*row) for row in rows]


def switches(session: Session, rule_ids: Sequence[str]) -> dict[str, list[tuple[int, bool]]]:
    """From when on (Unix milliseconds) each rule was enabled or not: one entry for each change, in order."""
    table = rule_versions.c
    found: dict[str, list[tuple[int, bool]]] = {rule_id: [] for rule_id in rule_ids}
    rows = session.execute(
        select(table.rule_id, table.at, table.body)
        .where(table.rule_id.in_(rule_ids))
        .order_by(table.rule_id, table.version)
    )
    for rule_id, at, body in rows:
        is_enabled = bool(body.get("isEnabled", True))
        if not found[rule_id] or found[rule_id][-1][1] != is_enabled:
            found[rule_id].append((at, is_enabled))
    return found


def version(session: Session, rule_id: str, number: int) -> VersionRow | None:
    table = rule_versions.c
    row = session.execute(
        select(table.version, table.at, table.body, table.changes).where(
            table.rule_id == rule_id, table.version == number
        )
    ).first()
    return None if row is None else VersionRow(*row)


def revision(session: Session) -> int:
    return int(settings.get(session, REVISION, 0))


def _advance(session: Session, at: int) -> None:
    settings.put(session, REVISION, revision(session) + 1, at)


_NUMBERS = select(rules.c.id, rules.c.version).order_by(rules.c.id)
_SELECT = select(rules.c.id, rules.c.version, rules.c.body, rules.c.shipped)
