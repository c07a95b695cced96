"""Lines for the tables of signals: made of what was concluded, or of a row that is there already. Pure."""

from collections.abc import Mapping
from typing import Any

import orjson

from tocsin.evaluate.correlation import UNMATCHED, Matched
from tocsin.event import Json
from tocsin.signals.projection import Projection
from tocsin.store.rows import encode_signal

_COPIED = (
    "id",
    "timestamp",
    "ingested_at",
    "rule_id",
    "title",
    "message",
    "status",
    "host",
    "service",
    "source",
    "tags",
)


def projected_line(
    projection: Projection,
    custom: Mapping[str, Json],
    *,
    signal_id: str,
    ingested_at: int,
    version: int,
    matched: Matched = UNMATCHED,
) -> bytes:
    """The line of what was concluded, with `custom` in place of the projection's own members."""
    signal = projection.signal
    return encode_signal(
        id=signal_id,
        timestamp=signal.timestamp,
        ingested_at=ingested_at,
        row_version=version,
        rule_id=signal.rule_id,
        title=signal.title,
        message=signal.message,
        status=signal.severity,
        host=signal.host,
        service=signal.service,
        source=signal.source,
        tags=signal.tags,
        custom=custom,
        detail=projection.detail,
        **_found(matched),
    )


def changed_line(
    row: Mapping[str, Any], custom: Mapping[str, Json], version: int, matched: Matched = UNMATCHED, **changes: Any
) -> bytes:
    """The line of a stored row (`SignalRows.rows`) with other members; `changes` name columns."""
    return encode_signal(
        **{name: row[name] for name in _COPIED} | changes,
        row_version=version,
        custom=custom,
        detail=orjson.loads(row["detail"]),
        **_found(matched),
    )


def tombstone(
    signal_id: str, timestamp: int, ingested_at: int, rule_id: str, version: int, matched: Matched = UNMATCHED
) -> bytes:
    """The line that makes a signal disappear."""
    return encode_signal(
        id=signal_id,
        timestamp=timestamp,
        ingested_at=ingested_at,
        row_version=version,
        rule_id=rule_id,
        title="",
        message="",
        status="",
        custom={},
        is_deleted=True,
        **_found(matched),
    )


def _found(matched: Matched) -> dict[str, Any]:
    return {"matched": matched.current, "unmatched": matched.former, "matched_version": matched.version}
