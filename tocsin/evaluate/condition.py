"""The condition of a rule case: `a > 5 && b < 2 || c >= 1` (siem.md §2.7, §2.8).

    condition := any ("then" any)*
    any       := all ("||" all)*
    all       := one ("&&" one)*
    one       := label operator number | "(" any ")"
    operator  := ">" | ">=" | "<" | "<=" | "==" | "!="

`&&` binds tighter than `||`. The label stands on the left. `then` separates stages: each has to become true after the
one before it.
"""

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tocsin.errors import UnreadableText

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}

MAX_LENGTH = 1_000
MAX_DEPTH = 20


class ConditionError(UnreadableText):
    """A condition cannot be read."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One query's value against a number. False when the query has no value."""

    label: str
    operator: str
    number: float
    start: int = 0
    end: int = 0

    def holds(self, values: Mapping[str, float | None]) -> bool:
        value = values.get(self.label)
        return value is not None and OPERATORS[self.operator](value, self.number)


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple["Part", ...]

    def holds(self, values: Mapping[str, float | None]) -> bool:
        return all(part.holds(values) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple["Part", ...]

    def holds(self, values: Mapping[str, float | None]) -> bool:
        return any(part.holds(values) for part in self.parts)


Part = Comparison | All | AnyOf


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was read; more than one stage means "then"."""

    text: str
    stages: tuple[Part, ...]

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Every comparison, in the order of the text."""
        return tuple(comparison for stage in self.stages for comparison in _comparisons(stage))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that are mentioned, each once, in the order of the text."""
        return tuple(dict.fromkeys(comparison.label for comparison in self.comparisons))

    @property
    def is_sequence(self) -> bool:
        return len(self.stages) > 1

    def holds(self, values: Mapping[str, float | None]) -> bool:
        """Whether these values of the queries fulfil a condition without "then"."""
        if self.is_sequence:
            raise ValueError("a condition with 'then' needs the order of the events, not only their values")
        return self.stages[0].holds(values)


def parse_condition(text: str) -> Condition:
    """Read a condition; raises `ConditionError` that says where and what to write instead."""
    if len(text) > MAX_LENGTH:
        raise ConditionError("too_long", MAX_LENGTH, len(text), f"the condition is longer than {MAX_LENGTH} characters")
    return Condition(text, _Reader(text).condition())


def check_labels(condition: Condition, known: tuple[str, ...]) -> None:
    """Raise `ConditionError` for the first label that no query of the rule has."""
    for comparison in condition.comparisons:
        if comparison.label not in known:
            end = comparison.start + len(comparison.label)
            fix = f"the queries are labelled {', '.join(known)}"
            message = f"no query is labelled '{comparison.label}'"
            raise ConditionError("unknown_label", comparison.start, end, message, fix)


def _comparisons(part: Part) -> Iterator[Comparison]:
    if isinstance(part, Comparison):
        yield part
    else:
        for inner in part.parts:
            yield from _comparisons(inner)


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


_TOKENS = re.compile(
    r"(?P<space>\s+)|(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))|(?P<label>[^\W\d][\w.-]*)"
    r"|(?P<operator>>=|<=|==|!=|>|<)|(?P<and>&&)|(?P<or>\|\|)|(?P<open>\()|(?P<close>\))"
)

_WRITTEN_WRONG = {"=": "write == for equality", "&": "write &&", "|": "write ||", "!": "write !="}


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while position < len(text):
        found = _TOKENS.match(text, position)
        if found is None:
            wrong = text[position]
            message = f"unexpected character '{wrong}'"
            raise ConditionError("unexpected", position, position + 1, message, _WRITTEN_WRONG.get(wrong, ""))
        kind = str(found.lastgroup)
        if kind == "label" and found.group().lower() in ("and", "or"):
            fix = f"write {'&&' if found.group().lower() == 'and' else '||'}"
            raise ConditionError("unexpected", position, found.end(), f"unexpected '{found.group()}'", fix)
        if kind == "label" and found.group() == "then":
            kind = "then"
        if kind != "space":
            yield _Token(kind, found.group(), position, found.end())
        position = found.end()
    yield _Token("end", "", len(text), len(text))


class _Reader:
    """Recursive descent, one method for each line of the grammar."""

    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0
        self.depth = 0

    def condition(self) -> tuple[Part, ...]:
        stages = [self.any_of()]
        while self.take("then"):
            stages.append(self.any_of())
        if self.tokens[self.at].kind != "end":
            raise self.unexpected("&&, ||, then or the end")
        return tuple(stages)

    def any_of(self) -> Part:
        parts = [self.all_of()]
        while self.take("or"):
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def all_of(self) -> Part:
        parts = [self.one()]
        while self.take("and"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def one(self) -> Part:
        if opened := self.take("open"):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise ConditionError("too_deep", opened.start, opened.end, f"more than {MAX_DEPTH} parentheses deep")
            inner = self.any_of()
            if not self.take("close"):
                raise self.unexpected("a closing parenthesis")
            self.depth -= 1
            return inner
        label = self.take("label")
        if label is None:
            if self.tokens[self.at].kind == "number":
                token = self.tokens[self.at]
                fix = "put the query's label on the left, as in a > 3"
                raise ConditionError("label_left", token.start, token.end, "a number stands where a label must", fix)
            raise self.unexpected("the label of a query")
        compared = self.take("operator")
        if compared is None:
            raise self.unexpected("one of > >= < <= == !=")
        number = self.take("number")
        if number is None:
            raise self.unexpected("a number")
        value = float(number.text)
        if math.isinf(value):
            raise ConditionError("too_large", number.start, number.end, f"no value can reach '{number.text}'")
        return Comparison(label.text, compared.text, value, label.start, number.end)

    def take(self, kind: str) -> _Token | None:
        token = self.tokens[self.at]
        if token.kind != kind:
            return None
        self.at += 1
        return token

    def unexpected(self, expected: str) -> ConditionError:
        token = self.tokens[self.at]
        found = f"'{token.text}'" if token.text else "the end"
        return ConditionError("unexpected", token.start, token.end, f"found {found}", f"expected {expected}")
