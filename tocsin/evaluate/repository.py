"""What the evaluator reads from the event store, and the progress that it keeps in the state store."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import orjson
from sqlalchemy import select, update

from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.history import HistoryRow, HistoryShape
from tocsin.evaluate.latest import Latest
from tocsin.evaluate.newcomers import Newcomers
from tocsin.evaluate.tables import evaluation_failures, evaluator_progress
from tocsin.event import Event
from tocsin.query import Sql
from tocsin.store.events import EventStore
from tocsin.store.limits import Limits
from tocsin.store.rows import decode_event, stored_time
from tocsin.store.state import StateStore

BUCKET_MS = 100
"""Matches are counted by their time of ingestion in buckets of this length, to see where new ones have come in."""

PAGE = 50_000
"""Matches read at once."""

CHUNK = 4_000
"""Event ids in one query."""

LATE_MS = 24 * 3600 * 1000
"""Older events are not evaluated in real time, unless they were sent as backfill (siem.md §1.3, decision 0071)."""

LIMITS = Limits(seconds=120, rows=0)
"""The evaluator may read all matches; it must not be stopped by the limits that are meant for searches."""


class GroupKey(NamedTuple):
    """A signal group of one version of a rule."""

    rule_id: str
    rule_version: int
    group: tuple[str, ...]


class StoredMatch(NamedTuple):
    """A match as stored, with its rule and when its event was ingested. `is_backfill`: it was sent as an old one."""

    rule_id: str
    rule_version: int
    ingested_at: int
    row: MatchRow
    is_backfill: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """A version of a rule that could not be evaluated, and how many matches were not decided. Times in ms."""

    rule_id: str
    rule_version: int
    message: str
    matches: int
    first_at: int = 0
    last_at: int = 0


_COLUMNS = (
    "rule_id, rule_version, `group`, timestamp, event_id, ingested_at, query_index, `distinct`, value, is_backfill"
)  # fmt: skip

_BUCKETS = """
SELECT intDiv(toUnixTimestamp64Milli(ingested_at), {size:Int64}) AS bucket, count() AS matches
FROM matches WHERE ingested_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND {only}
GROUP BY bucket ORDER BY bucket LIMIT {limit:UInt32}
"""

_LAST = "SELECT max(timestamp) AS last, count() AS matches FROM matches"

# By scope: there are ten times as many matches, of which each would repeat its rule and group.
_OF_BUCKETS = """
SELECT rule_id, rule_version, `group`, groupArray((toUnixTimestamp64Milli(ingested_at),
  toUnixTimestamp64Milli(timestamp), event_id, query_index, `distinct`, value, is_backfill)) AS found
FROM matches
WHERE ingested_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND ingested_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  AND intDiv(toUnixTimestamp64Milli(ingested_at), {size:Int64}) IN {buckets:Array(Int64)} AND {only}
GROUP BY rule_id, rule_version, `group`
"""

_OF_GROUPS = f"""
SELECT {_COLUMNS} FROM {{source}}
WHERE rule_id IN {{rules:Array(String)}} AND `group` IN {{groups:Array(Array(String))}}
  AND (rule_id, rule_version, `group`) IN {{keys:Array(Tuple(String, UInt32, Array(String)))}}
  AND timestamp >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC') AND {{after}}
ORDER BY rule_id, `group`, timestamp, event_id LIMIT {{page:UInt32}} WITH TIES
"""

_OF_MERGED = f"""
SELECT {_COLUMNS} FROM {{source}}
WHERE rule_id = {{rule:String}} AND rule_version IN {{versions:Array(UInt32)}}
  AND arrayMap(position -> `group`[position], {{kept:Array(UInt8)}}) IN {{groups:Array(Array(String))}}
  AND timestamp >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC') AND {{after}}
ORDER BY timestamp, event_id LIMIT {{page:UInt32}} WITH TIES
"""

_LEARNED = """
WHERE rule_id = {rule:String} AND rule_version IN {versions:Array(UInt32)}
  AND {scope} IN {groups:Array(Array(String))}
  AND timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND toUnixTimestamp64Milli(timestamp) < {until:Array(Int64)}[indexOf({groups:Array(Array(String))}, {scope})]
  AND (is_backfill OR toUnixTimestamp64Milli(ingested_at) - toUnixTimestamp64Milli(timestamp) <= {late:Int64})
