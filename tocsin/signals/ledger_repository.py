"""Rows of the coverage ledger in the event store (table `coverage`). Minutes are whole minutes since 1970."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tocsin.evaluate.decision import NO_QUERY
from tocsin.evaluate.repository import LIMITS
from tocsin.evaluate.signals_repository import MATCHES_OF_SIGNALS
from tocsin.query import Sql
from tocsin.store.events import EventStore
from tocsin.store.rows import stored_time

MINUTE_MS = 60_000

ENGINE, SOURCE, RULE = "engine", "source", "rule"

_LAST = "SELECT max(minute) AS last, count() AS rows FROM coverage WHERE kind = 'engine'"

_WITHIN = "minute >= toDateTime({start:UInt32}, 'UTC') AND minute < toDateTime({end:UInt32}, 'UTC')"

_ARRIVED_WITHIN = """ingested_at >= fromUnixTimestamp64Milli({start_ms:Int64}, 'UTC')
  AND ingested_at < fromUnixTimestamp64Milli({end_ms:Int64}, 'UTC')"""

_ARRIVED = f"""
SELECT intDiv(toUnixTimestamp64Milli(ingested_at), 60000) AS number, source, count() AS events
FROM logs WHERE {_ARRIVED_WITHIN} GROUP BY number, source
"""

_EVALUATED = f"""
SELECT minute, min(at) AS at FROM coverage FINAL WHERE kind = 'engine' AND {_WITHIN} GROUP BY minute
"""

_SOURCES = f"""
SELECT minute, name, max(events) AS events FROM coverage FINAL
WHERE kind = 'source' AND {_WITHIN} GROUP BY minute, name
"""

_ACTIVE = f"SELECT DISTINCT name FROM coverage WHERE kind = 'source' AND events > 0 AND name != '' AND {_WITHIN}"

# A writer that took over reads the last minutes again, so what two writers counted is not added up.
_SKIPPED = f"""
SELECT minute, name, reason, max(events) AS events, argMax(message, version) AS message FROM coverage FINAL
WHERE kind = 'rule' AND {_WITHIN} AND name IN {{rules:Array(String)}} GROUP BY minute, name, reason
"""

_MATCHED = """
SELECT rule_id, intDiv(toUnixTimestamp64Milli(ingested_at), 60000) AS number, count() AS matches
FROM {source} WHERE rule_id IN {rules:Array(String)} AND query_index != {no_query:UInt8} AND {within}
GROUP BY rule_id, number
"""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Matches of a rule that arrived in a minute and were not evaluated. `message`: what went wrong, if anything."""

    rule_id: str
    minute: int
    reason: str
    matches: int
    message: str = ""


class LedgerRows:
    """Reads and writes the ledger. Every read is of the minutes `[start, end)`."""

    def __init__(self, events: EventStore) -> None:
        self._events = events

    def last_minute(self) -> int | None:
        """The latest minute that was evaluated, None before the first."""
        row = self._events.query(Sql(_LAST), LIMITS)[0]
        return row["last"] // MINUTE_MS if int(row["rows"]) else None

    def write(
        self,
        minutes: Sequence[int],
        arrived: Mapping[tuple[int, str], int],
        skipped: Iterable[Skipped],
        writer: str,
        at: int,
    ) -> None:
        """Note minutes as evaluated `at` (Unix milliseconds), what arrived in them by source, and what was skipped."""
        lines = [_line(ENGINE, minute, "", 0, writer, at) for minute in minutes]
        lines += [_line(SOURCE, minute, source, events, "", at) for (minute, source), events in arrived.items()]
        lines += [
            _line(RULE, item.minute, item.rule_id, item.matches, writer, at, item.reason, item.message)
            for item in skipped
        ]
        if lines:
            self._events.insert("coverage", b"\n".join(lines), len(lines))

    def arrived(self, start: int, end: int) -> dict[tuple[int, str], int]:
        """Logs by minute of arrival and source, counted among the logs themselves."""
        parameters = {"start_ms": start * MINUTE_MS, "end_ms": end * MINUTE_MS}
        rows = self._events.query(Sql(_ARRIVED, parameters), LIMITS)
        return {(int(row["number"]), row["source"]): int(row["events"]) for row in rows}

    def evaluated(self, start: int, end: int) -> dict[int, int]:
        """The minutes that were evaluated, and when first (Unix milliseconds)."""
        rows = self._events.query(Sql(_EVALUATED, _seconds(start, end)), LIMITS)
        return {row["minute"] // MINUTE_MS: row["at"] for row in rows}

    def sources(self, start: int, end: int) -> dict[str, dict[int, int]]:
        """Logs by source and minute of arrival, as they were noted."""
        found: dict[str, dict[int, int]] = {}
        for row in self._events.query(Sql(_SOURCES, _seconds(start, end)), LIMITS):
            found.setdefault(row["name"], {})[row["minute"] // MINUTE_MS] = int(row["events"])
        return found

    def active_sources(self, start: int, end: int) -> list[str]:
        """The sources of which any log arrived, by name."""
        return sorted(row["name"] for row in self._events.query(Sql(_ACTIVE, _seconds(start, end)), LIMITS))

    def skipped(self, start: int, end: int, rule_ids: Sequence[str]) -> list[Skipped]:
        """What was not evaluated of these rules."""
        rows = self._events.query(Sql(_SKIPPED, {**_seconds(start, end), "rules": list(rule_ids)}), LIMITS)
        return [
            Skipped(row["name"], row["minute"] // MINUTE_MS, row["reason"], int(row["events"]), row["message"])
            for row in rows
        ]

    def matched(self, start: int, end: int, rule_ids: Sequence[str]) -> dict[tuple[str, int], int]:
        """Matches by rule and minute of arrival; of rules over signals, of when the signals were discovered."""
        within = Sql(_ARRIVED_WITHIN, {"start_ms": start * MINUTE_MS, "end_ms": end * MINUTE_MS})
        found: dict[tuple[str, int], int] = {}
        for source in (Sql("matches"), Sql(MATCHES_OF_SIGNALS.text, {"since": 0})):
            sql = Sql.of(_MATCHED, source=source, within=within, rules=list(rule_ids), no_query=NO_QUERY)
            for row in self._events.query(sql, LIMITS):
                found[row["rule_id"], int(row["number"])] = int(row["matches"])
        return found


def _seconds(start: int, end: int) -> dict[str, Any]:
    return {"start": start * 60, "end": end * 60}


def _line(
    kind: str, minute: int, name: str, events: int, writer: str, at: int, reason: str = "", message: str = ""
) -> bytes:
    return orjson.dumps(
        {
            "kind": kind,
            "minute": minute * 60,
            "name": name,
            "reason": reason,
            "writer": writer,
            "events": events,
            "at": stored_time(at),
            "message": message[:1000],
            "version": at,
        }
    )
