"""What hunts read from the stored logs, and the matches that they add; stored logs are never altered."""

from collections.abc import Iterable, Mapping, Sequence

import orjson

from tocsin.event import Event
from tocsin.query import Sql
from tocsin.rule import Match
from tocsin.store.events import EventStore
from tocsin.store.limits import Limits
from tocsin.store.rows import decode_event, stored_time

LIMITS = Limits(seconds=120, rows=0)
"""A hunt may read all logs, slice by slice."""

_EDGE = """
SELECT count() AS logs, min(timestamp) AS edge FROM (
  SELECT timestamp FROM logs
  WHERE timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    AND timestamp < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  ORDER BY timestamp DESC LIMIT {limit:UInt64}
)
"""

_SLICE = """
SELECT id, timestamp, ingested_at, host, service, source, status, message, trace_id, tags, document FROM logs
WHERE timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({until:Int64}, 'UTC') AND {holding}
LIMIT 1 BY id
"""

_HOLDING = """(multiSearchAnyCaseInsensitive(document, {needles:Array(String)})
  OR multiSearchAnyCaseInsensitive(toString(host), {needles:Array(String)}))"""


def edge(events: EventStore, since: int, until: int, limit: int) -> tuple[int, int]:
    """How many logs (at most `limit`) lie before `until`, and the time of the earliest of these (Unix milliseconds)."""
    (row,) = events.query(Sql(_EDGE, {"since": since, "until": until, "limit": limit}), LIMITS)
    return int(row["logs"]), int(row["edge"])


def logs(events: EventStore, since: int, until: int, needles: Sequence[str] | None) -> list[Event]:
    """The logs from `since` (inclusive) to `until` (exclusive), only those that hold a needle if there are any."""
    holding = Sql("1") if needles is None else Sql(_HOLDING, {"needles": list(needles)})
    sql = Sql.of(_SLICE, since=since, until=until, holding=holding)
    return [decode_event(row) for row in events.query(sql, LIMITS)]


def add_matches(events: EventStore, found: Iterable[tuple[Event, Match]], now: int) -> int:
    """Matches as the intake would have written them, marked as backfill so that their age is no matter; how many.

    The same match again is one to every reader, so a hunt that is repeated adds nothing.
    """
    lines = [orjson.dumps(_line(event, match, now)) for event, match in found]
    if lines:
        events.insert("matches", b"\n".join(lines), len(lines))
    return len(lines)


def _line(event: Event, match: Match, now: int) -> Mapping[str, object]:
    return {
        "rule_id": match.rule_id,
        "rule_version": match.rule_version,
        "query_index": match.query_index,
        "group": match.group,
        "timestamp": stored_time(event.timestamp),
        "event_id": event.id,
        "ingested_at": stored_time(now),
        "distinct": match.distinct,
        "value": match.value,
        "is_backfill": 1,
    }
