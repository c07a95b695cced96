"""Signals as matches: what rules over signals read from the track `signals` (siem.md §2.20, decision 0088).

A row of a signal carries what rules over signals find in it (`matched`), in the same insert: there is no second write
that a kill could lose. A signal that is superseded, or hidden, is gone from here as it is from every search. What a
signal matched once and does not match now is in `unmatched`, so that those groups are decided again.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from tocsin.evaluate.correlation import as_member
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.newcomers import Newcomers
from tocsin.evaluate.repository import LIMITS, Matches, StoredMatch
from tocsin.event import Event, SignalEvent
from tocsin.query import Sql

CHUNK = 500
"""Signals in one query."""

MATCHES_OF_SIGNALS = Sql("""(
SELECT m.rule_id AS rule_id, m.rule_version AS rule_version, m.`group` AS `group`, timestamp, id AS event_id,
  ingested_at, m.query_index AS query_index, m.`distinct` AS `distinct`, m.value AS value, 1 AS is_backfill
FROM signals FINAL ARRAY JOIN matched AS m
WHERE timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND matched_version > 0
)""")

_CHANGED = """
SELECT id, timestamp, ingested_at, row_version, matched_version, matched, unmatched
FROM signals WHERE matched_version > {since:UInt64}
ORDER BY matched_version LIMIT {limit:UInt32} WITH TIES
"""

_NEWEST = "SELECT max(matched_version) AS newest FROM signals"

_EVENTS = """
SELECT id, timestamp, ingested_at, title, status, host, service, source, tags, document
FROM signals FINAL
WHERE timestamp IN (SELECT fromUnixTimestamp64Milli(arrayJoin({times:Array(Int64)}), 'UTC'))
  AND id IN {ids:Array(String)}
"""


class ChangedSignal(NamedTuple):
    """A signal that was written, with the matches that it has, and those that it had once."""

    id: str
    version: int
    current: tuple[StoredMatch, ...]
    former: tuple[StoredMatch, ...]


class SignalMatches(Matches):
    """Matches of rules over signals; an event is a signal. Times in Unix milliseconds."""

    source = MATCHES_OF_SIGNALS

    def changed(self, since: int, limit: int) -> list[ChangedSignal]:
        """Signals that were written after a version, in the order of versions; about `limit` of them."""
        latest: dict[str, Mapping[str, Any]] = {}
        for row in self._events.query(Sql(_CHANGED, {"since": since, "limit": limit}), LIMITS):
            before = latest.pop(row["id"], None)
            latest[row["id"]] = row if before is None or row["row_version"] > before["row_version"] else before
        return [_changed(row) for row in latest.values()]

    def newcomers(self) -> Newcomers | None:
        """A signal may leave a group, and another process may have written beside this one."""
        return None

    def newest(self) -> int:
        """The highest version that any signal has."""
        return int(self._events.query(Sql(_NEWEST), LIMITS)[0]["newest"])

    def events(self, refs: Iterable[tuple[int, str]]) -> dict[str, Event]:
        """The stored signals (timestamp, id) in the shape of events, by id; superseded ones are absent.

        `message` is the title, `attributes` what other signals take from it (`correlation.as_member`).
        """
        found: dict[str, Event] = {}
        unique = sorted(set(refs))
        for start in range(0, len(unique), CHUNK):
            part = unique[start : start + CHUNK]
            parameters = {"times": sorted({time for time, _ in part}), "ids": [identity for _, identity in part]}
            for row in self._events.query(Sql(_EVENTS, parameters), LIMITS):
                found[row["id"]] = _event(row)
        return found


def _changed(row: Mapping[str, Any]) -> ChangedSignal:
    current, former = _stored(row, row["matched"]), _stored(row, row["unmatched"])
    return ChangedSignal(row["id"], int(row["matched_version"]), current, former)


def _stored(row: Mapping[str, Any], matches: Sequence[Mapping[str, Any]]) -> tuple[StoredMatch, ...]:
    return tuple(
        StoredMatch(
            match["rule_id"],
            match["rule_version"],
            row["ingested_at"],
            MatchRow(
                row["timestamp"],
                row["id"],
                tuple(match["group"]),
                match["query_index"],
                match["distinct"],
                None if match["value"] is None else float(match["value"]),
            ),
            is_backfill=True,  # a signal stands for events that were evaluated, however late they came
        )
        for match in matches
    )


def _event(row: Mapping[str, Any]) -> Event:
    return SignalEvent(
        id=row["id"],
        timestamp=row["timestamp"],
        ingested_at=row["ingested_at"],
        host=row["host"],
        service=row["service"],
        source=row["source"],
        status=row["status"],
        message=row["title"],
        tags=list(row["tags"]),
        attributes=as_member(orjson.loads(row["document"])),
    )
