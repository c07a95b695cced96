"""Rows of the tracks `signals` and `suppressed`: what the writer compares with, and what is read for one signal."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tocsin.evaluate.correlation import UNMATCHED, Matched
from tocsin.evaluate.group import StoredSignal
from tocsin.evaluate.repository import LIMITS
from tocsin.query import Node, Sql, Track, to_sql
from tocsin.query.track import SIGNALS
from tocsin.rule import Match
from tocsin.signals.identity import PREFIX
from tocsin.signals.resource import COLUMNS, iso
from tocsin.store.events import EventStore
from tocsin.store.limits import Limits

CHUNK = 500
"""Signals in one query or insert."""

PAGE = 2_000
"""Whole rows read at once: some 20 MB."""

_SCOPE = "attributes.`workflow.engine.scope`.:String"
_REVISION = "attributes.`workflow.engine.revision`.:String"
_SEEN = "attributes.`workflow.engine.seen`.:String"
_CLOSES_AT = "attributes.`workflow.window.closes_at`.:String"
_WINDOW = "attributes.`workflow.window.state`.:String"

_NAMED = """timestamp IN (SELECT fromUnixTimestamp64Milli(arrayJoin({times:Array(Int64)}), 'UTC'))
  AND id IN {ids:Array(String)}"""

_STORED = f"""
SELECT id, timestamp, ingested_at, row_version, {_SCOPE} AS scope, {_REVISION} AS revision, {_CLOSES_AT} AS closes_at,
  {_SEEN} AS seen, matched, unmatched, matched_version
FROM {{table}} FINAL
WHERE timestamp >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC') AND rule_id IN {{rules:Array(String)}}
  AND {_SCOPE} IN {{scopes:Array(String)}}
