"""Rows of the event store as JSON lines, and events back from rows.

Encoders return one line each, without the line break; join them with `b"\\n"`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from tocsin.event import Event, Json
from tocsin.query.columns import search_columns, stored_tags
from tocsin.query.track import AUDIT, LOGS, SIGNALS, Track
from tocsin.query.values import Scalar
from tocsin.rule import Match


def encode_event(
    event: Event,
    matches: Sequence[Match] = (),
    found: Mapping[str, list[Scalar]] | None = None,
    document: bytes = b"",
) -> bytes:
    """A line for `logs`; for `audit` use `encode_audit`, which has no matches.

    `found` is `flatten(event.attributes)`, `document` the attributes as JSON, each if it is at hand.
    `ingested_at` comes last: the intake cuts it off.
    """
    row = _event_row(event, LOGS, found, document)
    row["matched"] = _matched(matches)
    row["ingested_at"] = stored_time(event.ingested_at)
    return orjson.dumps(row)


def encode_audit(event: Event) -> bytes:
    """A line for `audit`."""
    return orjson.dumps({**_event_row(event, AUDIT), "ingested_at": stored_time(event.ingested_at)})


def encode_signal(
    *,
    id: str,
    timestamp: int,
    ingested_at: int,
    row_version: int,
    rule_id: str,
    title: str,
    message: str,
    status: str,
    host: Sequence[str] = (),
    service: Sequence[str] = (),
    source: Sequence[str] = (),
    tags: Sequence[str] = (),
    custom: Mapping[str, Json],
    detail: Mapping[str, Json] | None = None,
    is_deleted: bool = False,
    matched: Sequence[Match] = (),
    unmatched: Sequence[Match] = (),
    matched_version: int = 0,
) -> bytes:
    """A line for `signals`: `custom` is what is searched (api.md §5), `detail` is shown but not searched.

    Of rows with one id and timestamp the highest `row_version` counts; `is_deleted` makes the signal disappear.
    `matched` is what rules over signals find in it, `unmatched` what they found once, and `matched_version` rises
    whenever detection writes (`signals/matching.py`); 0 if no rule ever found anything.
    """
    reserved = {"message": message, "status": status, "host": host, "service": service, "source": source}
    found: dict[str, Any] = {}
    if matched_version:
        found = {"matched": _matched(matched), "unmatched": _matched(unmatched), "matched_version": matched_version}
    return orjson.dumps(
        {
            **found,
            **reserved,
            **search_columns(reserved, custom, SIGNALS),
            "id": id,
            "timestamp": stored_time(timestamp),
            "ingested_at": stored_time(ingested_at),
            "row_version": row_version,
            "is_deleted": int(is_deleted),
            "rule_id": rule_id,
            "title": title,
            "tags": stored_tags(tags),
            "document": orjson.dumps(custom).decode(),
            "detail": orjson.dumps(detail or {}).decode(),
        }
    )


def _matched(matches: Iterable[Match]) -> list[dict[str, Json]]:
    return [
        {
            "rule_id": match.rule_id,
            "rule_version": match.rule_version,
            "query_index": match.query_index,
            "group": match.group,
            "distinct": match.distinct,
            "value": match.value,
        }
        for match in matches
    ]


def stored_time(ms: int) -> str:
    """Unix milliseconds as a time column takes them: quoted seconds with three decimals.

    A bare whole number is read as seconds, a bare decimal is refused by engines before 26.9, four digits are a year.
    (The engine can neither read nor write the last second before 1970: its milliseconds lose their sign.)
    """
    return f"{ms / 1000:014.3f}"


def decode_event(row: Mapping[str, Any]) -> Event:
    """An event from a row of `logs` or `audit` as `EventStore.query` returns it."""
    return Event(
        id=row["id"],
        timestamp=row["timestamp"],
        ingested_at=row["ingested_at"],
        host=row["host"] or None,
        service=row["service"] or None,
        source=row["source"] or None,
        status=row["status"],
        message=row["message"],
        trace_id=row["trace_id"] or None,
        tags=list(row["tags"]),
        attributes=orjson.loads(row["document"]),
    )


def has_matches(line: bytes) -> bool:
    """Whether a line of `encode_event`, without `ingested_at` and its closing brace, has matches."""
    return not line.endswith(b'"matched":[]')


def shown_line(line: bytes) -> bytes:
    """What `decode_line` reads of a line: without what is for searching alone, which is more than the half of it.

    The marks are members of the line itself, since the quotes of a text are escaped.
    """
    searched = line.index(b',"attributes":')
    shown = line.rindex(b',"id":"')
    return line[:searched] + line[shown : line.rindex(b',"matched":[')]


def decode_line(line: bytes, timestamp: int, ingested_at: int) -> Event:
    """The event of a line of `encode_event`, without `ingested_at` and its closing brace, or of its `shown_line`, as
    `decode_event` gives it once it is stored. Times in Unix milliseconds, as they are stored."""
    return decode_event({**orjson.loads(line + b"}"), "timestamp": timestamp, "ingested_at": ingested_at})


def _event_row(
    event: Event, track: Track, found: Mapping[str, list[Scalar]] | None = None, document: bytes = b""
) -> dict[str, Any]:
    """All columns of an event but `ingested_at`."""
    reserved = {
        "message": event.message,
        "status": event.status,
        "host": event.host or "",
        "service": event.service or "",
        "source": event.source or "",
        "trace_id": event.trace_id or "",
    }
    return {
        **reserved,
        **search_columns(reserved, event.attributes, track, found),
        "id": event.id,
        "timestamp": stored_time(event.timestamp),
        "tags": stored_tags(event.tags),
        "document": (document or orjson.dumps(event.attributes)).decode(),
    }
