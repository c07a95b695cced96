"""Records to request bodies: within the intake's limits, and safe to send twice."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from tocsin.cli.files import Line, Record, UnreadableFile

BATCH_EVENTS = 1000
BATCH_BYTES = 4_000_000
"""Within the intake's limits of 1,000 events and 5 MB a request."""
MAX_RECORD_BYTES = 4_900_000
"""A longer record does not fit into a request."""
REMEMBERED = 500_000
"""Records of a file that are remembered to tell copies: as many as the intake remembers ids, some 50 MB."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A JSON list of `events` records, and how far into the file it reaches. `too_long` records were left out."""

    body: bytes
    events: int
    too_long: int
    position: int


def batches(records: Iterable[Line]) -> Iterator[Batch]:
    """All records, in order. When the file cannot be read to its end, what came before is given first."""
    copies = Copies()
    parts: list[bytes] = []
    size = position = too_long = 0
    problem: UnreadableFile | None = None
    records = iter(records)
    while True:
        try:
            line = next(records, None)
        except UnreadableFile as error:
            line, problem = None, error
        part = b"" if line is None else copies.told_apart(line.record)
        if len(part) > MAX_RECORD_BYTES:
            too_long += 1
            continue
        if line is None or len(parts) == BATCH_EVENTS or size + len(part) > BATCH_BYTES:
            if parts or too_long:
                yield Batch(b"[" + b",".join(parts) + b"]", len(parts), too_long, position)
            parts, size, too_long = [], 0, 0
        if line is None:
            break
        parts.append(part)
        size += len(part) + 1
        position = line.position
    if problem is not None:
        raise problem


class Copies:
    """Tells equal records of a file apart, the same way each time the file is read.

    A server takes a record that it has seen in an earlier request for a repetition (decision 0002). The second of two
    equal lines of one file is none: it gets the tag `copy:2`, the third `copy:3`.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}

    def told_apart(self, record: Record) -> bytes:
        """The record as JSON."""
        text = orjson.dumps(record)
        key = blake2b(text, digest_size=12).digest()
        number = self._young.get(key, 0) or self._old.get(key, 0)
        if len(self._young) >= self._remembered:
            self._old, self._young = self._young, {}
        self._young[key] = number + 1
        if number == 0:
            return text
        body = {"message": record} if isinstance(record, str) else record
        return orjson.dumps({**body, "ddtags": _with_tag(body.get("ddtags"), f"copy:{number + 1}")})


def _with_tag(tags: Any, tag: str) -> str | list[Any]:
    """The tags of a record, as text or as a list, with one more."""
    if isinstance(tags, list):
        return [*tags, tag]
    return f"{tags},{tag}" if isinstance(tags, str) and tags else tag
