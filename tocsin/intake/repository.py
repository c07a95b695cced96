"""What the intake reads from the event store: recent ids, rejected events, counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from tocsin.intake.batch import stored_time
from tocsin.query.sql import Sql

SEED_SECONDS = 3_600
"""How far back from the newest event ids are remembered after a start; shippers repeat for minutes."""

MAX_PAGE = 1_000


class Rows(Protocol):
    """The part of the event store that the intake uses (`store/events.py`)."""

    def insert(self, table: str, lines: bytes, rows: int) -> None: ...

    def query(self, sql: Sql) -> list[dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """An event that could not be understood, as it arrived. Times in Unix milliseconds.

    `context` holds the request's defaults: `source`, `service`, `host`, `tags`, `occurrence`, `is_text`.
    """

    id: str
    received_at: int
    code: str
    reason: str
    raw: str
    context: Mapping[str, Any]
    replayed_at: int | None
    version: int


@dataclass(frozen=True, slots=True)
class RejectedFilter:
    """Which rejected events: all given conditions hold. Times in Unix milliseconds, `to` excluded."""

    ids: tuple[str, ...] = ()
    code: str | None = None
    received_from: int | None = None
    received_to: int | None = None
    is_replayed: bool | None = None


class IntakeRepository:
    """Queries on `logs` and `rejected`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def recent_ids(self, most: int) -> list[str]:
        """Ids of the newest events by `ingested_at`, oldest first."""
        rows = self._rows.query(
            Sql(
                f"SELECT id FROM logs WHERE ingested_at >= (SELECT max(ingested_at) FROM logs) "
                f"- toIntervalSecond({SEED_SECONDS}) ORDER BY ingested_at DESC LIMIT {{most:UInt64}}",
                {"most": most},
            )
        )
        return [row["id"] for row in reversed(rows)]

    def newest_ingested_at(self) -> int:
        """Unix milliseconds; 0 when there is no event."""
        return int(self._rows.query(Sql("SELECT max(ingested_at) AS at FROM logs"))[0]["at"])

    def known_ids(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids that are stored, however old."""
        sql = Sql(
            "SELECT id FROM logs WHERE timestamp IN "
            "(SELECT fromUnixTimestamp64Milli(arrayJoin({times:Array(Int64)}), 'UTC')) AND id IN {ids:Array(String)}",
            {"times": sorted({_timestamp(id) for id in ids}), "ids": list(ids)},
        )
        return {row["id"] for row in self._rows.query(sql)}

    def rejected(self, chosen: RejectedFilter, most: int, after: tuple[int, str] | None = None) -> list[RejectedEvent]:
        """Newest first; `after` is (received_at, id) of the last one of the page before."""
        sql = Sql.of(
            "SELECT id, received_at, code, reason, raw, context, replayed_at, version FROM rejected FINAL "
            "WHERE {where} ORDER BY received_at DESC, id DESC LIMIT {most:UInt32}",
            where=_where(chosen, after),
            most=min(most, MAX_PAGE),
        )
        return [
            RejectedEvent(**{**row, "context": orjson.loads(row["context"]), "version": int(row["version"])})
            for row in self._rows.query(sql)
        ]

    def kept(self) -> dict[str, Any]:
        """How many events the store holds at present: `stored`, and `rejected` by code."""
        stored = self._rows.query(Sql("SELECT count() AS n FROM logs"))[0]["n"]
        rejected = self._rows.query(Sql("SELECT code, count() AS n FROM rejected FINAL GROUP BY code ORDER BY code"))
        return {"stored": int(stored), "rejected": {row["code"]: int(row["n"]) for row in rejected}}

    def mark_replayed(self, events: Iterable[RejectedEvent], now: int) -> None:
        """Set `replayed_at`; safe to do twice."""
        lines = [
            orjson.dumps(
                {
                    "id": event.id,
                    "received_at": stored_time(event.received_at),
                    "code": event.code,
                    "reason": event.reason,
                    "raw": event.raw,
                    "context": orjson.dumps(event.context).decode(),
                    "replayed_at": stored_time(now),
                    "version": max(now, event.version + 1),
                }
            )
            for event in events
        ]
        self._rows.insert("rejected", b"\n".join(lines), len(lines))


def _timestamp(id: str) -> int:
    """The time that an id begins with (`event.event_id`); the order of ids follows it."""
    return int(id[5:17], 16)


def _where(chosen: RejectedFilter, after: tuple[int, str] | None) -> Sql:
    parts = [Sql("1")]
    if chosen.ids:
        parts.append(Sql("id IN {ids:Array(String)}", {"ids": list(chosen.ids)}))
    if chosen.code is not None:
        parts.append(Sql("code = {code:String}", {"code": chosen.code}))
    if chosen.received_from is not None:
        parts.append(Sql("received_at >= fromUnixTimestamp64Milli({at:Int64})", {"at": chosen.received_from}))
    if chosen.received_to is not None:
        parts.append(Sql("received_at < fromUnixTimestamp64Milli({at:Int64})", {"at": chosen.received_to}))
    if chosen.is_replayed is not None:
        parts.append(Sql("replayed_at IS NOT NULL" if chosen.is_replayed else "replayed_at IS NULL"))
    if after is not None:
        parts.append(
            Sql(
                "(received_at, id) < (fromUnixTimestamp64Milli({at:Int64}), {id:String})",
                {"at": after[0], "id": after[1]},
            )
        )
    return Sql.join(" AND ", parts)
