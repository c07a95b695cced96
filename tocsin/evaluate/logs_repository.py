"""What a replay asks of the stored logs: the events that a rule's queries find, in the order of event time.

Three statements: the events as they are, from which the matcher itself makes matches; for plain queries only the values
that matches consist of, which is ten times cheaper; and the scopes and times at which a threshold can be reached at
all (`prospects.py`). None of them looks for lists where no log has any: that would cost as much again.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from tocsin.evaluate.prospects import AtLeast, Bound, Every, least
from tocsin.evaluate.repository import LATE_MS
from tocsin.event import BACKFILL_TAG, Event
from tocsin.query import (
    Node,
    Sql,
    field_number_sql,
    field_several_sql,
    field_single_sql,
    field_sql,
    may_hold_several,
    to_sql,
)
from tocsin.rule import MISSING_GROUP_VALUE
from tocsin.store.events import EventStore
from tocsin.store.limits import Limits
from tocsin.store.rows import decode_event

PAGE = 100_000
"""Rows of values read at once."""

CONTENTS_PAGE = 10_000
"""The same where a value may be a whole message."""

EVENTS_PAGE = 5_000
"""Whole events read at once: some 10 MB."""

MAX_RANGES = 64
"""Stretches of time in one statement; beyond it the nearest are joined."""

MAX_SCOPES = 50_000
"""Scopes that a statement names; of more, all are read."""

MAX_PAIRS = 200_000
"""Scopes with the buckets in which they can fire; of more, only the scopes are named."""

MAX_LEAST = 1_000_000_000
"""Events that a bound may ask for and be looked for one by one."""

DAY_MS = 86_400_000

MAX_DAYS = 5_000
"""Of so many it is remembered which paths hold lists."""

OVERLAP_MS = 60_000
"""Looked at again for lists each time, for batches that became visible after one that had arrived later."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One query of a rule: what it finds, and the fields that its matches consist of.

    `distinct`: those whose values are counted; `texts`: those that the texts of matches are made of, with
    `has_contents` perhaps long ones.
    """

    node: Node
    group_by: tuple[str, ...] = ()
    is_group_optional: bool = False
    distinct: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    has_contents: bool = False
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
    """The scopes that can fire (None: too many to name), each with its buckets, numbered from `origin` in steps of
    `window` (both in milliseconds); and the times (`[start, end)`) at which any can."""

    scopes: Mapping[tuple[str, ...], Sequence[int]] | None
    origin: int
    window: int
    ranges: tuple[tuple[int, int], ...]


Values = dict[str, Any]
"""What one event brings: `timestamp`, `id`, `met` (a truth value for each query), and the values of its fields, under
the names that `columns` gives."""


def columns(asked: Sequence[Asked]) -> tuple[dict[str, str], dict[str, str]]:
    """Where `Values` hold the texts of a field, and the numbers of a metric."""
    texts = dict.fromkeys(name for query in asked for name in (*query.group_by, *query.texts))
    metrics = dict.fromkeys(query.metric for query in asked if query.metric is not None)
    return {name: f"t{i}" for i, name in enumerate(texts)}, {name: f"n{i}" for i, name in enumerate(metrics)}


LimitsOf = Callable[[], Limits]
"""What the next statement may cost; raises `LimitExceeded` when nothing is left."""

_WITHIN = """timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')"""

_IN_TIME = """(toUnixTimestamp64Milli(ingested_at) - toUnixTimestamp64Milli(timestamp) <= {late:Int64}
  OR has(tags, {tag:String}))"""

# An event that is stored twice may lose its twin here. WITH TIES would keep it, and sort whole rows for that: six times
# the work, as then the engine neither reads in the order of the key nor fetches large columns last.
_ORDERED = "ORDER BY timestamp, id LIMIT {page:UInt32}"

_VALUES = f"""
SELECT timestamp, id, {{columns}} FROM logs
WHERE {_WITHIN} AND {{only}} AND {{found}} AND {{in_time}} AND {{after}} {_ORDERED}
"""

