"""Counting the values of a field."""

from dataclasses import dataclass
from typing import Any

from tocsin.explore.repository import settings, table, where
from tocsin.explore.scope import Scope
from tocsin.explore.values_repository import list_column, single_value, stored_column
from tocsin.query import Field, Sql, field_several_sql
from tocsin.query.tree import FieldKind
from tocsin.store.events import EventStore, Limits


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """The most frequent values with the number of events that have them; how many values, how many events without any.

    An event with two values counts for both, so the counts may add up to more than `total`, the number of events.
    """

    values: list[tuple[str, int]]
    distinct: int
    missing: int
    total: int


# Rows `value, n, base, absent`: events with the value; every event once; events without any value.
_OF_COLUMN = """
SELECT toString(stored) AS value, if(stored = '', 0, found) AS n, found AS base, if(stored = '', found, 0) AS absent
FROM (SELECT {column} AS stored, count() AS found FROM {table} WHERE {where} GROUP BY stored)
"""
# Few combinations of tags make up all events, so the lists are unfolded once for each and not for each event.
_OF_LIST = """
SELECT value, sumIf(found, place > 0) AS n, sumIf(found, place < 2) AS base, toInt64(sumIf(found, place = 0)) AS absent
FROM (SELECT {several} AS list, found FROM (
  SELECT {column}, count() AS found FROM {table} WHERE {where} GROUP BY {column}))
LEFT ARRAY JOIN list AS value, arrayEnumerate(list) AS place GROUP BY value
"""
_OF_SINGLE = """
SELECT ifNull(toString(single), '') AS value, if(isNull(single), 0, found) AS n, found AS base,
  toInt64(if(isNull(single), found, 0)) AS absent
FROM (SELECT single, count() AS found FROM (SELECT {single} AS single FROM {table} WHERE {where}) GROUP BY single)
"""
# Events with several values have no single one: the second branch takes them off the absent of the first.
_OF_BOTH = f"""{_OF_SINGLE.rstrip()}
UNION ALL
SELECT value, count() AS n, 0 AS base, -toInt64(countIf(place = 1)) AS absent
FROM (SELECT {{several}} AS found FROM {{table}} WHERE {{where}})
ARRAY JOIN found AS value, arrayEnumerate(found) AS place
WHERE notEmpty(found) GROUP BY value
"""

_FACET = """
SELECT value, sum(n) AS n, n > 0 AND {kept} AS is_kept, sum(is_kept) OVER () AS distinct,
  sum(sum(base)) OVER () AS total, sum(sum(absent)) OVER () AS missing
FROM ({values}) GROUP BY value ORDER BY is_kept DESC, n DESC, value LIMIT {limit:UInt32}
"""


def facet(
    events: EventStore, scope: Scope, field: Field, limit: int, containing: str = "", limits: Limits | None = None
) -> FacetCounts:
    """`containing` keeps only values with that text in them, case ignored; `distinct` then counts those."""
    kept = Sql("true")
    if containing:
        kept = Sql("positionCaseInsensitiveUTF8(value, {text:String}) > 0", {"text": containing})
    sql = Sql.of(_FACET, values=counted_values(scope, field), kept=kept, limit=max(limit, 1))
    rows = events.query(sql, limits, settings(scope))
    if not rows:
        return FacetCounts([], 0, 0, 0)
    return _counts(rows, limit)


def counted_values(scope: Scope, field: Field) -> Sql:
    """Rows `value, n, base, absent`, not yet added up."""
    if column := stored_column(field, scope.track):
        if column.text != field.name:  # a time: never absent
            column = Sql.of("toString({column})", column=column)
        return Sql.of(_OF_COLUMN.strip(), column=column, table=table(scope), where=where(scope))
    if field.kind is not FieldKind.ATTRIBUTE:
        template = _OF_LIST
    else:
        template = _OF_BOTH if scope.shapes.may_be_list(field) else _OF_SINGLE
    return Sql.of(
        template.strip(),
        single=single_value(field, scope),
        several=field_several_sql(field, scope.track),
        column=Sql(list_column(field, scope.track)),
        table=table(scope),
        where=where(scope),
    )


def _counts(rows: list[dict[str, Any]], limit: int) -> FacetCounts:
    first = rows[0]
    values = [(row["value"], row["n"]) for row in rows[:limit] if row["is_kept"]]
    return FacetCounts(values, first["distinct"], first["missing"], first["total"])
