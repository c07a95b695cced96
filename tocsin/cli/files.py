"""Log files to records: compression, JSON lines, JSON lists, envelopes such as `{"Records": […]}`, plain text lines.

A file is read as a stream, whatever its size, except a JSON list or one object over several lines, which is read whole.
"""

import codecs
import gzip
import io
import json
import re
import sys
import zlib
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson
import zstandard

Record = dict[str, Any] | str

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
EVTX_MAGIC = b"ElfFile\0"
MAX_LINE_BYTES = 64_000_000
"""Memory bounds a line: a longer one is no log. JSON lists on one line are of this size at times."""

_OPENS_JSON = re.compile(rb'\s*(?:\[\s*(?:[\[{"\]]|$)|\{\s*(?:["}]|$))')
"""How a JSON list or object begins, unlike a text line such as `[error] …` or `{id} …`."""


_DECODER = json.JSONDecoder()

_TORN_WORD = re.compile(r"(?:-|t|tr|tru|f|fa|fal|fals|n|nu|nul|[.eE][+-]?|u[0-9a-fA-F]{0,4})?\s*")
"""All that a document may still hold behind the place at which it cannot be read further, if it was only cut."""


class UnreadableFile(Exception):
    """A file is missing, truncated, or not what its first bytes promise."""


@dataclass(frozen=True, slots=True)
class Line:
    """One record and how many bytes of the (compressed) file have been read by then."""

    record: Record
    position: int


