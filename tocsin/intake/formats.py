"""From a body to raw records: JSON (object, list, one value a line), lines of text, logplex (api.md §2)."""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tocsin.errors import BadRequest, TooLarge
from tocsin.event import Json, RawRecord
from tocsin.intake.encodings import decode_body
from tocsin.intake.limits import LIMITS, Limits
from tocsin.intake.request import Request


class BadBody(BadRequest):
    """The body cannot be read as its Content-Type says."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An element of a body that is neither an object nor text; it becomes a rejected event."""

    raw: bytes
    code: str
    reason: str


Item = dict[str, Json] | str | Unreadable
"""One element of a body: a JSON object, a text, or what cannot be read."""


def read_records(
    request: Request, limits: Limits = LIMITS
) -> tuple[list[RawRecord], list[tuple[RawRecord, Unreadable]]]:
    """All records of a request: those that can be read, and those that cannot with the reason.

    `{}`, `[]` and an empty body hold no record: the Agent's connectivity probe (api.md §2). Raises `BadBody`
    (400), `BadEncoding` (400) or `TooLarge` (413); then no part of the request was taken.
    """
    body = decode_body(request.body, request.content_encoding, limits.body_bytes)
    items = split(body, request.content_type)
    if len(items) > limits.records:
        raise TooLarge(f"{len(items)} events in one request, at most {limits.records} are taken; send smaller batches")
    good: list[RawRecord] = []
    bad: list[tuple[RawRecord, Unreadable]] = []
    seen: dict[bytes, int] = {}
    for item in items:
        if isinstance(item, dict):
            try:
                raw = orjson.dumps(item)
            except TypeError:  # it is read to a depth to which it is not written
                item = Unreadable(_raw(item), "too_deep", "more than 254 levels within one another")
                raw = item.raw
        else:
            raw = item.raw if isinstance(item, Unreadable) else item.encode()
        occurrence = seen.get(raw, 0)
        seen[raw] = occurrence + 1
        record = RawRecord(
            body="" if isinstance(item, Unreadable) else item,
            received_at=request.received_at,
            raw=raw,
            source=request.source,
            service=request.service,
            host=request.host,
            tags=request.tags,
            occurrence=occurrence,
        )
        if isinstance(item, Unreadable):
            bad.append((record, item))
        else:
            good.append(record)
    return good, bad


def split(body: bytes, content_type: str) -> list[Item]:
    """The elements of a body. An unknown Content-Type (curl's default, none) is told by the first character."""
    body = body.removeprefix(BOM_UTF8)  # editors of Windows write it, and JSON may be read without (RFC 8259 §8.1)
    kind, _, parameters = content_type.lower().partition(";")
    kind = kind.strip()
    if kind.endswith("json") and parameters.strip() == "simple":
        return _whole(body)
    for known, reader in READERS:
        if known.fullmatch(kind):
            return reader(body)
    return _json(body) if body.lstrip()[:1] in (b"{", b"[") else _lines(body)


def _whole(body: bytes) -> list[Item]:
    """`application/json;simple`: one log, whatever the body holds."""
    if not body.strip():
        return []
    try:
        value = load_json(body)
    except ValueError:
        return [_text(body)]
    if isinstance(value, dict):
        return [value] if value else []
    return [value if isinstance(value, str) else _text(body)]


def _json(body: bytes) -> list[Item]:
    if not body.strip():
        return []
    try:
        value = load_json(body)
    except ValueError as error:
        items = _json_lines(body)
        if items is None:
            raise BadBody(f"Invalid JSON: {error}") from error
        return items
    return _elements(value)


def _elements(value: Json) -> list[Item]:
    if isinstance(value, dict):
        records = value.get("Records")
        if len(value) == 1 and isinstance(records, list):  # a CloudTrail delivery file
            return [_element(record) for record in records]
        return [value] if value else []
    if isinstance(value, list):
        return [_element(element) for element in value]
    if isinstance(value, str):
        return [value]
    raise BadBody("Invalid JSON: an object, a list or a text is expected, not a bare number, true, false or null")