"""

_ROWS = f"SELECT {', '.join(COLUMNS)}, matched, unmatched, matched_version FROM {{table}} FINAL WHERE {_NAMED}"

_TIMES = f"SELECT id, timestamp FROM {{table}} FINAL WHERE {_NAMED}"

_STRETCH = f"""
SELECT {", ".join(COLUMNS)} FROM {{table}} FINAL
WHERE timestamp >= fromUnixTimestamp64Milli({{start:Int64}}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({{end:Int64}}, 'UTC') AND ({{found}}) AND {{raised}} AND {{after}}
ORDER BY timestamp, id LIMIT {{page:UInt32}}
"""

_RAISED = "ingested_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')"

_AFTER = "(timestamp, id) > (fromUnixTimestamp64Milli({time:Int64}, 'UTC'), {last:String})"

_OPEN = f"SELECT id, {_CLOSES_AT} AS closes_at FROM {{table}} FINAL WHERE {_WINDOW} = 'open' LIMIT {{limit:UInt32}}"


class SignalRows:
    """Reads the current rows of signals, and writes rows; only the writer writes.

    `track` is `SIGNALS`, or `SUPPRESSED` for those that suppressions hide: rows of one shape in two tables.
    """

    def __init__(self, events: EventStore, track: Track = SIGNALS) -> None:
        self._events = events
        self._table = track.table

    def stored(self, rule_ids: Iterable[str], scopes: Sequence[str], since: int) -> dict[str, list[StoredSignal]]:
        """The signals of these scopes (`scope_key`) from `since` on (Unix milliseconds), by scope."""
        found: dict[str, list[StoredSignal]] = {}
        for start in range(0, len(scopes), CHUNK):
            parameters = {"rules": sorted(rule_ids), "scopes": scopes[start : start + CHUNK], "since": since}
            for row in self._events.query(self._sql(_STORED, parameters), LIMITS):
                signal = StoredSignal(
                    row["id"],
                    row["timestamp"],
                    _milliseconds(row["closes_at"]),
                    row["revision"],
                    row["row_version"],
                    row["ingested_at"],
                    matched=matched_of(row)._replace(seen=row["seen"] or ""),
                )
                found.setdefault(row["scope"], []).append(signal)
        return found

    def rows(self, signal_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Whole rows (`resource.COLUMNS`, and what `matched_of` reads) of the signals that exist, by id."""
        found = {}
        for parameters in _chunks(signal_ids):
            for row in self._events.query(self._sql(_ROWS, parameters), LIMITS):
                found[row["id"]] = row
        return found

    def timestamps(self, signal_ids: Iterable[str]) -> Mapping[str, int]:
        """Ids to timestamps (Unix milliseconds) of the signals that exist."""
        found = {}
        for parameters in _chunks(signal_ids):
            for row in self._events.query(self._sql(_TIMES, parameters), LIMITS):
                found[row["id"]] = row["timestamp"]
        return found

    def stretch(
        self,
        asked: Sequence[tuple[str | None, Node]],
        start: int,
        end: int,
        limits: Callable[[], Limits],
        raised_since: int | None = None,
    ) -> Iterator[list[dict[str, Any]]]:
        """Pages of the rows (`resource.COLUMNS`) in `[start, end)` (Unix milliseconds) that meet any of these
        conditions, each on the signals of one rule, or of all (None), in the order of (timestamp, id). `limits` says
        what the next statement may cost, or raises. With `raised_since`, only signals that were found from then on."""
        found = Sql.join(" OR ", [_of_rule(rule_id, node) for rule_id, node in asked])
        raised = Sql("true") if raised_since is None else Sql(_RAISED, {"since": raised_since})
        table, after = Sql(self._table), Sql("true")
        while True:
            sql = Sql.of(
                _STRETCH, table=table, found=found, raised=raised, after=after, start=start, end=end, page=PAGE
            )
            rows = self._events.query(sql, limits())
            if rows:
                yield rows
            if len(rows) < PAGE:
                return
            after = Sql(_AFTER, {"time": rows[-1]["timestamp"], "last": rows[-1]["id"]})

    def window_open(self, limit: int = 100_000) -> dict[str, int]:
        """Signals that are stored as window-open, and when they close (Unix milliseconds)."""
        rows = self._events.query(self._sql(_OPEN, {"limit": limit}), LIMITS)
        return {row["id"]: _milliseconds(row["closes_at"]) for row in rows}

    def insert(self, lines: Sequence[bytes]) -> None:
        """Store rows; durable when it returns."""
        for start in range(0, len(lines), CHUNK):
            part = lines[start : start + CHUNK]
            self._events.insert(self._table, b"\n".join(part), len(part))

    def _sql(self, template: str, parameters: Mapping[str, Any]) -> Sql:
        return Sql.of(template, table=Sql(self._table), **parameters)


def _of_rule(rule_id: str | None, node: Node) -> Sql:
    found = to_sql(node, SIGNALS)
    if rule_id is None:
        return Sql.of("({found})", found=found)
    return Sql.of("(rule_id = {rule:String} AND ({found}))", rule=rule_id, found=found)


def matched_of(row: Mapping[str, Any]) -> Matched:
    """What rules over signals find in the signal of a row."""
    version = int(row["matched_version"])
    return Matched(_matches(row["matched"]), _matches(row["unmatched"]), version) if version else UNMATCHED


def _matches(found: Iterable[Mapping[str, Any]]) -> tuple[Match, ...]:
    return tuple(
        Match(
            match["rule_id"],
            match["rule_version"],
            match["query_index"],
            tuple(match["group"]),
            match["distinct"],
            match["value"],
        )
        for match in found
    )


def timestamp_of(signal_id: str) -> int | None:
    """The moment that an id of ours carries (`identity.signal_id`), None for any other text."""
    if not signal_id.startswith(PREFIX):
        return None
    try:
        return int(signal_id[len(PREFIX) : len(PREFIX) + 12], 16)
    except ValueError:
        return None


def _chunks(signal_ids: Iterable[str]) -> Iterable[dict[str, list[Any]]]:
    ids = list(dict.fromkeys(signal_ids))
    for start in range(0, len(ids), CHUNK):
        part = [(timestamp_of(signal_id), signal_id) for signal_id in ids[start : start + CHUNK]]
        known = [(time, signal_id) for time, signal_id in part if time is not None]
        if known:
            yield {"times": sorted({time for time, _ in known}), "ids": [signal_id for _, signal_id in known]}


def _milliseconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    milliseconds = round(moment.timestamp() * 1000)
    if iso(milliseconds) != text:
        raise ValueError(f"'{text}' is not a time as signals are stored with")
    return milliseconds
