"""Aggregations: measures over all events of a scope, over groups of them, and over time (api.md §3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.errors import BadRequest
from tocsin.explore.aggregates_repository import MISSING, Group, Path, groups, series
from tocsin.explore.grouping import MAX_FIELDS, MAX_GROUPS, GroupBy, Value
from tocsin.explore.measures import Compute
from tocsin.explore.scope import Scope
from tocsin.store.events import EventStore

MAX_STEPS = 10_000


@dataclass(frozen=True, slots=True)
class Point:
    """One step of a series; `time` in Unix milliseconds."""

    time: int
    value: float | int


@dataclass(frozen=True, slots=True)
class Bucket:
    """A group: the value of each field, and each measure by its name (`c0`, `c1`, …); absent where there is none."""

    by: dict[str, Value]
    computes: dict[str, float | int | list[Point]]


def aggregate(events: EventStore, scope: Scope, computes: Sequence[Compute], by: Sequence[GroupBy]) -> list[Bucket]:
    """Buckets in the order of the fields' orders, outermost first; totals after them."""
    if len(by) > MAX_FIELDS:
        raise BadRequest(f"an aggregation groups by at most {MAX_FIELDS} fields")
    for compute in computes:
        if compute.interval_ms and (scope.end - scope.start) / compute.interval_ms > MAX_STEPS:
            raise BadRequest(f"a time series has at most {MAX_STEPS:,} steps: use a larger interval")
    buckets = _buckets(events, scope, computes, by)
    for each in by:
        if each.total is not None:
            for bucket in _buckets(events, scope, computes, [other for other in by if other is not each]):
                buckets.append(Bucket({each.field: each.total} | bucket.by, bucket.computes))
    return buckets


def _buckets(events: EventStore, scope: Scope, computes: Sequence[Compute], by: Sequence[GroupBy]) -> list[Bucket]:
    plain = {number: compute for number, compute in enumerate(computes) if compute.interval_ms is None}
    found = _groups(events, scope, list(plain.values()), by)
    values: dict[Path, dict[str, float | int | list[Point]]] = {
        group.path: {
            f"c{number}": value for number, value in zip(plain, group.measures, strict=True) if value is not None
        }
        for group in found
    }
    for interval in {compute.interval_ms for compute in computes if compute.interval_ms}:
        timed = {number: compute for number, compute in enumerate(computes) if compute.interval_ms == interval}
        for path in values:
            values[path] |= {f"c{number}": [] for number in timed}
        if not values:
            continue
        for step in series(events, scope, by, list(timed.values()), list(values), interval):
            for number, value in zip(timed, step.measures, strict=True):
                points = values[step.path][f"c{number}"] if step.path in values else None
                if isinstance(points, list) and value is not None:
                    points.append(Point(step.bucket, value))
    return [
        Bucket(
            {each.field: _value(each, key) for each, key in zip(by, path, strict=True)},
            {name: measures[name] for name in (f"c{number}" for number in range(len(computes))) if name in measures},
        )
        for path, measures in values.items()
    ]


def _groups(events: EventStore, scope: Scope, computes: Sequence[Compute], by: Sequence[GroupBy]) -> list[Group]:
    """Level by level, so that a limit holds within each group of the fields before, and the order is nested."""
    if not by:
        return groups(events, scope, by, computes)
    found: list[Group] = [Group((), ())]
    for level in range(1, len(by) + 1):
        parents = None if level == 1 else [group.path for group in found]
        below: dict[Path, list[Group]] = {group.path: [] for group in found}
        for group in groups(events, scope, by[:level], computes if level == len(by) else (), parents):
            below.get(group.path[:-1], []).append(group)
        found = [group for children in below.values() for group in children]
        if not found:
            return []
        if len(found) > MAX_GROUPS:
            raise BadRequest(f"the aggregation has more than {MAX_GROUPS:,} groups: lower the limits of its group_by")
    return found


def _value(by: GroupBy, key: str) -> Value:
    if key == MISSING and by.missing is not None:
        return by.missing
    return float(key[1:]) if by.histogram else key[1:]
