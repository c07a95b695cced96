"""The pure core of `tocsin rules eval`: which rules match which events, as JSON lines.

Events go through the pipelines and the matcher that live logs go through; rules are asked for single events, so
their windows and groups do not count.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson

from tocsin.errors import BadRequest
from tocsin.event import Event, Rejected
from tocsin.match import Matcher
from tocsin.query.values import fold, time_of
from tocsin.rule import Rule

ToEvent = Callable[[Any], Event]
"""A raw record, an object or a line of text, to the event that it becomes. Raises `Rejected`."""

SHAPE = frozenset(
    ("id", "timestamp", "ingested_at", "message", "status", "host", "service", "source", "trace_id", "tags")
)
"""Members of an event in our shape, beside `attributes`."""


def matcher_of(rules: Mapping[str, Rule]) -> Matcher:
    """All rules, enabled or not, under the ids given; each query matches by itself. Raises `BadRequest`."""
    asked = []
    for rule_id, rule in rules.items():
        queries = tuple(
            replace(query, group_by_fields=(), distinct_fields=(), metrics=(), aggregation="count")
            for query in rule.queries
        )
        asked.append(replace(rule, id=rule_id, queries=queries, is_enabled=True))
    matcher = Matcher(asked)
    if matcher.problems:
        raise BadRequest(*(f"rule {problem.rule_id}: {problem.message}" for problem in matcher.problems))
    return matcher


def evaluate_rules(lines: Iterable[bytes], matcher: Matcher, to_event: ToEvent) -> Iterator[bytes]:
    """For each line `{"id", "event"}` a line `{"id", "matches": [rule id, …]}`, in order; blank lines have none.

    An event is a raw record as its vendor writes it, or one in our shape (`timestamp`, `message`, `source`, `tags`,
    `attributes`, …). One that cannot be read matches nothing, and the line has an `error`.
    """
    for line in lines:
        if line.strip():
            yield orjson.dumps(_answer(line, matcher, to_event), option=orjson.OPT_APPEND_NEWLINE)


def _answer(line: bytes, matcher: Matcher, to_event: ToEvent) -> dict[str, Any]:
    number = None
    try:
        given = orjson.loads(line)
        number = given.get("id") if isinstance(given, dict) else None
        if not isinstance(given, dict) or "event" not in given:
            raise BadRequest("a line is an object with 'id' and 'event'")
        event = event_of(given["event"], to_event)
    except (orjson.JSONDecodeError, BadRequest, Rejected) as error:
        return {"id": number, "matches": [], "error": str(error)}
    return {"id": number, "matches": list(dict.fromkeys(match.rule_id for match in matcher.match(event)))}


def event_of(given: Any, to_event: ToEvent) -> Event:
    """The event that an object or a line of text stands for. Raises `BadRequest` or `Rejected`."""
    if isinstance(given, dict) and isinstance(given.get("attributes"), dict) and given.keys() - SHAPE == {"attributes"}:
        return _shaped(given)
    if not isinstance(given, dict | str):
        raise BadRequest("'event' is an object or a line of text")
    return to_event(given)


def _shaped(given: Mapping[str, Any]) -> Event:
    time = given.get("timestamp", 0)
    moment = time_of(time) if isinstance(time, str) else time
    tags = given.get("tags") or []
    texts = [given.get(name) for name in ("message", "status", "host", "service", "source", "trace_id")]
    if isinstance(moment, bool) or not isinstance(moment, int | float):
        raise BadRequest("'timestamp' is in milliseconds since 1970, or ISO 8601")
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise BadRequest("'tags' is a list of texts")
    if not all(text is None or isinstance(text, str) for text in texts):
        raise BadRequest("message, status, host, service, source and trace_id are texts")
    message, status, host, service, source, trace_id = texts
    return Event(
        id=str(given.get("id", "")),
        timestamp=int(moment),
        message=message or "",
        status=fold(status or "info"),
        host=host,
        service=service,
        source=source,
        trace_id=trace_id,
        tags=[fold(tag) for tag in tags],
        attributes=given["attributes"],
    )
