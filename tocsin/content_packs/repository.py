"""What people decided about content packs (state store), and what is stored of their logs and signals (event store)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tocsin.content_packs.states import Activation
from tocsin.content_packs.tables import content_packs
from tocsin.query import LOGS, SIGNALS, Sql, parse_cached, to_sql
from tocsin.store.events import EventStore

_FINAL = {"do_not_merge_across_partitions_select_final": 1}

_RECENT = """
SELECT {counts} FROM logs
WHERE timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
"""

_EARLIER = """
SELECT {counts} FROM logs WHERE timestamp < fromUnixTimestamp64Milli({start:Int64}, 'UTC')
"""

_SIGNALS = """
SELECT {counts} FROM signals FINAL
WHERE timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
"""


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided about a pack, `at` Unix milliseconds, and what it changed (`tables.content_packs`)."""

    activation: Activation
    at: int
    switched_off: Mapping[str, int]
    rules: tuple[str, ...]
    filter_id: str | None


@dataclass(frozen=True, slots=True)
class Logs:
    """Logs of a time: how many, how many of them rules may look at, and when the last one was (Unix milliseconds)."""

    count: int
    analysed: int
    last: int | None


def decisions(session: Session) -> dict[str, Decision]:
    """By pack; those of which somebody has decided."""
    rows = session.execute(select(content_packs))
    return {
        row.id: Decision(Activation(row.activation), row.at, row.switched_off, tuple(row.rules), row.filter_id)
        for row in rows
    }


def decide(session: Session, pack_id: str, decision: Decision) -> None:
    """Keep a decision in the place of the one before."""
    session.execute(delete(content_packs).where(content_packs.c.id == pack_id))
    session.execute(
        content_packs.insert().values(
            id=pack_id,
            activation=decision.activation.value,
            at=decision.at,
            switched_off=dict(decision.switched_off),
            rules=list(decision.rules),
            filter_id=decision.filter_id,
        )
    )


def recent_logs(events: EventStore, queries: Sequence[str], analysed: str | None, start: int, end: int) -> list[Logs]:
    """What each query finds among the logs of `[start, end)` (Unix milliseconds), in one reading of them. `analysed` is
    what rules look at, None for all."""
    found = [to_sql(parse_cached(query), LOGS) for query in queries]
    seen = Sql("1") if analysed is None else to_sql(parse_cached(analysed), LOGS)
    counts = [
        Sql.of(
            "(countIf({found}), countIf({found} AND {seen}), toUnixTimestamp64Milli(maxIf(timestamp, {found})))",
            found=one,
            seen=seen,
        )
        for one in found
    ]
    row = _row(events, _RECENT, counts, start=start, end=end)
    return [Logs(int(count), int(some), int(last) if int(count) else None) for count, some, last in row]


def last_before(events: EventStore, queries: Sequence[str], start: int) -> list[int | None]:
    """When the last log that each query finds was, of those before `start` (Unix milliseconds)."""
    if not queries:
        return []
    found = [to_sql(parse_cached(query), LOGS) for query in queries]
    counts = [
        Sql.of("(countIf({found}), toUnixTimestamp64Milli(maxIf(timestamp, {found})))", found=one) for one in found
    ]
    row = _row(events, _EARLIER, counts, start=start)
    return [int(last) if int(count) else None for count, last in row]


def signal_counts(events: EventStore, queries: Sequence[str], start: int, end: int) -> list[int]:
    """How many signals of `[start, end)` (Unix milliseconds) each query finds."""
    counts = [Sql.of("countIf({found})", found=to_sql(parse_cached(query), SIGNALS)) for query in queries]
    return [int(count) for count in _row(events, _SIGNALS, counts, _FINAL, start=start, end=end)]


def _row(
    events: EventStore,
    template: str,
    counts: Sequence[Sql],
    settings: Mapping[str, str | int] | None = None,
    **times: int,
) -> list[Any]:
    """The columns of the one row that counts give, in their order."""
    named = [Sql.of("{count} AS {name}", count=count, name=Sql(f"c{place}")) for place, count in enumerate(counts)]
    (row,) = events.query(Sql.of(template, counts=Sql.join(", ", named, "n"), **times), settings=settings)
    return [row[f"c{place}"] for place in range(len(counts))]
