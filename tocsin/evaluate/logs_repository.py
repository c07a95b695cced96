"""What a replay asks of the stored logs: the events that a rule's queries find, in the order of event time.

Three statements: the events as they are, from which the matcher itself makes matches; for plain queries only the values
that matches consist of, which is ten times cheaper; and the scopes and times at which a threshold can be reached at
all (`prospects.py`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tocsin.evaluate.evaluator import LATE_MS
from tocsin.evaluate.prospects import AtLeast, Bound, Every
from tocsin.event import BACKFILL_TAG, Event
from tocsin.query import Sql, field_number_sql, field_sql
from tocsin.rule import MISSING_GROUP_VALUE
from tocsin.store.events import EventStore
from tocsin.store.limits import Limits
from tocsin.store.rows import decode_event

PAGE = 100_000
"""Rows of values read at once."""

EVENTS_PAGE = 5_000
"""Whole events read at once: some 10 MB."""

MAX_RANGES = 100
"""Stretches of time in one statement; beyond it the nearest are joined."""

MAX_SCOPES = 50_000
"""Scopes that a statement names; of more, all are read."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One query of a rule: its condition on a row, and the fields that its matches consist of."""

    condition: Sql
    group_by: tuple[str, ...] = ()
    is_group_optional: bool = False
    distinct: tuple[str, ...] = ()
    metric: str | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Logs of `[start, end)` in Unix milliseconds, event time.

    `is_live`: without those that came too late for detection in real time (decision 0071).
    """

    start: int
    end: int
    is_live: bool = True


@dataclass(frozen=True, slots=True)
class Prospects:
    """The scopes that can fire (None: too many to name), and the times (`[start, end)`) at which any can."""

    scopes: frozenset[tuple[str, ...]] | None
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one event that its matches consist of, by field; `met` has a truth value for each query."""

    timestamp: int
    event_id: str
    met: Sequence[int]
    texts: Mapping[str, Sequence[str]]
    numbers: Mapping[str, Sequence[float]]


LimitsOf = Callable[[], Limits]
"""What the next statement may cost; raises `LimitExceeded` when nothing is left."""

_WITHIN = """timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')"""

_IN_TIME = """(toUnixTimestamp64Milli(ingested_at) - toUnixTimestamp64Milli(timestamp) <= {late:Int64}
  OR has(tags, {tag:String}))"""

_ORDERED = "ORDER BY timestamp, id LIMIT {page:UInt32} WITH TIES"

_VALUES = f"""
SELECT timestamp, id, {{columns}} FROM logs
WHERE {_WITHIN} AND {{only}} AND {{found}} AND {{in_time}} AND {{after}} {_ORDERED}
"""

_EVENTS = f"""
SELECT id, timestamp, ingested_at, host, service, source, status, message, trace_id, tags, document FROM logs
WHERE {_WITHIN} AND {{only}} AND {{found}} AND {{in_time}} AND {{after}} {_ORDERED}
"""

_COUNTED = f"""
SELECT {{scope}} AS scope, bucket, {{zeros}} FROM (
  SELECT {{groups}} intDiv(toUnixTimestamp64Milli(timestamp) - {{start:Int64}}, {{window:Int64}}) AS bucket,
    {{number}} AS c
  FROM logs WHERE {_WITHIN} AND {{condition}} GROUP BY ALL
)
"""

_PROSPECTS = """
SELECT scope, groupArray(later) AS buckets FROM (
  SELECT scope, arrayJoin([bucket, bucket + 1]) AS later, {sums}
  FROM ({counted}) GROUP BY scope, later HAVING {reached}
) GROUP BY scope LIMIT {limit:UInt32}
"""

_TIMES = """
SELECT DISTINCT later FROM (
  SELECT scope, arrayJoin([bucket, bucket + 1]) AS later, {sums}
  FROM ({counted}) GROUP BY scope, later HAVING {reached}
)
"""

_AFTER = "(timestamp, id) > (fromUnixTimestamp64Milli({time:Int64}, 'UTC'), {event:String})"

_SERIES = f"""
SELECT intDiv(toUnixTimestamp64Milli(timestamp) - {{start:Int64}}, {{interval:Int64}}) AS bar, {{counts}}
FROM logs WHERE {_WITHIN} AND {{found}} AND {{in_time}} GROUP BY bar ORDER BY bar
"""


