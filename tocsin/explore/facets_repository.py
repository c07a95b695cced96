"""Counting the values of a field."""

from dataclasses import dataclass
from typing import Any

from tocsin.explore.repository import settings, table, where
from tocsin.explore.scope import Scope
from tocsin.explore.values_repository import several, single, stored_column
from tocsin.query import Field, Sql
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


# `base` counts every event once, `folded` once each event that has its values in a list.
_OF_COLUMN = """
SELECT nullIf(toString(value), '') AS value, n, n AS base, 0 AS folded
FROM (SELECT {column} AS value, count() AS n FROM {table} WHERE {where} GROUP BY value)
"""
_OF_LIST = """
SELECT NULL AS value, count() AS n, count() AS base, 0 AS folded FROM {table} WHERE {where}
UNION ALL
SELECT value, count() AS n, 0 AS base, countIf(place = 1) AS folded
FROM (SELECT {several} AS found FROM {table} WHERE {where})
ARRAY JOIN found AS value, arrayEnumerate(found) AS place
WHERE notEmpty(found) GROUP BY value
"""
# Events with one value are grouped by it, those with several are unfolded and are among the NULLs of the first branch:
# unfolding a list of one for each event takes twice the time.
_OF_ATTRIBUTE = """
SELECT value, count() AS n, count() AS base, 0 AS folded
FROM (SELECT {single} AS value FROM {table} WHERE {where}) GROUP BY value
UNION ALL
SELECT value, count() AS n, 0 AS base, countIf(place = 1) AS folded
FROM (SELECT {several} AS found FROM {table} WHERE {where})
ARRAY JOIN found AS value, arrayEnumerate(found) AS place
WHERE notEmpty(found) GROUP BY value
"""

_FACET = """
SELECT value, sum(n) AS n, value IS NOT NULL AND {kept} AS is_kept,
  sum(sum(base)) OVER () AS total, sum(is_kept) OVER () AS distinct,
  sum(if(value IS NULL, sum(base), 0)) OVER () AS unvalued, sum(sum(folded)) OVER () AS folded
FROM ({values}) GROUP BY value ORDER BY is_kept DESC, n DESC, value LIMIT {limit:UInt32}
"""


def facet(
    events: EventStore, scope: Scope, field: Field, limit: int, containing: str = "", limits: Limits | None = None
) -> FacetCounts:
    """`containing` keeps only values with that text in them, case ignored; `distinct` then counts those."""
    kept = Sql("true")
    if containing:
        kept = Sql("positionCaseInsensitiveUTF8(ifNull(value, ''), {text:String}) > 0", {"text": containing})
    sql = Sql.of(_FACET, values=counted_values(scope, field), kept=kept, limit=max(limit, 1))
    rows = events.query(sql, limits, settings(scope))
    if not rows:
        return FacetCounts([], 0, 0, 0)
    return _counts(rows, limit)


def counted_values(scope: Scope, field: Field) -> Sql:
    """Rows `value, n, base, folded`, not yet added up."""
    if column := stored_column(field, scope.track):
        return Sql.of(_OF_COLUMN.strip(), column=column, table=table(scope), where=where(scope))
    return Sql.of(
        (_OF_ATTRIBUTE if field.kind is FieldKind.ATTRIBUTE else _OF_LIST).strip(),
        single=single(field, scope.track),
        several=several(field, scope.track),
        table=table(scope),
        where=where(scope),
    )


def _counts(rows: list[dict[str, Any]], limit: int) -> FacetCounts:
    first = rows[0]
    return FacetCounts(
        [(row["value"], row["n"]) for row in rows[:limit] if row["is_kept"]],
        first["distinct"],
        first["unvalued"] - first["folded"],
        first["total"],
    )