def read_records(path: str) -> Iterator[Line]:
    """All records of a file, or of standard input for `-`. Raises `UnreadableFile`, after all that can be read."""
    try:
        with sys.stdin.buffer if path == "-" else Path(path).open("rb") as raw:
            yield from _records(raw)
    except IsADirectoryError as error:
        raise UnreadableFile(f"{path} is a directory; name its files, as in {path.rstrip('/')}/*") from error
    except (OSError, EOFError, zlib.error, zstandard.ZstdError, ValueError) as error:
        raise UnreadableFile(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def _records(raw: IO[bytes]) -> Iterator[Line]:
    counted = _Counted(raw)
    for record in _parse(_as_utf8(_decompressed(io.BufferedReader(counted, 1 << 20)))):
        yield Line(record, counted.position)


def _decompressed(stream: io.BufferedReader) -> io.BufferedReader:
    magic = stream.peek(4)[:4]
    if magic[:2] == GZIP_MAGIC:
        return io.BufferedReader(gzip.GzipFile(fileobj=stream), 1 << 20)
    if magic == ZSTD_MAGIC:
        return io.BufferedReader(_Zstd(stream), 1 << 20)
    return stream


def _as_utf8(stream: io.BufferedReader) -> IO[bytes]:
    """The text without a byte order mark; UTF-16, as Windows writes it, becomes UTF-8. Binary files are refused."""
    start = stream.peek(4096)[:4096]
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return io.BufferedReader(_Recoded(stream), 1 << 20)
    if start.startswith(codecs.BOM_UTF8):
        stream.read(len(codecs.BOM_UTF8))
    if start.startswith(EVTX_MAGIC):
        raise ValueError("a binary Windows event log; write it as JSON first (evtx_dump -o jsonl), and send that")
    if b"\0" in start:
        raise ValueError("not a text: JSON or lines are expected, plain or compressed with gzip or zstd")
    return stream


def _parse(stream: IO[bytes]) -> Iterator[Record]:
    first = _read_line(stream)
    while first and not first.strip():
        first = _read_line(stream)
    if _OPENS_JSON.match(first) and not _is_json(first):
        # a list, or an object over several lines
        rest = first + stream.read()
        if _is_json(rest):
            yield from _unpack(orjson.loads(rest))
            return
        if (torn := _torn(rest.decode("utf-8", "replace"))) is not None:
            yield from _unpack(torn.whole)
            raise ValueError(f"line {torn.line}: {torn.problem}; what comes before it was read, nothing after it")
        stream = io.BytesIO(rest)
        first = _read_line(stream)
    while first:
        text = first.strip()
        if text:
            yield from _line(text)
        first = _read_line(stream)


def _read_line(stream: IO[bytes]) -> bytes:
    line = stream.readline(MAX_LINE_BYTES)
    if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n") and not _OPENS_JSON.match(line):
        raise ValueError(f"a line is longer than {MAX_LINE_BYTES:,} bytes; this is no log")
    return line


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


@dataclass(frozen=True, slots=True)
class _Torn:
    """A JSON list or object that is not whole: its elements before the place where it stops to be one."""

    whole: list[Any]
    line: int
    problem: str


def _torn(text: str) -> _Torn | None:
    """What is left of a JSON document that breaks off; None for lines of text of which the first begins like one."""
    begin = _skipped(text, 0)
    is_list = text[begin] == "["
    if not is_list and any(_is_json(line.encode()) for line in text.splitlines() if line.startswith("{")):
        return None  # lines of JSON of which the first is torn
    whole: list[Any] = []
    try:
        if not is_list:
            _DECODER.raw_decode(text, begin)
            return None
        place = _skipped(text, begin + 1)
        while True:
            element, place = _DECODER.raw_decode(text, place)
            whole.append(element)
            place = _skipped(text, place)
            if text[place : place + 1] != ",":
                raise json.JSONDecodeError("no comma", text, place)
            place = _skipped(text, place + 1)
    except json.JSONDecodeError as error:
        if error.msg.startswith("Unterminated string") or _TORN_WORD.fullmatch(text, error.pos):
            return _Torn(whole, error.lineno, f"the JSON {'list' if is_list else 'object'} ends early")
        is_closed = text[error.pos] == "]"
        is_of_records = len(whole) > 1 and isinstance(whole[0], dict)
        return _Torn(whole, error.lineno, "the JSON list is broken") if is_of_records and not is_closed else None
    except (RecursionError, ValueError):  # too deep, or a number without end
        return None


def _skipped(text: str, place: int) -> int:
    while text[place : place + 1].isspace():
        place += 1
    return place


def _unpack(value: Any) -> Iterator[Record]:
    if isinstance(value, list):
        for element in value:
            yield from _unpack(element)
    elif isinstance(value, dict):
        records = _enclosed(value)
        if records is not None:
            yield from _unpack(records)
        else:
            yield unwrap(value)
    else:
        yield value if isinstance(value, str) else orjson.dumps(value).decode()


ENCLOSING = ("Records", "records", "items", "entries", "value")
"""Under what an answer of an API, or a file of exported logs, holds its records: CloudTrail, Azure, Google Workspace
and 1Password, Slack, Microsoft Graph."""

PAGING = frozenset(
    ("kind", "etag", "nextPageToken", "cursor", "has_more", "response_metadata", "@odata.context", "@odata.nextLink")
)
"""What may stand beside the records in such an answer."""


def _enclosed(value: dict[str, Any]) -> list[Any] | None:
    """The records of an object that is nothing but their envelope, or None."""
    names = value.keys() - PAGING
    name = next(iter(names)) if len(names) == 1 else None
    records = value[name] if name in ENCLOSING else None
    return records if isinstance(records, list) and all(isinstance(record, dict) for record in records) else None


LABELS = frozenset(("label", "dataset", "case", "story"))
"""What the rows of a data set have beside the `event` that they carry."""

ENVELOPE = frozenset(
    ("message", "ddsource", "source", "sourcetype", "service", "host", "hostname", "time", "timestamp")
)
"""What makes a row with an `event` an event of its own."""


def unwrap(row: dict[str, Any]) -> dict[str, Any]:
    """The record that a row of a labelled data set carries under `event`; every other row is a record itself.

    The labels are kept under `dataset`, so that they can be compared with the signals.
    """
    event = row.get("event")
    if not isinstance(event, dict) or row.keys().isdisjoint(LABELS) or not row.keys().isdisjoint(ENVELOPE):
        return row
    labels = {key: value for key, value in row.items() if key != "event" and value is not None}
    return {**event, "dataset": labels} if "dataset" not in event else row


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


class _Readable(io.RawIOBase):
    """A stream made of `_next`, which gives some bytes, and none at the end."""

    def __init__(self) -> None:
        super().__init__()
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._left or self._next(len(buffer))
        taken = data[: len(buffer)]
        self._left = data[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)

    @abstractmethod
    def _next(self, size: int) -> bytes:
        """At most about so many bytes more; none at the end."""


class _Counted(_Readable):
    """Counts what was read, for the progress bar."""

    def __init__(self, raw: IO[bytes]) -> None:
        super().__init__()
        self._read: Callable[[int], bytes] = getattr(raw, "read1", raw.read)
        self.position = 0

    def _next(self, size: int) -> bytes:
        data = self._read(size)
        self.position += len(data)
        return data


class _Zstd(_Readable):
    """Decompresses frame after frame. Raises EOFError within a frame, which the library's own reader does not."""

    def __init__(self, stream: io.BufferedReader) -> None:
        super().__init__()
        self._stream = stream
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._is_inside = False
        self._pending = b""

    def _next(self, size: int) -> bytes:
        while True:
            data = self._pending or self._stream.read1(1 << 17)
            if not data:
                if self._is_inside:
                    raise EOFError("the compressed file ended before its end; it is truncated")
                return b""
            if not self._is_inside:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            plain = self._frame.decompress(data)
            self._is_inside = not self._frame.eof
            self._pending = self._frame.unused_data if self._frame.eof else b""
            if plain:
                return plain


class _Recoded(_Readable):
    """UTF-16 with a byte order mark as UTF-8."""

    def __init__(self, stream: io.BufferedReader) -> None:
        super().__init__()
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-16")("replace")

    def _next(self, size: int) -> bytes:
        while True:
            data = self._stream.read1(1 << 17)
            text = self._decoder.decode(data, final=not data)
            if text or not data:
                return text.encode("utf-8", "replace")
