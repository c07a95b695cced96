"""What could stand at the cursor of a query that is being typed (search-syntax.md §13)."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from tocsin.errors import LimitExceeded
from tocsin.explore.answers import Completion, Option
from tocsin.explore.names_repository import attribute_names, field_values, tag_keys
from tocsin.explore.scope import Scope
from tocsin.query import Field, QueryError, parse_field, print_query
from tocsin.query.tree import Equals, FieldKind
from tocsin.store.events import EventStore

LIMIT = 20

_ENDS = frozenset(" \t\r\n()")


@dataclass(frozen=True, slots=True)
class Place:
    """The word at the cursor, without its prefixes: where it begins and ends, and what of it is before the cursor.

    `field` is what a value at this place belongs to, as written, also when that stands before a group.
    """

    start: int
    end: int
    typed: str
    field: str | None


def place_at(text: str, cursor: int) -> Place:
    """Reads only as much of the grammar as a half-typed query allows: quotes, escapes, groups and colons."""
    cursor = min(max(cursor, 0), len(text))
    start, is_quoted, colon = 0, False, None
    groups: list[str | None] = []
    position = 0
    while position < cursor:
        character = text[position]
        if character == "\\":
            position += 1
        elif character == '"':
            is_quoted = not is_quoted
        elif not is_quoted and character == ":" and colon is None:
            colon = position
        elif not is_quoted and character in _ENDS:
            if character == "(":
                groups.append(text[start:colon].lstrip("-!+") if colon == position - 1 else None)
            elif character == ")" and groups:
                groups.pop()
            start, colon = position + 1, None
        position += 1
    while start < cursor and text[start] in "-!+":
        start += 1
    field = text[start:colon] if colon is not None else next((group for group in reversed(groups) if group), None)
    if colon is not None:
        start = colon + 1
    return Place(start, _end_of_word(text, cursor, is_quoted), text[start:cursor], field)


def complete(events: EventStore, scope: Scope, text: str, cursor: int) -> Completion:
    """`scope` is the time to look in; its query does not matter."""
    place = place_at(text, cursor)
    if place.field is None:
        return Completion(place.start, place.end, "field", _names(events, scope, place.typed))
    try:
        field = parse_field(place.field)
    except QueryError:
        return Completion(place.start, place.end, "value")
    return Completion(place.start, place.end, "value", _values(events, scope, field, place.typed))


def _names(events: EventStore, scope: Scope, typed: str) -> list[Option]:
    found = [(name, 0, "reserved") for name in scope.track.columns]
    if not typed.startswith("@"):
        found += [(_written(FieldKind.NAME, key), count, "tag") for key, count in tag_keys(events, scope) if key]
    attributes = attribute_names(events, scope)
    found += [(_written(FieldKind.ATTRIBUTE, unquote(path)), count, "attribute") for path, count in attributes]
    wanted = typed.lower()
    kept = [each for each in found if wanted.removeprefix("@") in each[0].lower()]
    kept.sort(key=lambda each: (not each[0].lower().startswith(wanted), -each[1], each[0]))
    return [Option(name, f"{name}:", count, detail) for name, count, detail in kept[:LIMIT]]


def _values(events: EventStore, scope: Scope, field: Field, typed: str) -> list[Option]:
    """None rather than a wait when counting takes too long."""
    wanted = re.sub(r"\\(.)", r"\1", typed).strip('"*')
    try:
        values = field_values(events, scope, field, wanted, LIMIT)
    except LimitExceeded:
        return []
    prefix = len(print_query(Equals(field, "x"))) - 1
    ordered = sorted(values, key=lambda item: not item[0].lower().startswith(wanted.lower()))
    return [Option(value, print_query(Equals(field, value))[prefix:], count) for value, count in ordered]


def _written(kind: FieldKind, name: str) -> str:
    return print_query(Equals(Field(kind, name), "x")).rpartition(":")[0]


def _end_of_word(text: str, cursor: int, is_quoted: bool) -> int:
    end = cursor
    while end < len(text):
        character = text[end]
        if is_quoted and character == '"':
            return end + 1
        if not is_quoted and (character in _ENDS or (character == ":" and end > cursor)):
            return end
        end += 2 if character == "\\" else 1
    return min(end, len(text))
