"""Whether a suppression can be stored: every reason why not, each naming its field (siem.md §5.1, §5.3)."""

from collections.abc import Iterator, Mapping
from typing import Any

from tocsin.errors import BadRequest
from tocsin.query import QueryError, parse

WRITABLE = (
    "name",
    "enabled",
    "rule_query",
    "description",
    "suppression_query",
    "data_exclusion_query",
    "start_date",
    "expiration_date",
    "tags",
)
"""What a caller may send; anything else in a request is ignored (api.md §1)."""

REQUIRED = ("name", "enabled", "rule_query")
QUERIES = ("rule_query", "suppression_query", "data_exclusion_query")
DATES = ("start_date", "expiration_date")

MAX_TEXTS = {"name": 500, "description": 10_000}
"""Characters: far above any real one, below what would hurt a list of them."""

MAX_TAGS = 100
LATEST = 253_402_300_799_999
"""The last millisecond of the year 9999."""

_KINDS: Mapping[str, tuple[type, str]] = {
    "name": (str, "a text"),
    "enabled": (bool, "true or false"),
    "rule_query": (str, "a text"),
    "description": (str, "a text"),
    "suppression_query": (str, "a text"),
    "data_exclusion_query": (str, "a text"),
    "start_date": (int, "Unix milliseconds, a whole number"),
    "expiration_date": (int, "Unix milliseconds, a whole number"),
    "tags": (list, "a list of texts"),
}


class InvalidSuppression(BadRequest):
    """A suppression that cannot be stored; the first reason is the general one."""


def check(attributes: Mapping[str, Any]) -> None:
    """Raises `InvalidSuppression` with every reason why these complete attributes cannot be stored."""
    reasons = list(_wrong_types(attributes)) or [*_wrong_texts(attributes), *_wrong_queries(attributes)]
    if reasons:
        raise InvalidSuppression("Invalid suppression", *reasons)


def _wrong_types(attributes: Mapping[str, Any]) -> Iterator[str]:
    for name in REQUIRED:
        if attributes.get(name) is None:
            yield f"{name} is missing"
    for name, (kind, what) in _KINDS.items():
        value = attributes.get(name)
        if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            yield f"{name} must be {what}"
    tags = attributes.get("tags")
    if isinstance(tags, list) and not all(isinstance(tag, str) for tag in tags):
        yield "tags must be a list of texts"


def _wrong_texts(attributes: Mapping[str, Any]) -> Iterator[str]:
    if not attributes["name"].strip():
        yield "name cannot be empty"
    for name, limit in MAX_TEXTS.items():
        if len(attributes.get(name) or "") > limit:
            yield f"{name} has {len(attributes[name])} characters, {limit} are allowed"
    tags = attributes.get("tags") or []
    if len(tags) > MAX_TAGS:
        yield f"{len(tags)} tags given, {MAX_TAGS} are allowed"
    if any(not tag.strip() for tag in tags):
        yield "tags: a tag cannot be empty"
    start, expires = (attributes.get(name) for name in DATES)
    for name in DATES:
        if not 0 <= (attributes.get(name) or 0) <= LATEST:
            yield f"{name} must be Unix milliseconds between 0 and {LATEST}"
    if start is not None and expires is not None and expires <= start:
        yield "expiration_date must be later than start_date"


def _wrong_queries(attributes: Mapping[str, Any]) -> Iterator[str]:
    if not attributes["rule_query"].strip():
        yield "rule_query cannot be empty; write * for every rule"
    if not any((attributes.get(name) or "").strip() for name in QUERIES[1:]):
        yield "suppression_query or data_exclusion_query is needed: the signals or the events to suppress"
    for name in QUERIES:
        text = attributes.get(name) or ""
        if text.strip():
            try:
                parse(text)
            except QueryError as error:
                yield f"{name}: {error}"
