"""Measures of groups of events.

A group is a path of keys, one for each field: `=` and the value's text form, or `-` for the events without a value. An
event with several values is in several groups; of one group it is counted once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.explore.grouping import GroupBy, Histogram
from tocsin.explore.measures import PERCENTILES, Compute
from tocsin.explore.repository import settings, table, where
from tocsin.explore.scope import Scope
from tocsin.query import Sql, field_number_sql, field_sql, parse_field
from tocsin.store.events import EventStore

Path = tuple[str, ...]

VALUE = "="
MISSING = "-"


@dataclass(frozen=True, slots=True)
class Group:
    """`bucket` is the start of a series' step in Unix milliseconds; a measure without any value is None."""

    path: Path
    measures: tuple[float | int | None, ...]
    bucket: int = 0


_GROUPS = """
SELECT {names}{measures}
FROM (SELECT {columns} FROM {table} WHERE {where}){within}
{group_by}{order}
"""


def groups(
    events: EventStore,
    scope: Scope,
    by: Sequence[GroupBy],
    computes: Sequence[Compute],
    parents: Sequence[Path] | None = None,
) -> list[Group]:
    """Groups below `parents` (all, if None), in the order and up to the limit of the last field, for each parent."""
    names = _names(by)
    columns = _columns(by, computes, scope)
    order = Sql("")
    if by:
        ordered, measure = _order(by[-1], names[-1], scope)
        columns += measure
        order = Sql.of(
            "ORDER BY {parents}{ordered}, {last} LIMIT {limit:UInt32}{each}",
            parents=Sql("".join(f"{name}, " for name in names[:-1])),
            ordered=ordered,
            last=Sql(names[-1]),
            limit=by[-1].limit,
            each=Sql(f" BY {', '.join(names[:-1])}" if len(names) > 1 else ""),
        )
    within = _within(names[: len(parents[0])], parents) if parents else Sql("")
    return _run(events, scope, names, columns, computes, within, order)


def series(
    events: EventStore,
    scope: Scope,
    by: Sequence[GroupBy],
    computes: Sequence[Compute],
    chosen: Sequence[Path],
    interval: int,
) -> list[Group]:
    """Measures of the chosen groups for each step of `interval` milliseconds that has events, in order of time."""
    names = _names(by)
    bucket = Sql(
        "toInt64(floor(toUnixTimestamp64Milli(timestamp) / {interval:Int64})) * {interval:Int64} AS bucket",
        {"interval": interval},
    )
    columns = [*_columns(by, computes, scope), bucket]
    within = _within(names, chosen) if by else Sql("")
    return _run(events, scope, [*names, "bucket"], columns, computes, within, Sql("ORDER BY bucket"))


def _run(
    events: EventStore,
    scope: Scope,
    names: Sequence[str],
    columns: Sequence[Sql],
    computes: Sequence[Compute],
    within: Sql,
    order: Sql,
) -> list[Group]:
    measures = [Sql(f"{_measure(compute, number)} AS c{number}") for number, compute in enumerate(computes)]
    sql = Sql.of(
        _GROUPS.strip(),
        names=Sql("".join(f"{name}, " for name in names)),
        measures=Sql.join(", ", [*measures, Sql("1 AS one")]),
        columns=Sql.join(", ", [*columns, Sql("1 AS row")], "c"),
        table=table(scope),
        where=where(scope),
        within=within,
        group_by=Sql(f"GROUP BY {', '.join(names)} " if names else ""),
        order=order,
    )
    keys = [name for name in names if name != "bucket"]
    return [
        Group(
            tuple(row[name] for name in keys),
            tuple(row[f"c{number}"] for number in range(len(computes))),
            row.get("bucket", 0),
        )
        for row in events.query(sql, settings=settings(scope))
    ]


def _names(by: Sequence[GroupBy]) -> list[str]:
    return [f"g{number}" for number in range(len(by))]


def _columns(by: Sequence[GroupBy], computes: Sequence[Compute], scope: Scope) -> list[Sql]:
    keys = [Sql.of(f"{{key}} AS g{number}", key=_key(each, scope)) for number, each in enumerate(by)]
    return keys + [
        Sql.of(f"{{source}} AS m{number}", source=_source(compute, scope)) for number, compute in enumerate(computes)
    ]


def _key(by: GroupBy, scope: Scope) -> Sql:
    found = _steps(by, by.histogram, scope) if by.histogram else field_sql(parse_field(by.field), scope.track)
    keys = Sql.of(f"arrayMap(x -> concat('{VALUE}', x), {{found}})", found=found)
    if by.missing is None:
        return Sql.of("arrayJoin({keys})", keys=keys)
    return Sql.of(f"arrayJoin(if(empty({{found}}), ['{MISSING}'], {{keys}}))", found=found, keys=keys)


def _steps(by: GroupBy, histogram: Histogram, scope: Scope) -> Sql:
    return Sql.of(
        "arrayDistinct(arrayMap(x -> toString({low:Float64} + floor((x - {low:Float64}) / {interval:Float64})"
        " * {interval:Float64}), arrayFilter(x -> x >= {low:Float64} AND x < {high:Float64}, {numbers})))",
        numbers=field_number_sql(parse_field(by.field), scope.track),
        low=histogram.low,
        high=histogram.high,
        interval=histogram.interval,
    )


def _source(compute: Compute, scope: Scope) -> Sql:
    """What a measure is computed of, for each event: an array of numbers, of texts, or nothing."""
    if compute.metric is None or compute.aggregation == "count":
        return Sql("0")
    field = parse_field(compute.metric)
    if compute.aggregation == "cardinality":
        return field_sql(field, scope.track)
    return field_number_sql(field, scope.track)


def _measure(compute: Compute, number: int | str) -> str:
    source = f"m{number}"
    if compute.aggregation == "count":
        return "count()"
    if compute.aggregation == "cardinality":
        return f"uniqExactArray({source})"
    if compute.aggregation in PERCENTILES:
        value = f"quantileExactInclusiveArray({PERCENTILES[compute.aggregation]})({source})"
    else:
        value = f"{compute.aggregation}Array({source})"
    return f"if(sum(length({source})) = 0, NULL, {value})"


def _order(by: GroupBy, name: str, scope: Scope) -> tuple[Sql, list[Sql]]:
    """The ordering, and the column that it needs. Groups without the measure come last."""
    direction = "DESC" if by.order.is_descending else "ASC"
    if by.order.measure is None:
        value = f"toFloat64OrNull(substring({name}, 2))" if by.histogram else name
        return Sql(f"{value} {direction} NULLS LAST"), []
    source = Sql.of("{source} AS morder", source=_source(by.order.measure, scope))
    return Sql(f"{_measure(by.order.measure, 'order')} {direction} NULLS LAST"), [source]


def _within(names: Sequence[str], paths: Sequence[Path]) -> Sql:
    """Only groups that begin with one of the paths. Paths that differ only in where a NUL stands are taken as one."""
    joined = f"concat({', '.join(f'{name}, char(0)' for name in names)})"
    return Sql(
        f" WHERE {joined} IN {{paths:Array(String)}}",
        {"paths": ["".join(f"{key}\0" for key in path) for path in paths]},
    )