class StoredLogs:
    """Read only. Every method raises `LimitExceeded` when what it may cost is used up."""

    def __init__(self, events: EventStore) -> None:
        self._events = events

    def events(self, found: Sequence[Sql], stretch: Stretch, limits: LimitsOf) -> Iterator[list[Event]]:
        """Pages of the events that meet any of these conditions, in order of (timestamp, id)."""
        parts = _parts(found, stretch) | {"only": Sql("true"), "page": EVENTS_PAGE}
        for rows in self._pages(lambda after: Sql.of(_EVENTS, after=after, **parts), EVENTS_PAGE, limits):
            yield [decode_event(row) for row in rows]

    def values(
        self, asked: Sequence[Asked], stretch: Stretch, limits: LimitsOf, only: Prospects | None = None
    ) -> Iterator[list[Values]]:
        """Pages of the values of the events that meet any of these queries, in order of (timestamp, id).

        With `only`, what lies in other scopes and at other times may be left out.
        """
        texts = list(dict.fromkeys(name for query in asked for name in (*query.group_by, *query.distinct)))
        metrics = list(dict.fromkeys(query.metric for query in asked if query.metric is not None))
        met = Sql.join(", ", [query.condition for query in asked]) if len(asked) > 1 else Sql("1")
        columns = [Sql.of("[{met}] AS met", met=met)]
        columns += [Sql.of(f"{{value}} AS t{i}", value=field_sql(name)) for i, name in enumerate(texts)]
        columns += [Sql.of(f"{{value}} AS n{i}", value=field_number_sql(name)) for i, name in enumerate(metrics)]
        parts = _parts([_of_scopes(query, only) for query in asked], stretch) | {
            "columns": Sql.join(", ", columns, "c"),
            "only": Sql("true") if only is None else _within_any(only.ranges),
            "page": PAGE,
        }
        for rows in self._pages(lambda after: Sql.of(_VALUES, after=after, **parts), PAGE, limits):
            yield [
                Values(
                    row["timestamp"],
                    row["id"],
                    row["met"],
                    {name: row[f"t{i}"] for i, name in enumerate(texts)},
                    {name: row[f"n{i}"] for i, name in enumerate(metrics)},
                )
                for row in rows
            ]

    def prospects(
        self, asked: Sequence[Asked], needed: Bound, window: int, stretch: Stretch, limits: LimitsOf
    ) -> Prospects:
        """Where the bound is reached. `window` in milliseconds."""
        counted = [_counted(query, i, len(asked), window, stretch) for i, query in enumerate(asked)]
        parts: dict[str, Any] = {
            "counted": Sql.join("\nUNION ALL\n", counted),
            "sums": Sql(", ".join(f"sum(c{i}) AS s{i}" for i in range(len(asked)))),
            "reached": _reached(needed),
        }
        found = self._events.query(Sql.of(_PROSPECTS, **parts, limit=MAX_SCOPES + 1), limits())
        if len(found) <= MAX_SCOPES:
            scopes = frozenset(tuple(row["scope"]) for row in found)
            return Prospects(scopes, _ranges({later for row in found for later in row["buckets"]}, window, stretch))
        times = self._events.query(Sql.of(_TIMES, **parts), limits())
        return Prospects(None, _ranges({row["later"] for row in times}, window, stretch))

    def series(
        self, found: Sequence[Sql], stretch: Stretch, interval: int, limits: LimitsOf
    ) -> list[tuple[int, tuple[int, ...]]]:
        """For each interval (ms, from the start on) in which an event meets any of the conditions: its number and how
        many events meet each condition."""
        counts = [Sql.of(f"countIf({{met}}) AS n{i}", met=condition) for i, condition in enumerate(found)]
        sql = Sql.of(_SERIES, **_parts(found, stretch), interval=interval, counts=Sql.join(", ", counts, "n"))
        rows = self._events.query(sql, limits())
        return [(int(row["bar"]), tuple(int(row[f"n{i}"]) for i in range(len(found)))) for row in rows]

    def _pages(self, statement: Callable[[Sql], Sql], page: int, limits: LimitsOf) -> Iterator[list[dict[str, Any]]]:
        after = Sql("true")
        while True:
            rows = self._events.query(statement(after), limits())
            if rows:
                yield rows
            if len(rows) < page:
                return
            after = Sql(_AFTER, {"time": rows[-1]["timestamp"], "event": rows[-1]["id"]})


