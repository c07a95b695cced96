"""Events as the API shows them (api.md §3, §5, §14)."""

from collections.abc import Mapping
from typing import Any

import orjson

from tocsin.event import Json
from tocsin.query import Track
from tocsin.signals.resource import COLUMNS as SIGNAL_COLUMNS
from tocsin.signals.resource import LIST_COLUMNS as SIGNAL_LIST_COLUMNS
from tocsin.signals.resource import iso, signal_resource

EVENT_COLUMNS = (
    "id",
    "timestamp",
    "ingested_at",
    "host",
    "service",
    "source",
    "status",
    "message",
    "trace_id",
    "tags",
    "document",
)


SIGNAL_TRACKS = ("signals", "suppressed", "historical")
"""Tracks whose rows are signals."""


def list_columns(track: Track) -> tuple[str, ...]:
    """What a list needs to read."""
    return SIGNAL_LIST_COLUMNS if track.name in SIGNAL_TRACKS else EVENT_COLUMNS


def all_columns(track: Track) -> tuple[str, ...]:
    """What one event in full needs to read."""
    return SIGNAL_COLUMNS if track.name in SIGNAL_TRACKS else EVENT_COLUMNS


def resource(track: Track, row: Mapping[str, Any]) -> dict[str, Json]:
    """`{"id", "type", "attributes"}`; the source of an event is among its tags as well, as clients expect it there."""
    if track.name in SIGNAL_TRACKS:
        return signal_resource(row)
    attributes: dict[str, Json] = {"timestamp": iso(row["timestamp"]), "ingested_at": iso(row["ingested_at"])}
    for name in ("host", "service", "source", "status", "trace_id"):
        if row[name]:
            attributes[name] = row[name]
    attributes["message"] = row["message"]
    source = [f"source:{row['source'].lower()}"] if row["source"] else []
    attributes["tags"] = source + [tag for tag in row["tags"] if tag not in source]
    attributes["attributes"] = orjson.loads(row["document"])
    return {"id": row["id"], "type": "audit" if track.name == "audit" else "log", "attributes": attributes}
