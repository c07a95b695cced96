"""What a suppression would hide of the stored signals and events, and what suppressions did hide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tocsin.query import Node, Sql, parse_cached, to_sql
from tocsin.query.track import LOGS, SIGNALS, SUPPRESSED
from tocsin.signals.resource import LIST_COLUMNS
from tocsin.store.events import EventStore

_STATE = "attributes.`workflow.triage.state`.:String"
_REASON = "attributes.`workflow.triage.archive_reason`.:String"
_HIDES = "attributes.`workflow.suppression.hides`.:String"

_SPAN = """timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')"""

_SIGNALS = f"""
SELECT rule_id, toUInt8({{query}}) AS is_hidden, if({_STATE} = 'archived', {_REASON}, '') AS reason, count() AS n
FROM signals FINAL WHERE {_SPAN} AND rule_id IN {{rules:Array(String)}}
GROUP BY rule_id, is_hidden, reason
"""

_EXAMPLES = f"""
SELECT {", ".join(LIST_COLUMNS)} FROM signals FINAL
WHERE {_SPAN} AND rule_id IN {{rules:Array(String)}} AND {{query}}
ORDER BY timestamp DESC, id DESC LIMIT {{limit:UInt32}}
"""

_EVENTS = f"""
SELECT count() AS matched, countIf({{query}}) AS excluded FROM logs
WHERE {_SPAN} AND hasAny(matched.rule_id, {{rules:Array(String)}})
"""

_HIDDEN = f"""
SELECT rule_id, intDiv(toUnixTimestamp64Milli(ingested_at), 3600000) * 3600000 AS hour, {_HIDES} AS hides, count() AS n
FROM suppressed FINAL
WHERE ingested_at >= fromUnixTimestamp64Milli({{start:Int64}}, 'UTC')
  AND ingested_at < fromUnixTimestamp64Milli({{end:Int64}}, 'UTC') AND {{query}}
GROUP BY rule_id, hour, hides ORDER BY hour, rule_id, hides
"""


@dataclass(frozen=True, slots=True)
class SignalCount:
    """Signals of a rule that the query finds or not, by the reason that they were archived for ("": not archived)."""

    rule_id: str
    is_hidden: bool
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class HiddenCount:
    """What was hidden of a rule in an hour (its first Unix millisecond): whole signals, or updates of such."""

    rule_id: str
    hour: int
    hides: str
    count: int


def signals(events: EventStore, rule_ids: Sequence[str], query: Node, start: int, end: int) -> list[SignalCount]:
    """Counts of the signals of these rules in `[start, end)` (Unix milliseconds)."""
    sql = Sql.of(_SIGNALS, query=to_sql(query, SIGNALS), rules=list(rule_ids), start=start, end=end)
    return [
        SignalCount(row["rule_id"], bool(row["is_hidden"]), row["reason"] or "", int(row["n"]))
        for row in events.query(sql)
    ]


def examples(
    events: EventStore, rule_ids: Sequence[str], query: Node, start: int, end: int, limit: int
) -> list[Mapping[str, Any]]:
    """The latest of the signals that the query finds, as rows of `resource.LIST_COLUMNS`."""
    sql = Sql.of(
        _EXAMPLES, query=to_sql(query, SIGNALS), rules=list(rule_ids), start=start, end=end, limit=limit
    )  # fmt: skip
    return list(events.query(sql))


def matched_events(events: EventStore, rule_ids: Sequence[str], query: Node, start: int, end: int) -> tuple[int, int]:
    """Of the events that these rules matched: how many the query finds, and how many there are."""
    sql = Sql.of(_EVENTS, query=to_sql(query, LOGS), rules=list(rule_ids), start=start, end=end)
    (row,) = events.query(sql)
    return int(row["excluded"]), int(row["matched"])


def hidden(events: EventStore, suppression_id: str, start: int, end: int) -> list[HiddenCount]:
    """What a suppression hid in `[start, end)` (Unix milliseconds) of discovery, by rule and hour."""
    query = parse_cached(f"@workflow.suppression.id:{suppression_id}")
    sql = Sql.of(_HIDDEN, query=to_sql(query, SUPPRESSED), start=start, end=end)
    return [HiddenCount(row["rule_id"], int(row["hour"]), row["hides"], int(row["n"])) for row in events.query(sql)]