def _element(value: Json) -> Item:
    if isinstance(value, str) or (isinstance(value, dict) and value):
        return value
    raw = _raw(value)
    if value == {}:
        return Unreadable(raw, "empty", "an empty object says nothing")
    kind = "a list" if isinstance(value, list) else f"the value {raw[:40].decode()}"
    return Unreadable(raw, "not_an_object", f"{kind} is neither a JSON object nor a text")


def _raw(value: Json) -> bytes:
    """An element as it was sent, about. Raises `BadBody` for one that nothing can write."""
    try:
        return orjson.dumps(value)
    except TypeError:
        pass
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    except RecursionError as error:
        raise BadBody("Invalid JSON: an element has too many levels within one another") from error


def _json_lines(body: bytes) -> list[Item] | None:
    """One JSON value a line; None when no line is JSON. A line that is not becomes unreadable, the others stand."""
    items: list[Item] = []
    readable = 0
    for line in body.splitlines():
        if not line.strip():
            continue
        try:
            value = load_json(line)
        except ValueError as error:
            items.append(Unreadable(line, "bad_json", f"the line is not JSON: {error}"))
        else:
            readable += 1
            items.append(_element(value))
    return items if readable else None


def _lines(body: bytes) -> list[Item]:
    # Only line feeds part lines: form feeds and the like are characters of a log.
    return [_text(line) for line in body.replace(b"\r\n", b"\n").split(b"\n") if line.strip()]


def _text(line: bytes) -> str:
    """Bytes that are not UTF-8 become U+FFFD: a damaged character must not cost the line."""
    return line.decode("utf-8", errors="replace")


# ---------------------------------------------------------------------------------------------------- logplex

_FRAME = re.compile(rb"\s*(\d{1,7}) ")
_SYSLOG = re.compile(rb"<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) ?(.*)", re.DOTALL)


def _logplex(body: bytes) -> list[Item]:
    """`application/logplex-1`: frames of `length SP message`, each in RFC 5424 without structured data."""
    return [_syslog(frame) for frame in _frames(body)]


def _frames(body: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(body.rstrip()):
        match = _FRAME.match(body, position)
        end = match.end() + int(match[1]) if match else 0
        if match is None or end > len(body):
            raise BadBody(f"Invalid logplex: no frame of a length and that many bytes at byte {position}")
        yield body[match.end() : end]
        position = end


def _syslog(frame: bytes) -> Item:
    match = _SYSLOG.match(frame.rstrip(b"\r\n"))
    if match is None:
        return _text(frame.rstrip(b"\r\n"))
    priority = int(match[1])
    timestamp, hostname, appname, procid, msgid, message = (_text(part) for part in match.groups()[1:])
    syslog: dict[str, Json] = {"severity": priority % 8, "facility": priority // 8}
    named = {"timestamp": timestamp, "hostname": hostname, "appname": appname, "procid": procid, "msgid": msgid}
    syslog.update({name: value for name, value in named.items() if value != "-"})
    item: dict[str, Json] = {"message": message.removeprefix("- "), "syslog": syslog}
    if timestamp != "-":
        item["timestamp"] = timestamp
    return item


# ------------------------------------------------------------------------------------------------------- JSON


def load_json(text: bytes) -> Json:
    """JSON as shippers write it. Raises ValueError.

    orjson is strict; what it refuses is read once more with Python's reader, so that a lone surrogate, a NaN, a number
    beyond 64 bits or a byte that is no UTF-8 costs that value and not the request.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        try:
            value = json.loads(text.decode("utf-8", errors="replace"), parse_constant=lambda _: None)
            return _storable(value)
        except (ValueError, RecursionError):
            raise ValueError(str(error)) from error


def _storable(value: Any) -> Json:
    if isinstance(value, str):
        return value.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="replace")
    if isinstance(value, list):
        return [_storable(element) for element in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(element) for key, element in value.items()}
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**64:
        return float(value) if abs(value) < 2**1023 else str(value)
    return value


READERS: Sequence[tuple[re.Pattern[str], Callable[[bytes], list[Item]]]] = (
    (re.compile(r"application/logplex-1"), _logplex),
    (re.compile(r"text/plain"), _lines),
    (re.compile(r"(application|text)/(x-)?(.*\+)?(nd|ld)?json(lines|l)?(-seq)?"), _json),
)
