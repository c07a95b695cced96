"""The tables that there are: one for each track, and what stands beside them (design §2, §4)."""

from collections.abc import Mapping
from dataclasses import replace

from tocsin.event import BACKFILL_TAG
from tocsin.query import track
from tocsin.query.track import Track
from tocsin.store.layout import Table, View

_TIME = "DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))"
_ARRIVAL = "DateTime64(3, 'UTC') CODEC(Delta, LZ4)"
_WORD = "LowCardinality(String)"
_TEXT = "String CODEC(ZSTD(1))"
_MATCH = {
    "rule_id": "String",
    "rule_version": "UInt32",
    "query_index": "UInt8",
    "group": "Array(String)",
    "distinct": "Nullable(String)",
    "value": "Nullable(Float64)",
}
_MATCHED = f"Array(Tuple({', '.join(f'`{name}` {kind}' for name, kind in _MATCH.items())}))"
_LATER = "greatest(timestamp, ingested_at)"
"""What retention counts from: an old recording that is sent today is kept as long as what happens today."""
_BY_DAY = "(toYYYYMMDD(timestamp), ignore(ingested_at))"
_BY_MONTH = "(toYYYYMM(timestamp), ignore(ingested_at))"


def track_table(
    of: Track, partition_by: str, *, replacing: str | None = None, extra: Mapping[str, str] | None = None
) -> Table:
    """The table of a track: what the query language reads, what is shown (`document`), and `extra` columns."""
    return Table(
        name=of.table,
        columns={"id": _TEXT, "ingested_at": _ARRIVAL, **of.ddl, "document": _TEXT, **(extra or {})},
        order_by="(timestamp, id)",
        partition_by=partition_by,
        sharding="cityHash64(id)",
        expires=_LATER,
        replacing=replacing,
        indexes=of.indexes,
    )


LOGS = replace(track_table(track.LOGS, _BY_DAY, extra={"matched": _MATCHED}), settings={"merge_selector_base": 10})
"""A row costs more to merge than to insert, so it is merged less often than with the engine's own 5: while inserts go
on, inserting and merging took 155 us of processor time for each row instead of 190."""

AUDIT = track_table(track.AUDIT, _BY_MONTH, replacing="ingested_at")

MATCHED_COLUMNS = {"matched": _MATCHED, "unmatched": _MATCHED, "matched_version": "UInt64"}
"""Of signals: what rules over signals find in one, what they found once, and when that changed (decision 0088)."""

_SIGNAL = {
    "row_version": "UInt64",
    "is_deleted": "UInt8",
    "rule_id": _WORD,
    "title": _TEXT,
    "detail": _TEXT,
    **MATCHED_COLUMNS,
}

SIGNALS = track_table(track.SIGNALS, _BY_MONTH, replacing="row_version, is_deleted", extra=_SIGNAL)

SUPPRESSED = track_table(track.SUPPRESSED, _BY_MONTH, replacing="row_version, is_deleted", extra=_SIGNAL)

HISTORICAL = track_table(track.HISTORICAL, _BY_MONTH, replacing="row_version, is_deleted", extra=_SIGNAL)

MATCHES = Table(
    name="matches",
    columns={
        "rule_id": _WORD,
        "rule_version": "UInt32",
        "query_index": "UInt8",
        "group": "Array(String)",
        "timestamp": _TIME,
        "event_id": _TEXT,
        "ingested_at": _ARRIVAL,
        "distinct": "Nullable(String)",
        "value": "Nullable(Float64)",
        "is_backfill": "UInt8",
    },
    order_by="(rule_id, `group`, timestamp, event_id)",
    partition_by=_BY_DAY,
    sharding="cityHash64(rule_id, `group`)",
    expires=_LATER,
)

REJECTED = Table(
    name="rejected",
    columns={
        "id": "String",
        "received_at": _TIME,
        "code": _WORD,
        "reason": _TEXT,
        "raw": _TEXT,
        "context": _TEXT,
        "replayed_at": "Nullable(DateTime64(3, 'UTC'))",
        "version": "UInt64",
    },
    order_by="id",
    partition_by="toYYYYMM(received_at)",
    sharding="cityHash64(id)",
    expires="received_at",
    replacing="version",
)

COVERAGE = Table(
    name="coverage",
    columns={
        "kind": _WORD,
        "minute": "DateTime('UTC') CODEC(Delta, ZSTD(1))",
        "name": _WORD,
        "reason": _WORD,
        "writer": _WORD,
        "events": "UInt64",
        "at": _TIME,
        "message": _TEXT,
        "version": "UInt64",
    },
    order_by="(kind, minute, name, reason, writer)",
    partition_by="toYYYYMMDD(minute)",
    sharding="cityHash64(kind, minute)",
    expires="minute",
    replacing="version",
)
"""The ledger of what detection looked at (`signals/ledger.py`): minutes that were evaluated (kind `engine`), events
that each source sent in them (`source`), and matches that were not evaluated, by rule and reason (`rule`)."""

TABLES = (LOGS, SIGNALS, SUPPRESSED, HISTORICAL, AUDIT, MATCHES, REJECTED, COVERAGE)

MATCHES_OF_LOGS = View(
    name="matches_of_logs",
    source="logs",
    target="matches",
    select=(
        "SELECT m.rule_id AS rule_id, m.rule_version AS rule_version, m.query_index AS query_index,\n"
        "  m.`group` AS `group`, timestamp, id AS event_id, ingested_at, m.`distinct` AS `distinct`, m.value AS value,"
        "\n"
        f"  has(tags, '{BACKFILL_TAG}') AS is_backfill\n"
        "FROM {source} ARRAY JOIN matched AS m"
    ),
)

VIEWS = (MATCHES_OF_LOGS,)


def is_replacing(name: str) -> bool:
    """Whether rows of the table replace one another, so that it is read with FINAL."""
    return any(table.replacing is not None for table in TABLES if table.name == name)
