"""What a method needs of an event beyond its group: the texts that its matches carry in `Match.distinct`.

Each function says of which fields they are made, and how: none when the event lacks them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

import orjson

from tocsin.event import Event, Json
from tocsin.query.parser import parse_field
from tocsin.query.to_predicate import reader
from tocsin.query.track import Track
from tocsin.query.tree import Field, FieldKind
from tocsin.query.values import Scalar, number_of, text_of
from tocsin.rule import CONTENT_ANOMALY, Rule, RuleQuery

Found = Mapping[str, Sequence[Scalar]]
"""A flattened event: the values of its attributes by path."""

Read = Callable[[Event, Found | None], Iterable[Scalar]]
"""The values at a field of an event, which was flattened, or not."""

Texts = Callable[..., list[str]]
"""Of an event and, where it is at hand, the flattened one."""

MAX_TEXTS = 50
"""Of one query on one event: multi-valued fields multiply, and an event must not become thousands of rows."""

SEPARATOR = "\x1f"

MAX_CONTENT = 4_096
"""Characters of an event that content anomaly compares."""


def readers(fields: Sequence[str], track: Track) -> tuple[Read, ...]:
    """Raises `QueryError` for what is not the name of a field."""
    return tuple(_reader(parse_field(field), track) for field in fields)


def _reader(field: Field, track: Track) -> Read:
    from_event = reader(field, track)
    if field.kind is not FieldKind.ATTRIBUTE:
        return lambda event, _found: from_event(event)
    path = field.name

    def read(event: Event, found: Found | None) -> Iterable[Scalar]:
        values = None if found is None else found.get(path, ())
        # The order of several is that of the event's own parts, which the flattened one does not keep.
        return from_event(event) if values is None or len(values) > 1 else values

    return read


def texts(values: Iterable[Scalar]) -> list[str]:
    """Text forms of the values, each once, in order."""
    if values.__class__ is list and len(values) == 1:
        (value,) = values
        return [value if value.__class__ is str else text_of(value)]
    return list(dict.fromkeys(map(text_of, values)))


@dataclass(frozen=True, slots=True)
class Making:
    """How the texts of an event are made: `of` takes the values of each of `fields`.

    `is_ordered`: where a field has several values, their order in the event matters.
    """

    fields: tuple[str, ...]
    of: Callable[[Sequence[Iterable[Scalar]]], list[str]]
    is_ordered: bool = False


def making(rule: Rule, query: RuleQuery) -> Making | None:
    """What the rule's method needs of an event beyond its group; None for nothing."""
    if query.aggregation == "cardinality":
        return tuples(query.distinct_fields)
    if query.aggregation == "new_value":
        return tuples(query.metrics)
    if query.aggregation == "geo_data" and query.metrics:
        return place(query.metrics[0])
    if rule.options.detection_method == CONTENT_ANOMALY:
        return content(query.metrics)
    if linked := linked_fields(rule, query.label):
        return links(linked)
    return None


def reading(made: Making | None, track: Track) -> Texts:
    """Reads what is made of an event. Raises `QueryError` for what is not the name of a field."""
    if made is None:
        return lambda _event, _found=None: []
    of, read = made.of, readers(made.fields, track)
    return lambda event, found=None: of([one(event, found) for one in read])


def tuples(fields: Sequence[str]) -> Making:
    """Each tuple of the fields' values, joined by U+001F: what a cardinality counts."""

    def of(values: Sequence[Iterable[Scalar]]) -> list[str]:
        if len(values) == 1:
            return texts(values[0])[:MAX_TEXTS]
        return [SEPARATOR.join(part) for part in islice(product(*map(texts, values)), MAX_TEXTS)]

    return Making(tuple(fields), of)


def place(field: str) -> Making:
    """Where the event came from, as JSON: `latitude`, `longitude`, `city`, `country`, `ip` (siem.md §2.17).

    `field` is a place of the GeoIP enrichment (`@network.client.geoip`); the address is its sibling `ip`. None without
    coordinates.
    """

    def of(values: Sequence[Iterable[Scalar]]) -> list[str]:
        latitude, longitude, city, country, code, ip = values
        at = [_coordinate(latitude, 90), _coordinate(longitude, 180)]
        if None in at:
            return []
        written: dict[str, Json] = {
            "latitude": at[0],
            "longitude": at[1],
            "city": _first(city),
            "country": _first(country) or _first(code),
            "ip": _first(ip),
        }
        return [orjson.dumps(written).decode()]

    parent = field.rpartition(".")[0]
    return Making(
        (
            f"{field}.location.latitude",
            f"{field}.location.longitude",
            f"{field}.city.name",
            f"{field}.country.name",
            f"{field}.country.iso_code",
            f"{parent}.ip",
        ),
        of,
        is_ordered=True,
    )


def content(fields: Sequence[str]) -> Making:
    """All values of the fields as one text, joined by U+001F and cut to `MAX_CONTENT` characters (siem.md §2.16)."""

    def of(values: Sequence[Iterable[Scalar]]) -> list[str]:
        whole = SEPARATOR.join(text for one in values for text in texts(one))
        return [whole[:MAX_CONTENT]] if whole else []

    return Making(tuple(fields), of, is_ordered=True)


def links(fields: Sequence[str]) -> Making:
    """The values of these fields as JSON: what the next step of a sequence groups by (siem.md §2.19)."""

    def of(values: Sequence[Iterable[Scalar]]) -> list[str]:
        found = {field: texts(one)[:MAX_TEXTS] for field, one in zip(fields, values, strict=True)}
        return [orjson.dumps(found).decode()]

    return Making(tuple(fields), of, is_ordered=True)


def linked_fields(rule: Rule, label: str) -> tuple[str, ...]:
    """The fields that the steps after those of this query group by, and the query does not."""
    options = rule.options.method_options.get("sequenceDetectionOptions") or {}
    queries = {query.label: query for query in rule.queries}
    labels = {
        step.get("name"): [word for word in _LABEL.findall(step.get("condition") or "") if word in queries]
        for step in options.get("steps") or ()
    }
    fields: dict[str, None] = {}
    for transition in options.get("stepTransitions") or ():
        if label in labels.get(transition.get("parent"), ()):
            for child in labels.get(transition.get("child"), ()):
                fields |= dict.fromkeys(queries[child].group_by_fields)
    return tuple(field for field in fields if field not in queries[label].group_by_fields)


_LABEL = re.compile(r"[^\W\d][\w.-]*")
"""As `evaluate.condition` reads it."""


def _coordinate(values: Iterator[Scalar] | Iterable[Scalar], limit: int) -> float | None:
    for value in values:
        number = number_of(value) if isinstance(value, str) else value
        if number is not None and not isinstance(number, bool) and -limit <= number <= limit:
            return float(number)
    return None


def _first(values: Iterable[Scalar]) -> str:
    return next((text_of(value) for value in values), "")
