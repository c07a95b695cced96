"""Log files to records: compression, JSON lines, JSON lists, CloudTrail's `{"Records": […]}`, plain text lines.

A file is read as a stream, whatever its size, except a JSON list or one object over several lines, which is read whole.
"""

import gzip
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson
import zstandard

Record = dict[str, Any] | str

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
MAX_LINE_BYTES = 4_500_000
"""A longer line does not fit into one request of the intake (5 MB)."""


class UnreadableFile(Exception):
    """A file is missing, truncated, or not what its first bytes promise."""


@dataclass(frozen=True, slots=True)
class Line:
    """One record and how many bytes of the (compressed) file have been read by then."""

    record: Record
    position: int


def read_records(path: str) -> Iterator[Line]:
    """All records of a file, or of standard input for `-`. Raises `UnreadableFile`."""
    try:
        with sys.stdin.buffer if path == "-" else Path(path).open("rb") as raw:
            yield from _records(raw)
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror or error}") from error
    except (EOFError, zstandard.ZstdError, ValueError) as error:
        raise UnreadableFile(f"{path}: {error}") from error


def _records(raw: IO[bytes]) -> Iterator[Line]:
    counted = _Counted(raw)
    stream = io.BufferedReader(counted, 1 << 20)
    magic = stream.peek(4)[:4]
    plain: IO[bytes] = stream
    if magic[:2] == GZIP_MAGIC:
        plain = io.BufferedReader(gzip.GzipFile(fileobj=stream), 1 << 20)
    elif magic == ZSTD_MAGIC:
        reader = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)
        plain = io.BufferedReader(reader, 1 << 20)
    for record in _parse(plain):
        yield Line(record, counted.position)


def _parse(stream: IO[bytes]) -> Iterator[Record]:
    first = stream.readline(MAX_LINE_BYTES + 1)
    while first and not first.strip():
        first = stream.readline(MAX_LINE_BYTES + 1)
    if not first:
        return
    start = first.lstrip()[:1]
    if start == b"[" or (start == b"{" and not _is_json(first)):
        # a list, or an object over several lines: text lines that merely begin so (`[error] …`) fall through
        rest = first + stream.read()
        if _is_json(rest):
            yield from _unpack(orjson.loads(rest))
            return
        stream = io.BytesIO(rest)
        first = stream.readline()
    while first:
        text = first.strip()
        if text:
            yield from _line(text)
        first = stream.readline()


def _line(text: bytes) -> Iterator[Record]:
    if text[:1] in (b"{", b"["):
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            pass
        else:
            yield from _unpack(value)
            return
    yield text.decode("utf-8", "replace")


def _unpack(value: Any) -> Iterator[Record]:
    if isinstance(value, list):
        for element in value:
            yield from _unpack(element)
    elif isinstance(value, dict) and isinstance(value.get("Records"), list):
        for element in value["Records"]:
            yield from _unpack(element)
    elif isinstance(value, dict):
        yield unwrap(value)
    else:
        yield value if isinstance(value, str) else orjson.dumps(value).decode()


def unwrap(row: dict[str, Any]) -> dict[str, Any]:
    """A record that a data set carries inside a row of its own, under `event`, beside labels.

    The record becomes the event; the labels are kept under `dataset`, so that they can be compared with the signals.
    Only rows whose `event` is an object and which have no message or source of their own are unwrapped.
    """
    event = row.get("event")
    if not isinstance(event, dict) or any(key in row for key in ("message", "ddsource", "eventSource", "eventType")):
        return row
    labels = {key: value for key, value in row.items() if key != "event" and value is not None}
    return {**event, "dataset": labels} if labels and "dataset" not in event else event


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


class _Counted(io.RawIOBase):
    """Counts what was read, for the progress bar."""

    def __init__(self, raw: IO[bytes]) -> None:
        super().__init__()
        self._read: Callable[[int], bytes] = getattr(raw, "read1", raw.read)
        self.position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        self.position += len(data)
        return len(data)