def _parts(found: Sequence[Sql], stretch: Stretch) -> dict[str, Any]:
    return {
        "start": stretch.start,
        "end": stretch.end,
        "found": Sql.of("({any})", any=Sql.join(" OR ", [Sql.of("({one})", one=each) for each in found])),
        "in_time": Sql(_IN_TIME, {"late": LATE_MS, "tag": BACKFILL_TAG}) if stretch.is_live else Sql("true"),
    }


def _group(query: Asked, position: int) -> Sql:
    """An Array(String) with the values of a group-by field."""
    values = field_sql(query.group_by[position])
    if not query.is_group_optional:
        return values
    return Sql.of("if(empty({values}), [{missing:String}], {values})", values=values, missing=MISSING_GROUP_VALUE)


def _counted(query: Asked, index: int, queries: int, window: int, stretch: Stretch) -> Sql:
    """For each scope and bucket the number of the query's matches or distinct values, or more, as `c<index>`.

    Rows are grouped by their lists of values, and only what is left is unfolded.
    """
    width = range(len(query.group_by))
    groups = [Sql.of(f"{{group}} AS g{i},", group=_group(query, i)) for i in width]
    number = Sql("count()")
    if len(query.distinct) == 1:
        number = Sql.of("uniqExactArray({values})", values=field_sql(query.distinct[0]))
    elif query.distinct:
        lengths = [Sql.of("length({values})", values=field_sql(name)) for name in query.distinct]
        number = Sql.of("sum({lengths})", lengths=Sql.join(" * ", lengths))
    return Sql.of(
        _COUNTED,
        scope=Sql(
            f"[{', '.join(f'arrayJoin(g{i})' for i in width)}]" if query.group_by else "CAST([], 'Array(String)')"
        ),
        zeros=Sql(", ".join(f"{'c' if i == index else '0'} AS c{i}" for i in range(queries))),
        groups=Sql.join(" ", groups),
        number=number,
        condition=Sql.of("({condition})", condition=query.condition),
        start=stretch.start,
        end=stretch.end,
        window=window,
    )


def _reached(needed: Bound) -> Sql:
    if isinstance(needed, AtLeast):
        sign = ">" if needed.is_strict else ">="
        return Sql(f"s{needed.query_index} {sign} {{number:Float64}}", {"number": needed.number})
    parts = [Sql.of("({part})", part=_reached(part)) for part in needed.parts]
    if isinstance(needed, Every):
        return Sql.join(" AND ", parts) if parts else Sql("true")
    return Sql.join(" OR ", parts) if parts else Sql("false")


def _of_scopes(query: Asked, only: Prospects | None) -> Sql:
    """The query's condition, on rows that may be of one of the scopes."""
    if only is None or only.scopes is None or not query.group_by:
        return query.condition
    scopes = [scope for scope in only.scopes if len(scope) == len(query.group_by)]
    if not scopes:
        return Sql("false")
    parts = [Sql.of("({condition})", condition=query.condition)]
    for position in range(len(query.group_by)):
        named = sorted({scope[position] for scope in scopes})
        values = _group(query, position)
        parts.append(Sql.of("arrayExists(x -> x IN {named:Array(String)}, {values})", values=values, named=named))
    return Sql.join(" AND ", parts, "s")


def _ranges(buckets: set[int], window: int, stretch: Stretch) -> tuple[tuple[int, int], ...]:
    """The times of these buckets and of those before them, as at most `MAX_RANGES` stretches."""
    ordered = sorted(buckets)
    gaps = [(after - before, place) for place, (before, after) in enumerate(pairwise(ordered), 1) if after - before > 2]
    cuts = sorted(place for _, place in sorted(gaps, reverse=True)[: MAX_RANGES - 1])
    runs = [ordered[start:end] for start, end in pairwise([0, *cuts, len(ordered)]) if start < end]
    return tuple((stretch.start + (run[0] - 1) * window, stretch.start + (run[-1] + 1) * window) for run in runs)


def _within_any(ranges: Sequence[tuple[int, int]]) -> Sql:
    parts = [
        Sql(
            "timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')"
            " AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')",
            {"start": start, "end": end},
        )
        for start, end in ranges
    ]
    return Sql.of("({any})", any=Sql.join(" OR ", parts)) if parts else Sql("false")