_EVENTS = f"""
SELECT id, timestamp, ingested_at, host, service, source, status, message, trace_id, tags, document FROM logs
WHERE {_WITHIN} AND {{only}} AND {{found}} AND {{in_time}} AND {{after}} {_ORDERED}
"""

_COUNTED = f"""
SELECT {{scope}} AS scope, later, {{zeros}} FROM (
  SELECT {{groups}} {{number}} AS c,
    intDiv(toUnixTimestamp64Milli(timestamp) - {{start:Int64}}, {{window:Int64}}) + arrayJoin([0, 1]) AS later
  FROM logs WHERE {_WITHIN} AND {{condition}} GROUP BY {{keys}} later {{having}}
)
"""

_PROSPECTS = """
SELECT scope, groupArray(later) AS buckets FROM (
  SELECT scope, later, {sums} FROM ({counted}) GROUP BY scope, later HAVING {reached}
) GROUP BY scope LIMIT {limit:UInt32}
"""

_TIMES = """
SELECT DISTINCT later FROM (
  SELECT scope, later, {sums} FROM ({counted}) GROUP BY scope, later HAVING {reached}
)
"""

# Of a scope's times in order, those `least - 1` events after one that is no more than the window (s) before. Sparse
# scopes have as many buckets as events, so that keeping the times costs less than counting by bucket, and it says more.
_DENSE = f"""
SELECT {{scope}} AS scope, dense AS buckets FROM (
  SELECT {{keys}} arraySort(groupArray(
      toUInt32(intDiv(toUnixTimestamp64Milli(timestamp) - {{start:Int64}}, 1000)))) AS seconds,
    arrayFilter((late, early) -> late - early <= {{width:UInt32}},
      arraySlice(seconds, {{least:UInt32}}),
      arraySlice(seconds, 1, toInt64(length(seconds)) - {{least:UInt32}} + 1)) AS late,
    arrayDistinct(arrayMap(second -> intDiv(second, {{width:UInt32}}), late)) AS dense
  FROM logs WHERE {_WITHIN} AND {{condition}} {{grouped}} HAVING count() >= {{least:UInt32}} AND {{has_scope}}
) WHERE notEmpty(dense)
LIMIT {{limit:UInt32}}
"""

_IN_SCOPES = "arrayExists(x -> x IN {named:Array(String)}, {values})"

_IN_PAIRS = """arrayExists(
  x -> (x, intDiv(toUnixTimestamp64Milli(timestamp) - {origin:Int64}, {window:Int64}))
    IN {pairs:Array(Tuple(String, Int64))}, {values})"""

_NEWEST = "SELECT max(ingested_at) AS newest FROM logs"

_LISTS = """
SELECT distinctJSONPaths(in_lists) AS found FROM logs
WHERE timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
  AND ingested_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
"""

# The first comparison for the key of the table, which the second does not narrow.
_AFTER = """timestamp >= fromUnixTimestamp64Milli({time:Int64}, 'UTC')
  AND (timestamp, id) > (fromUnixTimestamp64Milli({time:Int64}, 'UTC'), {event:String})"""

_SERIES = f"""
SELECT intDiv(toUnixTimestamp64Milli(timestamp) - {{start:Int64}}, {{interval:Int64}}) AS bar, {{counts}}
FROM logs WHERE {_WITHIN} AND {{found}} AND {{in_time}} GROUP BY bar ORDER BY bar
"""


