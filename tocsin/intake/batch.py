"""What a request has become when it is ready to be stored."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from tocsin.event import Event, RawRecord, event_id
from tocsin.intake.request import Request
from tocsin.rule import Match

Work = Request | tuple[RawRecord, ...]
"""What a processor takes: a request off the wire, or records to be replayed."""

EncodeEvent = Callable[[Event, Sequence[Match], Mapping[str, list[Any]] | None, bytes], bytes]
"""Gives one JSON line of the table `logs`, without the line break and with `ingested_at` last (`store/rows.py`).

The last arguments hold what is at hand of the event's attributes: their values by path (`query.values.flatten`), and
their JSON."""


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A rejected event, ready for the table `rejected`."""

    id: str
    code: str
    reason: str
    line: bytes


@dataclass(slots=True)
class Prepared:
    """Rows of one request: `ids[i]` is the id of `lines[i]`. Lines are `unstamped`.

    `failed_processors`: how often a processor failed, by the name of its pipeline; the events went on without it.
    """

    ids: list[str] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    rejected: list[RejectedLine] = field(default_factory=list)
    matches: int = 0
    failed_processors: dict[str, int] = field(default_factory=dict)

    def add(self, event_id: str, line: bytes, matches: int = 0) -> None:
        """An event that is ready, with its line as the store encodes it."""
        self.ids.append(event_id)
        self.lines.append(unstamped(line))
        self.matches += matches

    @property
    def accepted(self) -> int:
        return len(self.lines) + len(self.rejected)

    @property
    def size(self) -> int:
        """Bytes of all lines."""
        return sum(map(len, self.lines)) + sum(len(rejected.line) for rejected in self.rejected)

    def reject(self, record: RawRecord, code: str, reason: str) -> None:
        """Keep a record that cannot become an event, so that it can be listed and replayed."""
        self.rejected.append(rejected_line(record, code, reason, is_text=isinstance(record.body, str)))

    def reject_unreadable(self, record: RawRecord, code: str, reason: str) -> None:
        """The same for what is not even a record (`formats.Unreadable`): not a text, and no JSON object either."""
        self.rejected.append(rejected_line(record, code, reason, is_text=False))


def rejected_line(record: RawRecord, code: str, reason: str, *, is_text: bool) -> RejectedLine:
    """A row of the table `rejected`; `replayed_at` is NULL, `version` comes with the commit.

    The id depends on the time of reception too: the same bad line an hour later is another rejected event.
    """
    id = event_id(record.received_at, record.raw, record.occurrence)
    context = {
        "source": record.source,
        "service": record.service,
        "host": record.host,
        "tags": record.tags,
        "occurrence": record.occurrence,
        "is_text": is_text,
    }
    row = {
        "id": id,
        "received_at": stored_time(record.received_at),
        "code": code,
        "reason": reason,
        "raw": record.raw.decode("utf-8", errors="replace"),
        "context": orjson.dumps(context).decode(),
    }
    return RejectedLine(id, code, reason, orjson.dumps(row))


def unstamped(line: bytes) -> bytes:
    """The line of an event without `ingested_at`, its last member, and without its closing brace: see `stamped`.

    Workers encode before it is known when the row becomes visible; `ingested_at` must rise with that, since the
    evaluator reads on from the highest it has seen.
    """
    return line[: line.rindex(b',"ingested_at":')]


def stamped(lines: Iterable[bytes], ingested_at: int) -> bytes:
    """All lines of a commit, with its time in Unix milliseconds."""
    end = b',"ingested_at":"%s"}' % stored_time(ingested_at).encode()
    return (end + b"\n").join(lines) + end


def stored_time(ms: int) -> str:
    """Unix milliseconds as a time column takes them: seconds with three decimals, quoted (`store/rows.py`)."""
    return f"{ms / 1000:014.3f}"


def stamp_rejected(line: bytes, version: int) -> bytes:
    """The line of a rejected event; of several rows with its id the one with the highest version counts."""
    return b'%s,"version":%d}' % (line[:-1], version)
