"""The event: one normalised record, of one shape on every track (design §2)."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict with string keys."""

BACKFILL_TAG = "backfill:true"
"""Old records that are sent on purpose: rules look at them however old they are, and a record that is stored already
is recognised however long ago that was (decisions 0071, 0051)."""


@dataclass(slots=True)
class Event:
    """One event.

    `timestamp` and `ingested_at` are Unix milliseconds UTC. `tags` are `key:value` (or bare) strings in lower
    case. `attributes` is nested JSON; until the event is stored, the stages of the pipeline that owns it
    may add to it, afterwards nobody changes it.
    """

    id: str
    timestamp: int
    message: str = ""
    status: str = "info"
    host: str | None = None
    service: str | None = None
    source: str | None = None
    trace_id: str | None = None
    tags: list[str] = field(default_factory=list)
    attributes: dict[str, Json] = field(default_factory=dict)
    ingested_at: int = 0


@dataclass(slots=True)
class SignalEvent(Event):
    """A signal in the shape of an event, as rules over signals see it; `host`, `service` and `source` are lists."""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """What arrived, before anything was made of it.

    `body` is a JSON object or a line of text. `source`, `service`, `host` and `tags` are the request's defaults,
    used where the body does not say. `raw` is what is kept if the record must be rejected. `received_at` is in Unix
    milliseconds.
    `occurrence` counts equal bodies within the request (see `event_id`).
    """

    body: dict[str, Json] | str
    received_at: int
    raw: bytes
    source: str | None = None
    service: str | None = None
    host: str | None = None
    tags: tuple[str, ...] = ()
    occurrence: int = 0


class Rejected(Exception):
    """A record cannot become an event: `code` is one of a few words, `reason` a sentence for a person."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def event_id(timestamp: int, content: bytes, occurrence: int = 0) -> str:
    """The id of an event: order follows time, and the same content at the same time has the same id.

    `occurrence` counts equal contents within one request, so that two honest twins stay two events while a
    repeated request yields the ids that it had before. Shape: `AwAAA`, 12 hex digits of Unix milliseconds,
    24 hex digits of BLAKE2b over content and occurrence (96 bits: a collision within one
    millisecond needs about 2**48 events).
    """
    digest = hashlib.blake2b(content, digest_size=12, salt=occurrence.to_bytes(16, "little")).hexdigest()
    return f"AwAAA{max(timestamp, 0):012x}{digest}"


def values_at(attributes: Mapping[str, Json], path: tuple[str, ...]) -> Iterator[Json]:
    """All scalars at a path; arrays are crossed at every level, a dotted key is the same as nested keys.

    The plain reference for what a path means (search-syntax.md §4, §10). Nulls are absent.
    """
    yield from _walk(attributes, path)


def _walk(node: Json, path: tuple[str, ...]) -> Iterator[Json]:
    if isinstance(node, list):
        for element in node:
            yield from _walk(element, path)
    elif not path:
        if node is not None and not isinstance(node, dict):
            yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            segments = tuple(key.split("."))
            if path[: len(segments)] == segments:
                yield from _walk(value, path[len(segments) :])
