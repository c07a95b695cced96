"""Automatic JSON and reserved attributes (siem.md §1.2, api.md §2): a raw record as the event that pipelines see."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import orjson

from tocsin.event import Event, Json, RawRecord
from tocsin.normalise.dates import read_date
from tocsin.normalise.paths import Attributes
from tocsin.normalise.status import is_status, status_of

DATES = ("timestamp", "date", "@timestamp", "_timestamp", "Timestamp", "eventTime", "published_date")
STATUSES = ("status", "severity", "level")
HOSTS = ("host", "hostname")
MESSAGES = ("msg", "log")
"""What loggers and container runtimes call the message, where there is none of that name."""
SYSLOG = ("syslog.hostname", "syslog.appname", "syslog.severity")
_NAMES = frozenset(
    (*DATES, *STATUSES, *HOSTS, *SYSLOG, "ddsource", "ddtags", "service", "trace_id", "dd.trace_id", "dd", "syslog")
)


def parse_body(body: dict[str, Json] | str) -> tuple[Attributes, str]:
    """Attributes and message of a body. A message that is a JSON object, as text or as such, becomes attributes.

    The dictionary is new: the record stays as it arrived.
    """
    if isinstance(body, str):
        inner = read_object(body)
        if inner is None:
            return {}, body
        body = inner
    attributes = dict(body)
    name = _message_name(attributes)
    if name is None:
        return attributes, ""
    message = attributes[name]
    inner = read_object(message) if isinstance(message, str) else message if isinstance(message, dict) else None
    if inner is not None:
        # The envelope's own members win: they say who sent the record.
        del attributes[name]
        attributes = {**inner, **attributes} if attributes else dict(inner)
        name = _message_name(attributes)
        if name is None:
            return attributes, ""
        message = attributes[name]
    if isinstance(message, str):
        if name != "message":  # it stays, for queries that read it there; container runtimes keep the line's end
            return attributes, message.rstrip("\r\n")
        del attributes[name]
        return attributes, message
    return attributes, ""


def _message_name(attributes: Attributes) -> str | None:
    """The member that is the message. An object under another name than `message` is an attribute like any other."""
    if attributes.get("message") is not None:
        return "message"
    for name in MESSAGES:
        if isinstance(attributes.get(name), str):
            return name
    return None


def read_object(text: str) -> Attributes | None:
    """The JSON object that a text is, or None."""
    if not text or (text[0] != "{" and not text.lstrip().startswith("{")):
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def read_reserved(record: RawRecord, attributes: Attributes, message: str) -> tuple[Event, bool]:
    """The event with its reserved attributes, and whether it has a time of its own.

    What moves leaves the attributes: `ddsource`, `ddtags`, `service`, `host`, `hostname`, and `timestamp` and `status`
    where they are what they seem. Under other names the values stay beside the reserved attribute.
    """
    event = Event("", record.received_at, message, "info", record.host, record.service, record.source)
    event.attributes = attributes
    present = _NAMES.intersection(attributes)
    if not present:
        event.tags = read_tags(None, record.tags)
        return event, False
    event.tags = read_tags(attributes.pop("ddtags", None), record.tags)
    if "ddsource" in present:
        source = attributes.pop("ddsource")
        if isinstance(source, str) and source:
            event.source = source
    if "service" in present:
        event.service = _named(attributes, ("service",)) or event.service
    if "host" in present or "hostname" in present:
        event.host = _named(attributes, HOSTS) or event.host
    has_time = _read_time(event, present, record.received_at)
    for name in STATUSES:
        if name in present and (status := status_of(attributes[name])) is not None:
            event.status = status
            if name == "status" and is_status(attributes[name]):
                del attributes[name]
            break
    for name in ("trace_id", "dd.trace_id"):
        if name in present:
            _read_trace(event, attributes[name])
    dd = attributes.get("dd")
    if type(dd) is dict and event.trace_id is None:
        _read_trace(event, dd.get("trace_id"))
    if event.trace_id is not None:
        attributes.pop("trace_id", None)
    syslog = attributes.get("syslog")
    if type(syslog) is dict:
        _read_syslog(event, syslog, record)
    elif not present.isdisjoint(SYSLOG):
        _read_syslog(event, {name.partition(".")[2]: attributes.get(name) for name in SYSLOG}, record)
    return event, has_time


def _read_time(event: Event, present: frozenset[str], now: int) -> bool:
    for name in DATES:
        if name in present:
            ms = read_date(event.attributes[name], now)
            if ms is not None:
                event.timestamp = ms
                if name == "timestamp":
                    del event.attributes[name]
                return True
    return False


def _read_trace(event: Event, value: Any) -> None:
    if event.trace_id is None and isinstance(value, str | int) and not isinstance(value, bool):
        event.trace_id = str(value) or None


def _read_syslog(event: Event, syslog: Attributes, record: RawRecord) -> None:
    """A syslog header that the sender took apart: it knows better than the request, not better than the record."""
    host, program, severity = syslog.get("hostname"), syslog.get("appname"), syslog.get("severity")
    if isinstance(host, str) and host and event.host == record.host:
        event.host = host
    if isinstance(program, str) and program and event.service == record.service:
        event.service = program
    if event.status == "info" and (status := status_of(severity)) is not None:
        event.status = status


def _named(attributes: Attributes, names: tuple[str, ...]) -> str | None:
    """The first text under one of the names; it moves."""
    found: str | None = None
    for name in names:
        value = attributes.get(name)
        if isinstance(value, str):
            if found is None and value:
                found = value
                del attributes[name]
            elif value in ("", found):
                del attributes[name]
    return found


def read_tags(value: Any, defaults: tuple[str, ...]) -> list[str]:
    """Tags as a comma list or a list of texts, with the request's own: lower-cased, each once, in order."""
    if value is None:
        return list(_of_list(defaults))
    if isinstance(value, str):
        return list(_of_text(value, defaults) if len(value) < 1_000 else _cleaned([*value.split(","), *defaults]))
    if isinstance(value, list):
        return list(_cleaned([*(item for item in value if isinstance(item, str)), *defaults]))
    return list(_of_list(defaults))


@lru_cache(maxsize=16384)
def _of_text(text: str, defaults: tuple[str, ...]) -> tuple[str, ...]:
    return _cleaned([*text.split(","), *defaults])


@lru_cache(maxsize=4096)
def _of_list(tags: tuple[str, ...]) -> tuple[str, ...]:
    return _cleaned(tags)


def _cleaned(tags: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag for tag in (raw.strip().lower() for raw in tags) if tag))
