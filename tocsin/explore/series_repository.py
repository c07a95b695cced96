"""Counting events over time."""

from dataclasses import dataclass, field

from tocsin.explore.repository import settings, table, where
from tocsin.explore.scope import Scope
from tocsin.explore.values_repository import stored_column
from tocsin.query import Field, Sql, field_several_sql, field_single_sql
from tocsin.query.tree import FieldKind
from tocsin.store.events import EventStore


@dataclass(slots=True)
class Bar:
    """One bucket: its start in Unix milliseconds, its events, and of these how many have each of the top values."""

    time: int
    count: int = 0
    by: dict[str, int] = field(default_factory=dict)


_BUCKET = "intDiv(toUnixTimestamp64Milli(timestamp) - {origin:Int64}, {interval:Int64})"

_PLAIN = f"SELECT {_BUCKET} AS bucket, count() AS base FROM {{table}} WHERE {{where}} GROUP BY bucket"

_BY_SINGLE = f"""
SELECT {_BUCKET} AS bucket, value, count() AS n, count() AS base
FROM (SELECT timestamp, {{single}} AS value FROM {{table}} WHERE {{where}}) GROUP BY bucket, value
"""

_BY_BOTH = f"""{_BY_SINGLE.rstrip()}
UNION ALL
SELECT {_BUCKET} AS bucket, value, count() AS n, 0 AS base
FROM (SELECT timestamp, {{several}} AS found FROM {{table}} WHERE {{where}})
ARRAY JOIN found AS value WHERE notEmpty(found) GROUP BY bucket, value
"""

_BY_COLUMN = f"""
SELECT bucket, nullIf(toString(value), '') AS value, n, n AS base FROM (
  SELECT {_BUCKET} AS bucket, {{column}} AS value, count() AS n FROM {{table}} WHERE {{where}} GROUP BY bucket, value)
"""

_TOP = """
SELECT bucket, if(rank <= {limit:UInt32}, value, NULL) AS shown, sum(n) AS n, sum(base) AS base FROM (
  SELECT bucket, value, n, base, dense_rank() OVER (ORDER BY value IS NULL, total DESC, value) AS rank FROM (
    SELECT bucket, value, n, base, sum(n) OVER (PARTITION BY value) AS total FROM ({values})))
GROUP BY bucket, shown
"""


def bars(
    events: EventStore, scope: Scope, origin: int, interval: int, by: Field | None = None, limit: int = 10
) -> dict[int, Bar]:
    """The buckets that hold events, by number from `origin` (Unix milliseconds) in steps of `interval`.

    `by` splits each by the `limit` most frequent values of the whole scope.
    """
    steps = {"origin": origin, "interval": interval}
    if by is None:
        sql = Sql.of(_PLAIN, table=table(scope), where=where(scope), **steps)
    else:
        sql = Sql.of(_TOP.strip(), values=_counted(scope, by, steps), limit=limit)
    result: dict[int, Bar] = {}
    for row in events.query(sql, settings=settings(scope)):
        number = row["bucket"]
        bar = result.setdefault(number, Bar(origin + number * interval))
        bar.count += row["base"]
        if row.get("shown") is not None:
            bar.by[row["shown"]] = row["n"]
    return result


def _counted(scope: Scope, by: Field, steps: dict[str, int]) -> Sql:
    """Rows `bucket, value, n, base`, as in `facets_repository`."""
    if column := stored_column(by, scope.track):
        return Sql.of(_BY_COLUMN.strip(), column=column, table=table(scope), where=where(scope), **steps)
    is_single = by.kind is FieldKind.ATTRIBUTE and not scope.shapes.may_be_list(by)
    return Sql.of(
        (_BY_SINGLE if is_single else _BY_BOTH).strip(),
        single=field_single_sql(by, scope.track),
        several=field_several_sql(by, scope.track),
        table=table(scope),
        where=where(scope),
        **steps,
    )