class StoredLogs:
    """Reads only; safe to use from many threads. All raise `LimitExceeded` when what they may cost is used up."""

    def __init__(self, events: EventStore) -> None:
        self._events = events
        self._lock = threading.Lock()
        self._lists: dict[int, tuple[int, frozenset[str]]] = {}

    def events(self, found: Sequence[Node], stretch: Stretch, limits: LimitsOf) -> Iterator[list[Event]]:
        """Pages of the events that meet any of these conditions, in order of (timestamp, id)."""
        lists = self._list_paths(stretch, limits)
        parts = _parts([to_sql(node, lists=lists) for node in found], stretch)
        parts |= {"only": Sql("true"), "page": EVENTS_PAGE}
        for rows in self._pages(lambda after: Sql.of(_EVENTS, after=after, **parts), EVENTS_PAGE, limits):
            yield [decode_event(row) for row in rows]

    def values(
        self, asked: Sequence[Asked], stretch: Stretch, limits: LimitsOf, only: Prospects | None = None
    ) -> Iterator[list[Values]]:
        """Pages of the values of the events that meet any of these queries, in order of (timestamp, id).

        With `only`, what lies in other scopes and at other times may be left out.
        """
        lists = self._list_paths(stretch, limits)
        texts, metrics = columns(asked)
        conditions = [to_sql(query.node, lists=lists) for query in asked]
        met = Sql.join(", ", conditions) if len(asked) > 1 else Sql("1")
        selected = [Sql.of("[{met}] AS met", met=met)]
        selected += [Sql.of(f"{{value}} AS {at}", value=field_sql(name, lists=lists)) for name, at in texts.items()]
        selected += [
            Sql.of(f"{{value}} AS {at}", value=field_number_sql(name, lists=lists)) for name, at in metrics.items()
        ]
        page = CONTENTS_PAGE if any(query.has_contents for query in asked) else PAGE
        parts = _parts([_of_scopes(query, only, lists) for query in asked], stretch) | {
            "columns": Sql.join(", ", selected, "c"),
            "only": Sql("true") if only is None else _within_any(only.ranges),
            "page": page,
        }
        yield from self._pages(lambda after: Sql.of(_VALUES, after=after, **parts), page, limits)

    def prospects(
        self, asked: Sequence[Asked], needed: Bound, window: int, stretch: Stretch, limits: LimitsOf
    ) -> Prospects:
        """Where the bound is reached. `window` in milliseconds."""
        lists = self._list_paths(stretch, limits)
        counted = [_counted(query, i, len(asked), window, stretch, lists, needed) for i, query in enumerate(asked)]
        parts: dict[str, Any] = {
            "counted": Sql.join("\nUNION ALL\n", counted),
            "sums": Sql(", ".join(f"sum(c{i}) AS s{i}" for i in range(len(asked)))),
            "reached": _reached(needed),
        }
        number, query = max(((least(needed, i), query) for i, query in enumerate(asked)), key=lambda pair: pair[0])
        sql = _dense(query, number, window, stretch, lists) or Sql.of(_PROSPECTS, **parts, limit=MAX_SCOPES + 1)
        found = self._events.query(sql, limits())
        scopes = None
        if len(found) <= MAX_SCOPES:
            scopes = {tuple(row["scope"]): row["buckets"] for row in found}
            buckets = {later for row in found for later in row["buckets"]}
        else:
            buckets = {row["later"] for row in self._events.query(Sql.of(_TIMES, **parts), limits())}
        return Prospects(scopes, stretch.start, window, _ranges(buckets, window, stretch))

    def series(
        self, found: Sequence[Node], stretch: Stretch, interval: int, limits: LimitsOf
    ) -> list[tuple[int, tuple[int, ...]]]:
        """For each interval (ms, from the start on) in which an event meets any of the conditions: its number and how
        many events meet each condition."""
        lists = self._list_paths(stretch, limits)
        conditions = [to_sql(node, lists=lists) for node in found]
        counts = [Sql.of(f"countIf({{met}}) AS n{i}", met=condition) for i, condition in enumerate(conditions)]
        parts = _parts(conditions, stretch)
        sql = Sql.of(_SERIES, **parts, interval=interval, counts=Sql.join(", ", counts, "n"))
        rows = self._events.query(sql, limits())
        return [(int(row["bar"]), tuple(int(row[f"n{i}"]) for i in range(len(found)))) for row in rows]

    def _list_paths(self, stretch: Stretch, limits: LimitsOf) -> frozenset[str]:
        """The paths that hold several values in any log of the stretch, or of days beside it.

        Learned once for each day, then from what has arrived since. What arrives later than this look is looked for
        the next time. Who loses interest does not end this: the next one would begin it again.
        """
        newest = int(self._events.query(Sql(_NEWEST), limits())[0]["newest"])
        days = range(stretch.start // DAY_MS, (stretch.end - 1) // DAY_MS + 1)
        with self._lock:
            known = {day: self._lists[day] for day in days if day in self._lists}
        found = frozenset[str]().union(*(paths for _, paths in known.values()))
        seen = min((at for at, _ in known.values()), default=newest)
        looks = [(days[0], days[-1], seen - OVERLAP_MS)] if seen < newest else []
        if unknown := [day for day in days if day not in known]:
            looks.append((unknown[0], unknown[-1], 0))
        for first, last, since in looks:
            bounds = {"start": first * DAY_MS, "end": (last + 1) * DAY_MS, "since": max(since, 0)}
            wanted = replace(limits(), is_wanted=None)
            found |= frozenset(self._events.query(Sql(_LISTS, bounds), wanted)[0]["found"])
        with self._lock:
            if len(self._lists) > MAX_DAYS:
                self._lists.clear()
            for day in days:
                self._lists[day] = (newest, found | self._lists.get(day, (0, found))[1])
        return found

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


def _group(query: Asked, position: int, lists: frozenset[str]) -> Sql:
    """An Array(String) with the values of a group-by field."""
    values = field_sql(query.group_by[position], lists=lists)
    if not query.is_group_optional:
        return values
    return Sql.of("if(empty({values}), [{missing:String}], {values})", values=values, missing=MISSING_GROUP_VALUE)


def _counted(
    query: Asked,
    index: int,
    queries: int,
    window: int,
    stretch: Stretch,
    lists: frozenset[str],
    needed: Bound,
) -> Sql:
    """For each scope and bucket the number of the query's matches or distinct values in it and the bucket before, or
    more, as `c<index>`.

    Rows are grouped by the single values of fields beside lists of several, and only what is left is unfolded. Where
    that is a scope already, and there is no other query, what does not reach the bound is dropped at once.
    """
    width = range(len(query.group_by))
    number = Sql("count()")
    if len(query.distinct) == 1:
        number = Sql.of("uniqExactArray({values})", values=field_sql(query.distinct[0], lists=lists))
    elif query.distinct:
        lengths = [Sql.of("length({values})", values=field_sql(name, lists=lists)) for name in query.distinct]
        number = Sql.of("sum({lengths})", lengths=Sql.join(" * ", lengths))
    is_scope = queries == 1 and not any(may_hold_several(name, lists=lists) for name in query.group_by)
    values = [Sql.of("arrayJoin({values})", values=_unfolded(i, query.is_group_optional)) for i in width]
    scope = Sql.of("[{values}]", values=Sql.join(", ", values)) if values else Sql("CAST([], 'Array(String)')")
    return Sql.of(
        _COUNTED,
        scope=scope,
        zeros=Sql(", ".join(f"{'c' if i == index else '0'} AS c{i}" for i in range(queries))),
        groups=Sql.join(" ", [_folded(query.group_by[i], i, lists) for i in width]),
        keys=Sql("".join(f"one{i}, all{i}, " for i in width)),
        having=Sql.of("HAVING {reached}", reached=_reached(needed, "c")) if is_scope else Sql(""),
        number=number,
        condition=Sql.of("({condition})", condition=to_sql(query.node, lists=lists)),
        start=stretch.start,
        end=stretch.end,
        window=window,
    )


def _dense(query: Asked, number: float, window: int, stretch: Stretch, lists: frozenset[str]) -> Sql | None:
    """The scopes and buckets in which so many events of the query lie within a window; None where fields may hold
    several values, and one event counts as many, or where the number says nothing."""
    if any(may_hold_several(name, lists=lists) for name in (*query.group_by, *query.distinct)):
        return None
    if not 2 <= number < MAX_LEAST or window % 1000:
        return None
    names = [f"one{i}" for i in range(len(query.group_by))]
    single = [field_single_sql(name) for name in query.group_by]
    scope = Sql("CAST([], 'Array(String)')")
    if names:
        values = [Sql.of(f"ifNull({name}, {{missing:String}})", missing=MISSING_GROUP_VALUE) for name in names]
        scope = Sql.of("[{values}]", values=Sql.join(", ", values))
    has_scope = [] if query.is_group_optional else [f"isNotNull({name})" for name in names]
    return Sql.of(
        _DENSE,
        scope=scope,
        keys=Sql.join(
            " ", [Sql.of(f"{{value}} AS {name},", value=one) for name, one in zip(names, single, strict=True)]
        ),
        grouped=Sql(f"GROUP BY {', '.join(names)}" if names else ""),
        has_scope=Sql(" AND ".join(has_scope) or "true"),
        condition=Sql.of("({condition})", condition=to_sql(query.node, lists=lists)),
        least=int(number),
        width=window // 1000,
        start=stretch.start,
        end=stretch.end,
        limit=MAX_SCOPES + 1,
    )


def _folded(field: str, position: int, lists: frozenset[str]) -> Sql:
    """The values of a group-by field as two columns: a single one, and several."""
    single, several = field_single_sql(field), field_several_sql(field, lists=lists)
    return Sql.of(f"{{single}} AS one{position}, {{several}} AS all{position},", single=single, several=several)


def _unfolded(position: int, is_optional: bool) -> Sql:
    """The values of two such columns as one Array(String)."""
    values = Sql(f"if(isNull(one{position}), all{position}, [assumeNotNull(one{position})])")
    if not is_optional:
        return values
    return Sql.of("if(empty({values}), [{missing:String}], {values})", values=values, missing=MISSING_GROUP_VALUE)


def _reached(needed: Bound, number: str | None = None) -> Sql:
    """`number`: the name of the only query's number; else they are called `s<index>`."""
    if isinstance(needed, AtLeast):
        sign = ">" if needed.is_strict else ">="
        return Sql(f"{number or f's{needed.query_index}'} {sign} {{number:Float64}}", {"number": needed.number})
    parts = [Sql.of("({part})", part=_reached(part, number)) for part in needed.parts]
    if isinstance(needed, Every):
        return Sql.join(" AND ", parts) if parts else Sql("true")
    return Sql.join(" OR ", parts) if parts else Sql("false")


def _of_scopes(query: Asked, only: Prospects | None, lists: frozenset[str]) -> Sql:
    """The query's condition, on rows that may be of one of the scopes in one of its buckets, or the one before."""
    condition = to_sql(query.node, lists=lists)
    if only is None or only.scopes is None or not query.group_by:
        return condition
    scopes = [scope for scope in only.scopes if len(scope) == len(query.group_by)]
    if not scopes:
        return Sql("false")
    has_pairs = 2 * sum(len(only.scopes[scope]) for scope in scopes) <= MAX_PAIRS
    parts = [Sql.of("({condition})", condition=condition)]
    for position in range(len(query.group_by)):
        values = _group(query, position, lists)
        if has_pairs:
            pairs = {(scope[position], at) for scope in scopes for b in only.scopes[scope] for at in (b - 1, b)}
            bucket = {"origin": only.origin, "window": only.window, "pairs": sorted(pairs)}
            parts.append(Sql.of(_IN_PAIRS, values=values, **bucket))
        else:
            named = sorted({scope[position] for scope in scopes})
            parts.append(Sql.of(_IN_SCOPES, values=values, named=named))
    return Sql.join(" AND ", parts, "s")


def _ranges(buckets: set[int], window: int, stretch: Stretch) -> tuple[tuple[int, int], ...]:
    """The times of these buckets and of those before them, as at most `MAX_RANGES` stretches."""
    ordered = sorted(buckets)
    gaps = [(after - before, place) for place, (before, after) in enumerate(pairwise(ordered), 1) if after - before > 2]
    cuts = sorted(place for _, place in sorted(gaps, reverse=True)[: MAX_RANGES - 1])
    runs = [ordered[start:end] for start, end in pairwise([0, *cuts, len(ordered)]) if start < end]
    found = [(stretch.start + (run[0] - 1) * window, stretch.start + (run[-1] + 1) * window) for run in runs]
    if sum(end - start for start, end in found) * 2 > stretch.end - stretch.start:
        return ((found[0][0], found[-1][1]),)  # to ask each row for its time costs more than it saves
    return tuple(found)


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
