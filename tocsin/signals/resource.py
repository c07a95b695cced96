"""The API's shape of a signal (api.md §5), from a row of the track `signals`.

Pure; every surface that shows signals uses it: the signals API and the explorer's track `signals`. The row comes from
`EventStore.query` with `COLUMNS` (times in Unix milliseconds). Its `document` is what `custom` holds and what is
searched; `detail` is shown beside it but not searched: `samples`, `explanation`, `relatedQuery`. A list
that leaves `detail` out of its SELECT is much cheaper and loses only these.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from tocsin.event import Json

LIST_COLUMNS = (
    "id",
    "timestamp",
    "ingested_at",
    "row_version",
    "rule_id",
    "title",
    "message",
    "status",
    "host",
    "service",
    "source",
    "tags",
    "document",
)

COLUMNS = (*LIST_COLUMNS, "detail")


def iso(timestamp: int) -> str:
    """Unix milliseconds as `2026-01-01T00:04:10.000Z`."""
    moment = datetime.fromtimestamp(timestamp // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{timestamp % 1000:03d}Z"


def signal_resource(row: Mapping[str, Any]) -> dict[str, Json]:
    """`{"id", "type": "signal", "attributes": {…}}`.

    `host` is one text, or a list if events of several hosts take part.
    """
    custom = orjson.loads(row["document"])
    if detail := row.get("detail"):
        custom |= shown(orjson.loads(detail))
    attributes: dict[str, Json] = {
        "timestamp": iso(row["timestamp"]),
        "ingested_at": iso(row["ingested_at"]),
        "title": row["title"],
        "message": row["message"],
        "status": row["status"],
        "service": list(row["service"]),
        "source": list(row["source"]),
        "tags": list(row["tags"]),
        "custom": custom,
    }
    hosts = list(row["host"])
    if hosts:
        attributes["host"] = hosts[0] if len(hosts) == 1 else hosts
    return {"id": row["id"], "type": "signal", "attributes": attributes}


def shown(detail: Mapping[str, Json]) -> dict[str, Json]:
    """What of `detail` is shown under `custom`: all but the engine's own notes."""
    return {name: value for name, value in detail.items() if name != "engine"}
