"""Automatic JSON and reserved attributes (siem.md §1.2, api.md §2): from a raw record to the event that pipelines see."""

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
    message = attributes.get("message")
    if message is None:
        return attributes, ""
    inner = read_object(message) if isinstance(message, str) else message if isinstance(message, dict) else None
    if inner is not None:
        # The envelope's own members win: they say who sent the record.
        del attributes["message"]
        attributes = {**inner, **attributes} if attributes else dict(inner)
        message = attributes.get("message")
        if isinstance(message, dict):
            return attributes, ""
    if isinstance(message, str):
        del attributes["message"]
        return attributes, message
    return attributes, ""


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
    take = attributes.pop
    source = take("ddsource", None)
    tags = take("ddtags", None)
    event = Event(
        id="",
        timestamp=record.received_at,
        message=message,
        service=_named(attributes, ("service",)) or _inner(attributes, "syslog", "appname") or record.service,
        host=_named(attributes, HOSTS) or _inner(attributes, "syslog", "hostname") or record.host,
        source=source if isinstance(source, str) and source else record.source,
        tags=read_tags(tags, record.tags),
        attributes=attributes,
    )
    has_time = False
    for name in DATES:
        value = attributes.get(name)
        if value is not None:
            ms = read_date(value, record.received_at)
            if ms is not None:
                event.timestamp = ms
                has_time = True
                if name == "timestamp":
                    del attributes[name]
                break
    for name in STATUSES:
        value = attributes.get(name)
        if value is not None and (status := status_of(value)) is not None:
            event.status = status
            if name == "status" and is_status(value):
                del attributes[name]
            break
    else:
        status = status_of(_inner(attributes, "syslog", "severity", is_text=False))
        if status is not None:
            event.status = status
    trace = attributes.get("trace_id")
    if trace is None:
        trace = attributes.get("dd.trace_id")
        if trace is None:
            trace = _inner(attributes, "dd", "trace_id", is_text=False)
    if isinstance(trace, str | int) and not isinstance(trace, bool):
        event.trace_id = str(trace) or None
        attributes.pop("trace_id", None)
    return event, has_time


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


def _inner(attributes: Attributes, outer: str, name: str, *, is_text: bool = True) -> Any:
    parent = attributes.get(outer)
    value = parent.get(name) if type(parent) is dict else attributes.get(f"{outer}.{name}")
    return value if not is_text or (isinstance(value, str) and value) else None


def read_tags(value: Any, defaults: tuple[str, ...]) -> list[str]:
    """Tags as a comma list or a list of texts, with the request's own: lower-cased, each once, in order."""
    if value is None:
        return list(_of_list(defaults))
    if isinstance(value, str):
        return list(_of_text(value, defaults))
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
