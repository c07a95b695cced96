"""Processors that make a value of others: arithmetic, string builder, category, lookup."""

import math
import re
from collections.abc import Callable
from typing import Any

from tocsin.event import Event
from tocsin.normalise.errors import BadPipeline
from tocsin.normalise.grok.matchers import to_number
from tocsin.normalise.lookups import Lookups
from tocsin.normalise.paths import getter, setter
from tocsin.normalise.processors.settings import Settings
from tocsin.normalise.run import Predicate, Process, Run

BUILT_CHARACTERS = 256
"""A built text is cut here (siem.md §1.9)."""

DECIMALS = 9
DEPTH = 50

Read = Callable[[Event, str], Any]
"""The value of a name in an event."""

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?(?![\w.@]))|([()+*/])|(-)(?=\s|$|\d|\()|([\w@$](?:[\w.@$-]*[\w@$])?))")
_BLOCK = re.compile(r"%\{([^{}]+)\}")

Number = Callable[[Event], float | None]


def read_attribute(path: str) -> Callable[[Event], Any]:
    """An attribute, or the reserved attribute of that name where there is no such attribute."""
    get = getter(path)
    if path in ("message", "service", "host", "source", "status", "trace_id"):
        name = path

        def read(event: Event) -> Any:
            value = get(event.attributes)
            return value if value is not None else getattr(event, name) or None

        return read
    return lambda event: get(event.attributes)


Reader = Callable[[str], Callable[[Event], Any]]


def arithmetic_processor(settings: Settings) -> Process:
    compute = arithmetic(settings.text("expression"), settings.flag("is_replace_missing"), read_attribute, settings)
    write = setter(settings.target())

    def process(event: Event, run: Run) -> None:
        value = compute(event)
        if value is not None:
            write(event.attributes, value)

    return process


def arithmetic(text: str, replaces: bool, reader: Reader, settings: Settings) -> Callable[[Event], float | int | None]:
    """A function of the event; None where a value is missing or the result is no number."""
    where = f"{settings.where}.expression"
    tokens: list[tuple[str, str]] = []
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise BadPipeline(where, f"'{text[at:].strip()[:20]}' is neither a number, a name nor one of + - * / ( )")
        number, operator, minus, name = found.groups()
        tokens.append(("number", number) if number else ("name", name) if name else ("operator", operator or minus))
        at = found.end()
    parser = _Arithmetic(tokens, replaces, reader, where)
    compute = parser.sum(0)
    if parser.tokens:
        raise BadPipeline(where, f"'{parser.tokens[0][1]}' is not expected")

    def rounded(event: Event) -> float | int | None:
        value = compute(event)
        if value is None or not math.isfinite(value):
            return None
        value = round(value, DECIMALS)
        return int(value) if value == int(value) and abs(value) < 2**63 else value

    return rounded


class _Arithmetic:
    def __init__(self, tokens: list[tuple[str, str]], replaces: bool, reader: Reader, where: str) -> None:
        self.tokens = tokens
        self.replaces = replaces
        self.reader = reader
        self.where = where

    def sum(self, depth: int) -> Number:
        if depth > DEPTH:
            raise BadPipeline(self.where, "parentheses are nested too deep")
        left = self.product(depth)
        while (sign := self._take("+", "-")) is not None:
            left = _combine(sign, left, self.product(depth))
        return left

    def product(self, depth: int) -> Number:
        left = self.factor(depth)
        while (sign := self._take("*", "/")) is not None:
            left = _combine(sign, left, self.factor(depth))
        return left

    def factor(self, depth: int) -> Number:
        if self._take("(") is not None:
            inner = self.sum(depth + 1)
            if self._take(")") is None:
                raise BadPipeline(self.where, "a parenthesis is not closed")
            return inner
        if self._take("-") is not None:
            return _combine("-", lambda event: 0, self.factor(depth))
        if not self.tokens or self.tokens[0][0] == "operator":
            raise BadPipeline(self.where, "a number or the name of an attribute is missing")
        kind, text = self.tokens.pop(0)
        if kind == "number":
            constant = to_number(text) or 0
            return lambda event: constant
        get, missing = self.reader(text), 0 if self.replaces else None

        def read(event: Event) -> float | None:
            value = get(event)
            if isinstance(value, str):
                value = to_number(value.strip())
            return missing if isinstance(value, bool) or not isinstance(value, int | float) else value

        return read

    def _take(self, *signs: str) -> str | None:
        if self.tokens and self.tokens[0][0] == "operator" and self.tokens[0][1] in signs:
            return self.tokens.pop(0)[1]
        return None


