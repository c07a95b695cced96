"""What the stored logs and signals of an entity say about a rule's queries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tocsin.evaluate.repository import LATE_MS
from tocsin.event import BACKFILL_TAG, Event
from tocsin.query import Node, Sql, to_sql
from tocsin.query.track import LOGS, Track
from tocsin.signals.resource import COLUMNS
from tocsin.signals.stored import event_of
from tocsin.store.events import EventStore
from tocsin.store.rows import decode_event

_SPAN = """timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC') AND {entity}"""

_COUNTS = f"""
SELECT count() AS events, countIf({{found}}) AS found, countIf({{found}} AND {{grouped}}) AS grouped,
  countIf({{found}} AND {{excluded}}) AS excluded, countIf({{found}} AND NOT ({{analysed}})) AS unanalysed,
  countIf({{found}} AND {{late}}) AS late,
  countIf({{found}} AND has(matched.rule_id, {{rule:String}})) AS recorded,
  sumForEach([{{terms}}]) AS term_counts, sumForEach([{{fields}}]) AS field_counts
FROM {{table}} WHERE {_SPAN}
"""

_NEAREST = f"""
SELECT {{columns}}, [{{terms}}] AS held
FROM {{table}} WHERE {_SPAN} AND NOT {{found}}
ORDER BY arraySum(held) DESC, timestamp DESC, id DESC LIMIT {{limit:UInt32}}
"""

_LATE = """(toUnixTimestamp64Milli(ingested_at) - toUnixTimestamp64Milli(timestamp) > {late:Int64}
    AND NOT has(tags, {backfill:String}))"""

_LOG_COLUMNS = "id, timestamp, ingested_at, host, service, source, status, message, trace_id, tags, document"


@dataclass(frozen=True, slots=True)
class QueryCounts:
    """Of the entity's `events`: those that the whole query finds, with how many of these have all group-by fields, are
    excluded by suppressions, are kept away by security filters, came too late for detection, and were noted as a match
    of the rule when they came in.

    `terms` are the events for which each part of the query holds, `fields` the found ones that have each group-by
    field.
    """

    events: int
    found: int
    grouped: int
    excluded: int
    unanalysed: int
    late: int
    recorded: int
    terms: tuple[int, ...]
    fields: tuple[int, ...]


class EntityEvents:
    """Reads stored events of one entity in a span of time (`[start, end)`, Unix milliseconds): logs, or signals."""

    def __init__(self, events: EventStore, track: Track = LOGS) -> None:
        """`track` is `LOGS`, or a track of signals."""
        is_logs = track.name == LOGS.name
        self._events = events
        self._track = track
        self._table = Sql(track.table if is_logs else f"{track.table} FINAL")
        self._columns = Sql(_LOG_COLUMNS if is_logs else ", ".join(COLUMNS))
        self._decode: Callable[[Mapping[str, Any]], Event] = decode_event if is_logs else event_of
        # A signal stands for events that were evaluated, however late they came.
        self._late = Sql(_LATE, {"late": LATE_MS, "backfill": BACKFILL_TAG}) if is_logs else Sql("0")

    def counts(
        self,
        entity: Node,
        start: int,
        end: int,
        rule_id: str,
        query: Node,
        terms: Sequence[Node],
        fields: Sequence[Node],
        excluded: Node | None,
        analysed: Node | None,
    ) -> QueryCounts:
        """`terms` are the parts of the query, `fields` say that a group-by field is there, `excluded` what suppressions
        keep from the rule, `analysed` what security filters let it see (None: everything). Raises `LimitExceeded`."""
        found = self._where(query)
        there = [self._where(field) for field in fields]
        sql = Sql.of(
            _COUNTS,
            table=self._table,
            found=found,
            grouped=Sql.join(" AND ", there, "g") if there else Sql("1"),
            excluded=Sql("0") if excluded is None else self._where(excluded),
            analysed=Sql("1") if analysed is None else self._where(analysed),
            terms=_numbers([self._where(term) for term in terms]),
            fields=_numbers([Sql.of("({a}) AND ({b})", a=found, b=one) for one in there]),
            entity=self._where(entity),
            start=start,
            end=end,
            rule=rule_id,
            late=self._late,
        )
        (row,) = self._events.query(sql)
        return QueryCounts(
            events=int(row["events"]),
            found=int(row["found"]),
            grouped=int(row["grouped"]),
            excluded=int(row["excluded"]),
            unanalysed=int(row["unanalysed"]),
            late=int(row["late"]),
            recorded=int(row["recorded"]),
            terms=_padded(row["term_counts"], len(terms)),
            fields=_padded(row["field_counts"], len(fields)),
        )

    def nearest(
        self, entity: Node, start: int, end: int, query: Node, terms: Sequence[Node], limit: int
    ) -> list[tuple[Event, tuple[bool, ...]]]:
        """The events that the query does not find, for which most of its parts hold, with which of them do; the latest
        of equals first."""
        sql = Sql.of(
            _NEAREST,
            table=self._table,
            columns=self._columns,
            terms=_numbers([self._where(term) for term in terms]),
            entity=self._where(entity),
            found=self._where(query),
            start=start,
            end=end,
            limit=limit,
        )
        return [(self._decode(row), tuple(bool(one) for one in row["held"])) for row in self._events.query(sql)]

    def _where(self, node: Node) -> Sql:
        return to_sql(node, self._track)


def _numbers(conditions: Sequence[Sql]) -> Sql:
    """Conditions as elements of an array of 0 and 1; an array cannot be empty."""
    if not conditions:
        return Sql("toUInt64(0)")
    return Sql.join(", ", [Sql.of("toUInt64({one})", one=condition) for condition in conditions], "n")


def _padded(found: Any, length: int) -> tuple[int, ...]:
    """Sums over no rows are an empty array."""
    numbers = [int(one) for one in found][:length]
    return tuple(numbers + [0] * (length - len(numbers)))
