"""What a method needs of an event beyond its group: the texts that its matches carry in `Match.distinct`.

Each function makes, from the fields that a query names, what reads an event's texts: none when the event lacks them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, product

import orjson

from tocsin.event import Event, Json
from tocsin.query.parser import parse_field
from tocsin.query.to_predicate import Reader, reader
from tocsin.query.track import Track
from tocsin.query.values import Scalar, number_of, text_of
from tocsin.rule import Rule

Texts = Callable[[Event], list[str]]

MAX_TEXTS = 50
"""Of one query on one event: multi-valued fields multiply, and an event must not become thousands of rows."""

SEPARATOR = "\x1f"

MAX_CONTENT = 4_096
"""Characters of an event that content anomaly compares."""


def readers(fields: Sequence[str], track: Track) -> tuple[Reader, ...]:
    """Raises `QueryError` for what is not the name of a field."""
    return tuple(reader(parse_field(field), track) for field in fields)


def texts(values: Iterable[Scalar]) -> list[str]:
    """Text forms of the values, each once, in order."""
    return list(dict.fromkeys(map(text_of, values)))


def nothing(_event: Event) -> list[str]:
    return []


def tuples(fields: Sequence[str], track: Track) -> Texts:
    """Each tuple of the fields' values, joined by U+001F: what a cardinality counts."""
    read = readers(fields, track)

    def found(event: Event) -> list[str]:
        values = (texts(one(event)) for one in read)
        return [SEPARATOR.join(part) for part in islice(product(*values), MAX_TEXTS)]

    return found


def place(field: str, track: Track) -> Texts:
    """Where the event came from, as JSON: `latitude`, `longitude`, `city`, `country`, `ip` (siem.md §2.17).

    `field` is a place of the GeoIP enrichment (`@network.client.geoip`); the address is its sibling `ip`. None without
    coordinates.
    """
    parent = field.rpartition(".")[0]
    latitude, longitude, city, country, code, ip = readers(
        (
            f"{field}.location.latitude",
            f"{field}.location.longitude",
            f"{field}.city.name",
            f"{field}.country.name",
            f"{field}.country.iso_code",
            f"{parent}.ip",
        ),
        track,
    )

    def found(event: Event) -> list[str]:
        at = [_coordinate(latitude(event), 90), _coordinate(longitude(event), 180)]
        if None in at:
            return []
        written: dict[str, Json] = {
            "latitude": at[0],
            "longitude": at[1],
            "city": _first(city(event)),
            "country": _first(country(event)) or _first(code(event)),
            "ip": _first(ip(event)),
        }
        return [orjson.dumps(written).decode()]

    return found


def content(fields: Sequence[str], track: Track) -> Texts:
    """All values of the fields as one text, joined by U+001F and cut to `MAX_CONTENT` characters (siem.md §2.16)."""
    read = readers(fields, track)

    def found(event: Event) -> list[str]:
        whole = SEPARATOR.join(text for one in read for text in texts(one(event)))
        return [whole[:MAX_CONTENT]] if whole else []

    return found


def links(fields: Sequence[str], track: Track) -> Texts:
    """The values of these fields as JSON: what the next step of a sequence groups by (siem.md §2.19)."""
    read = dict(zip(fields, readers(fields, track), strict=True))

    def found(event: Event) -> list[str]:
        return [orjson.dumps({field: texts(one(event))[:MAX_TEXTS] for field, one in read.items()}).decode()]

    return found


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