"""

_SPANS = f"""
SELECT `group`, query_index, NULL AS part, min(timestamp) AS first, max(timestamp) AS last, {{counts}}
FROM {{source}} {_LEARNED}
GROUP BY `group`, query_index, intDiv(toUnixTimestamp64Milli(timestamp), {{span:Int64}})
"""

_COUNTS = Sql("uniqExact(event_id) AS events, uniqExact(`distinct`) AS values")
_NO_COUNTS = Sql("0 AS events, 0 AS values")

_BY_VALUE = f"""
SELECT `group`, query_index, `distinct` AS part, min(timestamp) AS first, max(timestamp) AS last, {{counts}}
FROM {{source}} {_LEARNED} AND `distinct` IS NOT NULL
GROUP BY `group`, query_index, part
"""

# The keys of the table as sets, so that only the granules that hold them are read.
_NAMED = """timestamp IN (SELECT fromUnixTimestamp64Milli(arrayJoin({times:Array(Int64)}), 'UTC'))
  AND id IN {ids:Array(String)}"""

_EVENTS = f"""
SELECT id, timestamp, ingested_at, host, service, source, status, message, trace_id, tags, document
FROM logs WHERE {_NAMED} LIMIT 1 BY id
"""


class Matches:
    """The matches and events that decisions are made from. Times in Unix milliseconds."""

    source = Sql("matches")
    """What the matches of groups are read from; may use the parameter `since` (Unix milliseconds)."""

    def __init__(self, events: EventStore, latest: Latest | None = None) -> None:
        """`latest`: what this process has stored last."""
        self._events = events
        self._latest = latest

    def only(self) -> Sql:
        """A condition on the matches of which `buckets` and `of_buckets` tell."""
        return Sql("true")

    def buckets(self, since: int, limit: int = 20_000) -> list[tuple[int, int]]:
        """Buckets of ingestion time (`BUCKET_MS`) from `since` on, with the matches stored in each; oldest first."""
        sql = Sql.of(_BUCKETS, only=self.only(), size=BUCKET_MS, since=since, limit=limit)
        return [(int(row["bucket"]), int(row["matches"])) for row in self._events.query(sql, LIMITS)]

    def newcomers(self) -> Newcomers | None:
        """Who tells new groups from those that the store has matches of; None where that is not known."""
        row = self._events.query(Sql(_LAST), LIMITS)[0]
        return Newcomers(int(row["last"]) if row["matches"] else None)

    def of_buckets(self, buckets: Sequence[int]) -> list[StoredMatch]:
        """All matches of these buckets (ascending), those of a scope together, in no order."""
        parameters = {
            "since": buckets[0] * BUCKET_MS,
            "until": (buckets[-1] + 1) * BUCKET_MS,
            "size": BUCKET_MS,
            "buckets": list(buckets),
        }
        sql = Sql.of(_OF_BUCKETS, only=self.only(), **parameters)
        return [match for row in self._events.query(sql, LIMITS) for match in _of_scope(row)]

    def of_groups(self, keys: Sequence[GroupKey], since: int) -> Iterator[list[StoredMatch]]:
        """Pages of the matches of these scopes from `since` on, each scope in event time."""
        after = Sql("1")
        parameters = {
            "rules": sorted({key.rule_id for key in keys}),
            "groups": [list(group) for group in sorted({key.group for key in keys})],
            "keys": [(key.rule_id, key.rule_version, list(key.group)) for key in keys],
            "since": since,
            "page": PAGE,
        }
        while True:
            rows = self._events.query(Sql.of(_OF_GROUPS, source=self.source, after=after, **parameters), LIMITS)
            yield [_match(row) for row in rows]
            if len(rows) < PAGE:
                return
            after = Sql(
                "(rule_id, `group`, timestamp, event_id) > ({rule:String}, {group:Array(String)},"
                " fromUnixTimestamp64Milli({time:Int64}, 'UTC'), {event:String})",
                {"rule": rows[-1]["rule_id"], "group": rows[-1]["group"], **_last(rows[-1])},
            )

    def of_merged(
        self,
        rule_id: str,
        rule_version: int,
        kept: Sequence[int],
        groups: Sequence[tuple[str, ...]],
        since: int,
        teachers: Sequence[int] = (),
    ) -> Iterator[list[StoredMatch]]:
        """The same for a rule whose signal groups keep only some positions (from 0) of the group-by values, with the
        matches of the versions that teach it."""
        after = Sql("1")
        parameters = {
            "rule": rule_id,
            "versions": [rule_version, *teachers],
            "kept": [position + 1 for position in kept],
            "groups": [list(group) for group in groups],
            "since": since,
            "page": PAGE,
        }
        while True:
            rows = self._events.query(Sql.of(_OF_MERGED, source=self.source, after=after, **parameters), LIMITS)
            yield [_match(row) for row in rows]
            if len(rows) < PAGE:
                return
            after = Sql(
                "(timestamp, event_id) > (fromUnixTimestamp64Milli({time:Int64}, 'UTC'), {event:String})",
                _last(rows[-1]),
            )

    def history(
        self,
        rule_id: str,
        versions: Sequence[int],
        kept: Sequence[int] | None,
        until: Mapping[tuple[str, ...], int],
        since: int,
        shape: HistoryShape,
    ) -> list[HistoryRow]:
        """What was between `since` and the moment given for each signal group, as `history.summarise` has it, but in no
        order; of rules that merge groups, each scope by itself. Matches that came too late do not count."""
        groups = sorted(until)
        scope = Sql("`group`")
        if kept is not None:
            positions = [position + 1 for position in kept]
            scope = Sql("arrayMap(position -> `group`[position], {kept:Array(UInt8)})", {"kept": positions})
        parameters = {
            "rule": rule_id,
            "versions": list(versions),
            "groups": [list(group) for group in groups],
            "until": [until[group] for group in groups],
            "since": since,
            "late": LATE_MS,
        }
        parts = {"source": self.source, "scope": scope, "counts": _NO_COUNTS if shape.by_value else _COUNTS}
        rows = self._events.query(Sql.of(_SPANS, **parts, span=shape.span_ms, **parameters), LIMITS)
        if shape.by_value:
            rows += self._events.query(Sql.of(_BY_VALUE, **parts, **parameters), LIMITS)
        return [
            HistoryRow(
                tuple(row["group"]),
                row["query_index"],
                row["part"],
                row["first"],
                row["last"],
                int(row["events"]),
                int(row["values"]),
            )
            for row in rows
        ]

    def add_history(self, rule_id: str, version: int, rows: Sequence[MatchRow]) -> None:
        """Store matches under a version that only teaches (`lineage.INSTANT`); durable when it returns.

        They arrived at the time of their events, which is long past, so that no feed takes them for news.
        """
        self._add([_line(rule_id, version, row, row.timestamp) for row in rows])

    def add(self, rule_id: str, version: int, rows: Sequence[MatchRow], now: int) -> None:
        """Store matches that were made of stored logs, as news; durable when it returns. Adding them again does no
        harm."""
        self._add([_line(rule_id, version, row, now) for row in rows])

    def _add(self, lines: Sequence[bytes]) -> None:
        for start in range(0, len(lines), PAGE):
            part = lines[start : start + PAGE]
            self._events.insert("matches", b"\n".join(part), len(part))

    def events(self, refs: Iterable[tuple[int, str]]) -> dict[str, Event]:
        """The stored events (timestamp, id), by id; those that retention has removed are absent."""
        asked = set(refs)
        found = self._latest.events(asked) if self._latest is not None else {}
        for times, ids in _chunks(ref for ref in asked if ref[1] not in found):
            for row in self._events.query(Sql(_EVENTS, {"times": times, "ids": ids}), LIMITS):
                found[row["id"]] = decode_event(row)
        return found

    def keep(self, event_ids: Iterable[str]) -> None:
        """These will be asked for, in a while: those that are at hand stay so."""
        if self._latest is not None:
            self._latest.keep(event_ids)

    def keep_window(self, event_ids: Iterable[str]) -> None:
        """These will be asked for if a signal opens soon."""
        if self._latest is not None:
            self._latest.keep_window(event_ids)


class Progress:
    """How far the evaluator has come, in the state store."""

    def __init__(self, state: StateStore, name: str = "matches") -> None:
        self._state = state
        self._name = name

    def watermark(self) -> int | None:
        """Matches ingested before this (Unix milliseconds) were decided; None before the first."""
        with self._state.reading() as session:
            column = evaluator_progress.c.watermark
            return session.scalar(select(column).where(evaluator_progress.c.name == self._name))

    def saved_at(self) -> int | None:
        """When it was last saved (Unix milliseconds); None before the first."""
        with self._state.reading() as session:
            column = evaluator_progress.c.updated_at
            return session.scalar(select(column).where(evaluator_progress.c.name == self._name))

    def save(self, watermark: int, failures: Sequence[Failure], now: int) -> None:
        """Advance, and note what could not be decided, together."""
        with self._state.transaction() as session:
            values = {"watermark": watermark, "updated_at": now}
            where = evaluator_progress.c.name == self._name
            if not session.execute(update(evaluator_progress).where(where).values(values)).rowcount:  # type: ignore[attr-defined]
                session.execute(evaluator_progress.insert().values(name=self._name, **values))
            for failure in failures:
                table = evaluation_failures
                same = (table.c.rule_id == failure.rule_id) & (table.c.rule_version == failure.rule_version)
                noted = {"message": failure.message, "matches": table.c.matches + failure.matches, "last_at": now}
                if not session.execute(update(table).where(same).values(noted)).rowcount:  # type: ignore[attr-defined]
                    session.execute(
                        table.insert().values(
                            rule_id=failure.rule_id,
                            rule_version=failure.rule_version,
                            message=failure.message,
                            matches=failure.matches,
                            first_at=now,
                            last_at=now,
                        )
                    )

    def failures(self) -> list[Failure]:
        """Every version of a rule that could not be evaluated, the latest failure first."""
        table = evaluation_failures
        with self._state.reading() as session:
            rows = session.execute(select(table).order_by(table.c.last_at.desc())).mappings()
            return [Failure(**row) for row in rows]


def _of_scope(row: Mapping[str, Any]) -> Iterator[StoredMatch]:
    """The matches of a scope, which share its texts."""
    rule_id, version, group = row["rule_id"], row["rule_version"], tuple(row["group"])
    for arrived_at, timestamp, event_id, query_index, distinct, value, is_backfill in row["found"]:
        match = (timestamp, event_id, group, query_index, distinct, _number(value), False)
        yield _stored_match((rule_id, version, arrived_at, _match_row(match), is_backfill == 1))


# As `MatchRow(…)`, in half the time: detection makes ten thousand a second.
_match_row = partial(tuple.__new__, MatchRow)
_stored_match = partial(tuple.__new__, StoredMatch)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value - value == 0 else None


def _match(row: Mapping[str, Any]) -> StoredMatch:
    return StoredMatch(
        row["rule_id"],
        row["rule_version"],
        row["ingested_at"],
        MatchRow(
            row["timestamp"],
            row["event_id"],
            tuple(row["group"]),
            row["query_index"],
            row["distinct"],
            _number(row["value"]),
        ),
        bool(row["is_backfill"]),
    )


def _line(rule_id: str, version: int, row: MatchRow, arrived_at: int) -> bytes:
    """A match that is evaluated however old it is."""
    line = {"rule_id": rule_id, "rule_version": version, **row._asdict(), "is_backfill": 1}
    del line["is_history"]
    return orjson.dumps({**line, "timestamp": stored_time(row.timestamp), "ingested_at": stored_time(arrived_at)})


def _last(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"time": row["timestamp"], "event": row["event_id"]}


def _chunks(refs: Iterable[tuple[int, str]]) -> Iterator[tuple[list[int], list[str]]]:
    unique = sorted(refs)
    for start in range(0, len(unique), CHUNK):
        part = unique[start : start + CHUNK]
        yield sorted({time for time, _ in part}), [event_id for _, event_id in part]