def _combine(sign: str, left: Number, right: Number) -> Number:
    def combined(event: Event) -> float | None:
        a, b = left(event), right(event)
        if a is None or b is None or (sign == "/" and b == 0):
            return None
        match sign:
            case "+":
                return a + b
            case "-":
                return a - b
            case "*":
                return a * b
            case _:
                return a / b

    return combined


def string_builder_processor(settings: Settings) -> Process:
    build = template(settings.text("template"), settings.flag("is_replace_missing"), read_attribute)
    target = settings.target()
    write = setter(target)

    def process(event: Event, run: Run) -> None:
        text = build(event)
        if text is not None:
            write(event.attributes, text)

    return process


def template(text: str, replaces: bool, reader: Reader) -> Callable[[Event], str | None]:
    """A function that fills `%{path}` blocks; None where one is missing and must not be."""
    parts = _BLOCK.split(text)
    literals, readers = parts[::2], [reader(path.strip()) for path in parts[1::2]]
    first, rest = literals[0], list(zip(readers, literals[1:], strict=True))

    def build(event: Event) -> str | None:
        made = first
        for read, literal in rest:
            value = as_text(read(event))
            if value is None:
                if not replaces:
                    return None
                value = ""
            made += value + literal
        return made[:BUILT_CHARACTERS]

    return build


def as_text(value: Any) -> str | None:
    """A scalar, or scalars joined by commas; objects and lists of objects count as missing."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, dict):
        return None
    if isinstance(value, list):
        texts = [as_text(item) if not isinstance(item, list) else None for item in value]
        return ",".join(text for text in texts if text is not None) if value and None not in texts else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


Compile = Callable[[str, str], Predicate]
"""Text of a query and its place to a predicate."""


def categories(settings: Settings, compile_filter: Compile) -> list[tuple[Predicate, str]]:
    found: list[tuple[Predicate, str]] = []
    for item in settings.objects("categories"):
        query = item.inner("filter").text("query", "")
        name = item.text("name")
        if any(name == other for _, other in found):
            raise item.bad("name", f"there are two categories '{name}'")
        found.append((compile_filter(query, f"{item.where}.filter.query"), name))
    if not found:
        raise settings.bad("categories", "at least one category is needed")
    return found


def category_processor(settings: Settings, compile_filter: Compile) -> Process:
    cases = categories(settings, compile_filter)
    write = setter(settings.target())

    def process(event: Event, run: Run) -> None:
        for matches, name in cases:
            if matches(event):
                write(event.attributes, name)
                return

    return process


def lookup_processor(settings: Settings, lookups: Lookups) -> Process:
    """With a reference table the target becomes the row, an object by column; without a row nothing is written."""
    if settings.has("lookup_enrichment_table"):
        return _table_lookup(settings, lookups)
    table = lookup_table(settings)
    default = settings.raw("default_lookup")
    if default is not None and not isinstance(default, str):
        raise settings.bad("default_lookup", "a text is expected")
    read, write = read_attribute(settings.text("source")), setter(settings.target())

    def process(event: Event, run: Run) -> None:
        key = as_text(read(event))
        value = default if key is None else table.get(key, default)
        if value is not None and (key is not None):
            write(event.attributes, value)

    return process


def _table_lookup(settings: Settings, lookups: Lookups) -> Process:
    name = settings.text("lookup_enrichment_table")
    if settings.has("lookup_table"):
        raise settings.bad("lookup_table", "a lookup has either a lookup_table or a lookup_enrichment_table")
    read, write, row_of = read_attribute(settings.text("source")), setter(settings.target()), lookups.row

    def process(event: Event, run: Run) -> None:
        key = as_text(read(event))
        if key is not None and (row := row_of(name, key)) is not None:
            write(event.attributes, row)

    return process


def lookup_table(settings: Settings) -> dict[str, str]:
    """Lines of `key,value`: a list, or one text with a line for each; the first of equal keys counts."""
    raw = settings.raw("lookup_table")
    lines = raw.splitlines() if isinstance(raw, str) else raw
    if not isinstance(lines, list) or not lines:
        raise settings.bad("lookup_table", "a list of 'key,value' texts is expected")
    table: dict[str, str] = {}
    for index, line in enumerate(lines):
        if not isinstance(line, str) or "," not in line:
            raise settings.bad(f"lookup_table[{index}]", f"'key,value' is expected, not {line!r:.40}")
        key, _, value = line.partition(",")
        table.setdefault(key.strip(), value.strip())
    return table
