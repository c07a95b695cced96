"""Facets, bars and measures against plain Python over the same events, on every store (style: decide purely)."""

import itertools
import math
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.event import Event
from tocsin.explore.grouping import GroupBy, Order
from tocsin.explore.measures import AGGREGATIONS, Compute
from tocsin.explore.service import ExploreService, Filter
from tocsin.explore.sorting import Sort
from tocsin.query import LOGS, field_values, parse, parse_field, to_predicate
from tocsin.query.values import text_of
from tocsin.store.events import EventStore
from tocsin.store.rows import encode_event

NOW = 1_795_000_000_000
SPAN = 3_600_000

_scalars = st.one_of(
    st.sampled_from(["a", "b", "B", "", "10", "9", "1.5", "ü"]),
    st.integers(-3, 3),
    st.sampled_from([0.5, 1.5, -2.25, 2**53]),
    st.booleans(),
)
_values = st.one_of(
    _scalars, st.lists(_scalars, max_size=3), st.lists(st.fixed_dictionaries({"x": _scalars}), max_size=2)
)
_events = st.lists(
    st.fixed_dictionaries(
        {
            "offset": st.integers(0, 20).map(lambda step: step * (SPAN // 20)),
            "status": st.sampled_from(["error", "info", "warn", "ok"]),
            "host": st.sampled_from([None, "web-1", "web-2"]),
            "tags": st.lists(
                st.sampled_from(["env:prod", "env:test", "env:a:b", "bare", "team:x"]), max_size=3, unique=True
            ),
            "attributes": st.dictionaries(st.sampled_from(["k", "n"]), _values, max_size=2),
        }
    ),
    max_size=12,
)
_queries = st.sampled_from(
    ["*", "status:error", "-@k:a", "@n:>=0", "env:prod OR host:web-1", "@k.x:*", "_missing_:host"]
)
_fields = st.sampled_from(["status", "host", "env", "tags", "@k", "@n", "@k.x", "team", "timestamp", "@nothing"])

_tests = itertools.count()


@pytest.fixture
def load(event_store: EventStore) -> Any:
    """Puts events into a time of their own, so that examples need no empty table."""

    def put(rows: Sequence[dict[str, Any]]) -> tuple[ExploreService, int, list[Event]]:
        start = NOW + next(_tests) * 10 * SPAN
        events = [
            Event(
                id=f"e{number:04d}",
                timestamp=start + row["offset"],
                ingested_at=start,
                **{name: row[name] for name in ("status", "host", "tags", "attributes")},
            )
            for number, row in enumerate(rows)
        ]
        event_store.insert("logs", b"\n".join(encode_event(event) for event in events), len(events))
        return ExploreService(event_store, lambda: start), start, events

    return put


def texts(event: Event, field: str) -> list[str]:
    """The reference of what values a facet counts for an event."""
    return sorted({text_of(value) for value in field_values(event, parse_field(field), LOGS)})


def numbers(event: Event, field: str) -> list[float]:
    found = set()
    for text in texts(event, field):
        try:
            found.add(float(text))
        except ValueError:
            continue
    return [number for number in found if math.isfinite(number)]


def matching(events: Sequence[Event], query: str) -> list[Event]:
    predicate = to_predicate(parse(query), LOGS)
    return [event for event in events if predicate(event)]


def scope(service: ExploreService, start: int, query: str) -> Any:
    return service.scope("logs", Filter(query, start, start + SPAN + 1))


_settings = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@given(rows=_events, query=_queries, field=_fields)
@_settings
def test_facets(load: Any, rows: Any, query: str, field: str) -> None:
    service, start, events = load(rows)
    found = matching(events, query)
    counts = Counter(text for event in found for text in texts(event, field))
    answer = service.facets(scope(service, start, query), [field], 5)
    facet = answer.facets[field]
    assert facet.values == sorted(counts.items(), key=lambda item: (-item[1], item[0].encode()))[:5]
    assert (facet.distinct, answer.total) == (len(counts), len(found))
    assert facet.missing == sum(not texts(event, field) for event in found)
    inside = service.facets(scope(service, start, query), [field], 5, (field, "A")).facets[field]
    kept = {value: count for value, count in counts.items() if "a" in value.lower()}
    assert (dict(inside.values), inside.distinct, inside.missing) == (kept, len(kept), facet.missing)


@given(rows=_events, query=_queries, field=_fields)
@_settings
def test_bars(load: Any, rows: Any, query: str, field: str) -> None:
    service, start, events = load(rows)
    found = matching(events, query)
    answer = service.timeseries(scope(service, start, query), 10, None, field)
    assert answer.total == len(found)
    for bar in answer.bars:
        inside = [event for event in found if bar.time <= event.timestamp < bar.time + answer.interval_ms]
        assert bar.count == len(inside)
        assert bar.by == Counter(text for event in inside for text in texts(event, field))


@given(rows=_events, query=_queries, field=_fields, descending=st.booleans(), limit=st.integers(1, 4))
@_settings
def test_pages_in_any_order_hold_every_event_once(
    load: Any, rows: Any, query: str, field: str, descending: bool, limit: int
) -> None:
    service, start, events = load(rows)
    for by in (field, "timestamp"):
        cursor, seen = None, []
        while True:
            page = service.search(scope(service, start, query), Sort(by, descending), limit, cursor)
            seen += [event["id"] for event in page.events]
            cursor = page.after
            if cursor is None:
                break
        assert seen == ordered(matching(events, query), by, descending)


def ordered(events: Sequence[Event], field: str, descending: bool) -> list[str]:
    """Missing last; numbers before texts; ties by time and id; all but the first turned round when descending."""

    def number(text: str) -> float | None:
        try:
            value = float(text)
        except ValueError:
            return None
        return value if text == text.strip() else None

    def of_value(text: str) -> tuple[Any, ...]:
        if field == "status":
            ranks = LOGS.statuses
            return (0, ranks.index(text) + 1 if text in ranks else 0, text.encode())
        value = number(text)
        return (value is None, value or 0.0, text.encode())

    def key(event: Event) -> tuple[Any, ...]:
        values = [of_value(text) for text in texts(event, field)] if field != "timestamp" else []
        chosen = (max(values) if descending else min(values)) if values else (0, 0.0, b"")
        return (*chosen, event.timestamp, event.id)

    has = [event for event in events if field == "timestamp" or texts(event, field)]
    has_not = [event for event in events if event not in has]
    return [event.id for part in (has, has_not) for event in sorted(part, key=key, reverse=descending)]


@given(
    rows=_events,
    query=_queries,
    metric=st.sampled_from(["@k", "@n", "@k.x", "host"]),
    by=st.lists(_fields, max_size=2, unique=True),
    aggregation=st.sampled_from(AGGREGATIONS),
)
@_settings
def test_measures(load: Any, rows: Any, query: str, metric: str, by: list[str], aggregation: str) -> None:
    service, start, events = load(rows)
    groups: dict[tuple[str, ...], list[Event]] = {}
    for event in matching(events, query):
        for path in itertools.product(*(texts(event, field) or ["(none)"] for field in by)):
            groups.setdefault(path, []).append(event)
    if not by:
        groups.setdefault((), [])
    asked = [GroupBy(field, 100, Order(None, False), missing="(none)") for field in by]
    computes = [Compute(aggregation, metric), Compute(aggregation, metric, 600_000)]
    answer = service.aggregate(scope(service, start, query), computes, asked)
    assert {tuple(bucket.by[field] for field in by) for bucket in answer} == set(groups)
    for bucket in answer:
        group = groups[tuple(str(bucket.by[field]) for field in by)]
        assert bucket.computes.get("c0") == measure(group, aggregation, metric)
        steps = {(event.timestamp // 600_000) * 600_000 for event in group}
        expected = [
            (step, value)
            for step in sorted(steps)
            if (value := measure([e for e in group if e.timestamp // 600_000 * 600_000 == step], aggregation, metric))
            is not None
        ]
        points = bucket.computes["c1"]
        assert isinstance(points, list)
        assert [(point.time, point.value) for point in points] == expected


def measure(events: Sequence[Event], aggregation: str, metric: str) -> Any:
    if aggregation == "count":
        return len(events)
    if aggregation == "cardinality":
        return len({text for event in events for text in texts(event, metric)})
    found = sorted(number for event in events for number in numbers(event, metric))
    if not found:
        return None
    if aggregation in ("sum", "min", "max"):
        return pytest.approx({"sum": sum, "min": min, "max": max}[aggregation](found))
    if aggregation == "avg":
        return pytest.approx(statistics.fmean(found))
    share = 0.5 if aggregation == "median" else int(aggregation[2:]) / 100
    place = share * (len(found) - 1)
    below = math.floor(place)
    above = min(below + 1, len(found) - 1)
    return pytest.approx(found[below] + (found[above] - found[below]) * (place - below))


def test_a_limit_holds_within_each_outer_group(load: Any) -> None:
    rows = [
        {"offset": 0, "status": status, "host": host, "tags": [], "attributes": {}}
        for status, hosts in (("error", ["a", "a", "b", "c"]), ("info", ["c", "c", "c", "d", "d", "a"]))
        for host in hosts
    ]
    service, start, _ = load(rows)
    answer = service.aggregate(scope(service, start, "*"), [Compute()], [GroupBy("status", 5), GroupBy("host", 2)])
    assert [(bucket.by["status"], bucket.by["host"], bucket.computes["c0"]) for bucket in answer] == [
        ("info", "c", 3),
        ("info", "d", 2),
        ("error", "a", 2),
        ("error", "b", 1),
    ]


def test_a_snapshot_leaves_out_what_arrived_later(load: Any, event_store: EventStore) -> None:
    row = {"offset": 0, "status": "info", "host": None, "tags": [], "attributes": {}}
    service, start, _ = load([row] * 3)
    before = service.facets(scope(service, start, "*"), ["status"])
    late = Event(id="late", timestamp=start + 5, ingested_at=start + 1)
    event_store.insert("logs", encode_event(late), 1)
    held = service.scope("logs", Filter("*", start, start + SPAN, before.snapshot))
    assert (before.snapshot, before.total) == (start, 3)
    assert service.facets(held, ["status"]).total == service.count(held).count == service.timeseries(held).total == 3
    assert len(service.search(held).events) == 3
    now = service.facets(scope(service, start, "*"), ["status"])
    assert (now.snapshot, now.total) == (start + 1, 4)
    assert service.count(scope(service, start, "*"), start).count == 1
