"""Whether the texts of a rule are what the search language takes: queries and names of fields."""

from collections.abc import Iterator, Sequence

from tocsin.query import QueryError, parse, parse_field
from tocsin.rules.problems import Problem


def check_search(target: str, text: str) -> Iterator[Problem]:
    try:
        parse(text)
    except QueryError as error:
        message = f"Invalid query '{shortened(text)}': {error}"
        yield Problem(target, message, error.code, error.start, error.end, error.fix)


def check_fields(target: str, fields: Sequence[str]) -> Iterator[Problem]:
    for i, name in enumerate(fields):
        place = f"{target}[{i}]"
        if not name.strip():
            yield Problem(place, "A field cannot be empty", "empty")
        elif name in fields[:i]:
            yield Problem(place, f"Field '{name}' is listed twice", "duplicate")
        else:
            try:
                parse_field(name)
            except QueryError as error:
                yield Problem(place, f"Invalid field '{shortened(name)}': {error}", error.code, error.start, error.end)


def shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
