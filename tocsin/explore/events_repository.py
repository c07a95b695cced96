"""Reading events in an order, a page at a time.

A page is read in two steps, the keys and then the rows: an order by any field looks at all events of the scope, and
most of an event's bytes are in the document that only the page needs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tocsin.explore.cursor import Key
from tocsin.explore.repository import settings, table, where
from tocsin.explore.scope import Scope
from tocsin.explore.sorting import Sort
from tocsin.query import LOGS, Sql, field_sql, parse_field
from tocsin.store.events import EventStore

Column = tuple[str, Sql, str, bool]
"""Alias, expression, parameter type, whether it descends."""

_KEYS = "SELECT {key} FROM {table} WHERE {where}{after} ORDER BY {order} LIMIT {limit:UInt32}"

_ROWS = """SELECT {columns} FROM {table}
WHERE timestamp >= fromUnixTimestamp64Milli({first:Int64}, 'UTC')
  AND timestamp <= fromUnixTimestamp64Milli({last:Int64}, 'UTC') AND id IN {ids:Array(String)}"""

_COUNT = "SELECT count() AS n FROM {table} WHERE {where}{later}"

_ONE = "SELECT {columns} FROM {table} WHERE id = {id:String}{near} LIMIT 1"


def keys(events: EventStore, scope: Scope, sort: Sort, after: Key | None, limit: int) -> list[Key]:
    """Sort keys of at most `limit` events in order, behind `after`; a key ends in time and id."""
    columns = _columns(sort, scope)
    named = [Sql.of("{value} AS {name}", value=value, name=Sql(name)) for name, value, _, _ in columns]
    order = ", ".join(f"{name} {'DESC' if descending else 'ASC'}" for name, _, _, descending in columns)
    if sort.is_by_time:  # as the table is sorted, so that the engine reads no further than the page
        direction = "DESC" if sort.is_descending else "ASC"
        order = f"timestamp {direction}, id {direction}"
    sql = Sql.of(
        _KEYS,
        key=Sql.join(", ", named, "k"),
        table=table(scope),
        where=where(scope),
        after=_behind(columns, sort, after) if after else Sql(""),
        order=Sql(order),
        limit=limit,
    )
    return [
        tuple(float(row[name]) if kind == "Float64" else row[name] for name, _, kind, _ in columns)
        for row in events.query(sql, settings=settings(scope))
    ]


def rows(events: EventStore, scope: Scope, columns: Sequence[str], wanted: Sequence[Key]) -> list[Mapping[str, Any]]:
    """The rows of these keys, in their order; without those that went away in between."""
    if not wanted:
        return []
    times = [int(key[-2]) for key in wanted]
    sql = Sql.of(
        _ROWS,
        columns=_listed(columns),
        table=table(scope),
        first=min(times),
        last=max(times),
        ids=[key[-1] for key in wanted],
    )
    found = {row["id"]: row for row in events.query(sql, settings=settings(scope))}
    return [found[key[-1]] for key in wanted if key[-1] in found]


def one(
    events: EventStore, scope: Scope, columns: Sequence[str], event_id: str, at: int | None
) -> list[dict[str, Any]]:
    """The event of that id, or none; `at` is its time where the id tells it, which saves looking everywhere."""
    near = (
        Sql(" AND timestamp = fromUnixTimestamp64Milli({at:Int64}, 'UTC')", {"at": at}) if at is not None else Sql("")
    )
    sql = Sql.of(_ONE, columns=_listed(columns), table=table(scope), id=event_id, near=near)
    return events.query(sql, settings=settings(scope))


def count(events: EventStore, scope: Scope, ingested_after: int | None) -> int:
    """Events of the scope; with `ingested_after` (Unix milliseconds) those that arrived later."""
    later = Sql("")
    if ingested_after is not None:
        later = Sql(" AND ingested_at > fromUnixTimestamp64Milli({after:Int64}, 'UTC')", {"after": ingested_after})
    sql = Sql.of(_COUNT, table=table(scope), where=where(scope), later=later)
    (row,) = events.query(sql, settings=settings(scope))
    return int(row["n"])


def _listed(columns: Sequence[str]) -> Sql:
    return Sql(", ".join(f"`{column}`" for column in columns))


def _columns(sort: Sort, scope: Scope) -> list[Column]:
    columns = [] if sort.is_by_time else _field_columns(sort, scope)
    columns += [
        (Sql("toUnixTimestamp64Milli(timestamp)"), "Int64", sort.is_descending),
        (Sql("id"), "String", sort.is_descending),
    ]
    return [(f"key{number}", *column) for number, column in enumerate(columns)]


def _field_columns(sort: Sort, scope: Scope) -> list[tuple[Sql, str, bool]]:
    """Missing last; then numbers by value before texts by code point. Of several values the first in that order."""
    values = field_sql(parse_field(sort.field), scope.track)
    if sort.field == "status":
        ranks = list(scope.track.statuses or LOGS.statuses)
        chosen = Sql.of("{values}[1]", values=values)
        number = Sql.of("toFloat64(indexOf({ranks:Array(String)}, {chosen}))", ranks=ranks, chosen=chosen)
        is_text = Sql("0")
    else:
        chosen = Sql.of(
            "arraySort(x -> (toFloat64OrNull(x) IS NULL, ifNull(toFloat64OrNull(x), 0), x), {values})[{place:Int8}]",
            values=values,
            place=-1 if sort.is_descending else 1,
        )
        number = Sql.of("ifNull(toFloat64OrNull({chosen}), 0)", chosen=chosen)
        is_text = Sql.of("toFloat64OrNull({chosen}) IS NULL", chosen=chosen)
    return [
        (Sql.of("toUInt8(empty({values}))", values=values), "UInt8", False),
        (Sql.of("toUInt8({is_text})", is_text=is_text), "UInt8", sort.is_descending),
        (number, "Float64", sort.is_descending),
        (chosen, "String", sort.is_descending),
    ]


def _behind(columns: Sequence[Column], sort: Sort, after: Key) -> Sql:
    """Strictly behind a key: for some column behind, with all columns before it equal."""
    if sort.is_by_time:
        return Sql.of(
            " AND timestamp {towards} fromUnixTimestamp64Milli({time:Int64}, 'UTC')"
            " AND (timestamp != fromUnixTimestamp64Milli({time:Int64}, 'UTC') OR id {behind} {id:String})",
            towards=Sql("<=" if sort.is_descending else ">="),
            behind=Sql("<" if sort.is_descending else ">"),
            time=after[0],
            id=after[1],
        )
    alternatives = []
    for number, (name, _, kind, descending) in enumerate(columns):
        equal = [
            Sql(f"{before} = {{value:{before_kind}}}", {"value": after[place]})
            for place, (before, _, before_kind, _) in enumerate(columns[:number])
        ]
        behind = Sql(f"{name} {'<' if descending else '>'} {{value:{kind}}}", {"value": after[number]})
        alternatives.append(Sql.of("({all})", all=Sql.join(" AND ", [*equal, behind])))
    return Sql.of(" AND ({alternatives})", alternatives=Sql.join(" OR ", alternatives))
