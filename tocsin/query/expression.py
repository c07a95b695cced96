"""The formula of a calculated field: text -> tree (siem.md §2.22).

    or      := and (("||" | "OR") and)*
    and     := equal (("&&" | "AND") equal)*
    equal   := order (("==" | "!=") order)*
    order   := sum (("<" | "<=" | ">" | ">=") sum)*
    sum     := product (("+" | "-") product)*
    product := sign (("*" | "/") sign)*
    sign    := ("!" | "NOT" | "-") sign | one
    one     := number | "text" | "@" path | "#" name | name | function "(" or ("," or)* ")" | "(" or ")"

Operators of one line are of one precedence and stand in one `Chain`, read from the left, so that a long formula makes
no deep tree. A special character in a path or name is escaped: `@http.x\\-y`, since `-` subtracts.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tocsin.errors import UnreadableText
from tocsin.query.tree import Field, FieldKind, Span
from tocsin.query.values import Scalar, number_of, scalar

MAX_LENGTH = 4_000
"""Characters of one formula."""

MAX_DEPTH = 40
"""Parentheses, calls and signs within one another."""

FUNCTIONS: Mapping[str, tuple[int, int | None]] = {
    "abs": (1, 1),
    "ceil": (1, 1),
    "floor": (1, 1),
    "max": (1, None),
    "min": (1, None),
    "round": (1, 2),
    "concat": (1, None),
    "lower": (1, 1),
    "upper": (1, 1),
    "proper": (1, 1),
    "prefix": (2, 2),
    "suffix": (2, 2),
    "substring": (3, 3),
    "split_before": (3, 3),
    "split_after": (3, 3),
    "textjoin": (2, None),
    "if": (3, 3),
    "case": (3, None),
    "is_null": (1, 1),
}
"""The fewest and the most parameters of each function; None: any number."""

_LEVELS = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "/"))
"""Operators by precedence, the loosest first."""

_WORDS: Mapping[str, str] = {"AND": "&&", "OR": "||", "NOT": "!"}


class ExpressionError(UnreadableText):
    """A formula that cannot be read."""


@dataclass(frozen=True, slots=True)
class Literal:
    value: Scalar


@dataclass(frozen=True, slots=True)
class Read:
    """What the event has at a field; calculated ones too."""

    field: Field
    span: Span


@dataclass(frozen=True, slots=True)
class Sign:
    """`!` or `-` before something."""

    operator: str
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Chain:
    """`first op1 rest1 op2 rest2 …`, from the left; the operators are of one precedence."""

    first: "Expression"
    rest: tuple[tuple[str, "Expression"], ...]


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    parameters: tuple["Expression", ...]


Expression = Literal | Read | Sign | Chain | Call


def parse_expression(text: str, earlier: Collection[str] = ()) -> Expression:
    """The tree of a formula, which may use the calculated fields `earlier`. Raises `ExpressionError`."""
    if not text.strip():
        raise ExpressionError("empty", 0, 0, "the expression is empty")
    if len(text) > MAX_LENGTH:
        raise ExpressionError("too_long", MAX_LENGTH, len(text), f"more than {MAX_LENGTH} characters")
    return _Reader(text, earlier).whole()


def expression_names(text: str) -> frozenset[str]:
    """The calculated fields that a formula names, those that are not there as well. Raises `ExpressionError`."""
    named = (_ESCAPED.sub(r"\1", token.text[1:]) for token in _tokens(text) if token.text.startswith("#"))
    return frozenset(named)


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


_TOKENS = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<text>"(?:[^"\\]|\\.)*")
    |(?P<field>[@\#](?:[\w.$]|\\.)+)
    |(?P<name>[^\W\d](?:[\w.]|\\.)*)
    |(?P<operator>&&|\|\||[<>=!]=|[-<>+*/!])
    |(?P<open>\()|(?P<close>\))|(?P<comma>,)""",
    re.VERBOSE | re.DOTALL,
)

_INSTEAD: Mapping[str, str] = {
    "=": "; write == to compare",
    "&": "; write &&",
    "|": "; write ||",
    '"': ": a text that begins here does not end",
    "'": "; texts stand in double quotes",
    "@": "; a path follows @",
    "#": "; a name follows #",
}

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        found = _TOKENS.match(text, at)
        if found is None:
            wrong = text[at]
            message = f"unexpected character {wrong}{_INSTEAD.get(wrong, '')}"
            raise ExpressionError("unexpected", at, at + 1, message)
        kind, written = str(found.lastgroup), found[0]
        if kind == "name" and written in _WORDS:
            kind, written = "operator", _WORDS[written]
        if kind != "space":
            yield _Token(kind, written, at, found.end())
        at = found.end()
    yield _Token("end", "", len(text), len(text))


class _Reader:
    """Recursive descent; its depth is bounded by `MAX_DEPTH`."""

    def __init__(self, text: str, earlier: Collection[str]) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0
        self.depth = 0
        self.earlier = earlier

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def whole(self) -> Expression:
        found = self.level(0)
        if self.token.kind != "end":
            raise self.unexpected("an operator or the end")
        return found

    def level(self, number: int) -> Expression:
        if number == len(_LEVELS):
            return self.sign()
        first = self.level(number + 1)
        rest = []
        while self.token.kind == "operator" and self.token.text in _LEVELS[number]:
            operator = self.token.text
            self.at += 1
            rest.append((operator, self.level(number + 1)))
        return Chain(first, tuple(rest)) if rest else first

    def sign(self) -> Expression:
        if self.token.kind == "operator" and self.token.text in ("!", "-"):
            token = self.token
            self.at += 1
            self.deeper(token)
            operand = self.sign()
            self.depth -= 1
            return Sign(token.text, operand)
        return self.one()

    def one(self) -> Expression:
        token = self.token
        self.at += 1
        if token.kind == "number":
            return Literal(self.number(token))
        if token.kind == "text":
            return Literal(_ESCAPED.sub(r"\1", token.text[1:-1]))
        if token.kind == "open":
            self.deeper(token)
            inner = self.level(0)
            self.close()
            return inner
        if token.kind == "field":
            return self.field(token)
        if token.kind == "name":
            if self.token.kind == "open":
                return self.call(token)
            if token.text in ("true", "false", "null"):
                message = f'{token.text} is no value here; compare with the text "{token.text}", or ask is_null(…)'
                raise ExpressionError("unexpected", token.start, token.end, message)
            return Read(Field(FieldKind.NAME, _ESCAPED.sub(r"\1", token.text)), (token.start, token.end))
        self.at -= 1
        raise self.unexpected("a value")

    def field(self, token: _Token) -> Expression:
        name = _ESCAPED.sub(r"\1", token.text[1:])
        if not all(name.split(".")):
            raise ExpressionError("unexpected", token.start, token.end, "a path needs a name between its dots")
        if token.text[0] == "@":
            return Read(Field(FieldKind.ATTRIBUTE, name), (token.start, token.end))
        if name not in self.earlier:
            known = f"; before it there are {', '.join(f'#{one}' for one in self.earlier)}" if self.earlier else ""
            message = f"no calculated field #{name} is defined before this one{known}"
            raise ExpressionError("unknown_field", token.start, token.end, message)
        return Read(Field(FieldKind.CALCULATED, name), (token.start, token.end))

    def call(self, token: _Token) -> Expression:
        if token.text not in FUNCTIONS:
            message = f"no function {token.text}; there are {', '.join(FUNCTIONS)}"
            raise ExpressionError("unknown_function", token.start, token.end, message)
        self.at += 1
        self.deeper(token)
        parameters = []
        if self.token.kind != "close":
            parameters.append(self.level(0))
            while self.token.kind == "comma":
                self.at += 1
                parameters.append(self.level(0))
        end = self.close()
        fewest, most = FUNCTIONS[token.text]
        count = len(parameters)
        if count < fewest or (most is not None and count > most) or (token.text == "case" and count % 2 == 0):
            wanted = (
                "conditions each with a value, and what to take else" if token.text == "case" else _count(fewest, most)
            )
            message = f"{token.text} takes {wanted}, not {count} parameters"
            raise ExpressionError("arity", token.start, end, message)
        return Call(token.text, tuple(parameters))

    def close(self) -> int:
        """Read a closing parenthesis; where it ends."""
        if self.token.kind != "close":
            raise self.unexpected("a closing parenthesis")
        self.at += 1
        self.depth -= 1
        return self.tokens[self.at - 1].end

    def deeper(self, token: _Token) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError("too_deep", token.start, token.end, f"more than {MAX_DEPTH} deep")

    def number(self, token: _Token) -> Scalar:
        found = scalar(number_of(token.text))
        if found is None:
            raise ExpressionError("unexpected", token.start, token.end, f"{token.text} is too large a number")
        return found

    def unexpected(self, expected: str) -> ExpressionError:
        token = self.token
        found = token.text if token.text else "the end"
        return ExpressionError("unexpected", token.start, token.end, f"found {found}, expected {expected}")


def _count(fewest: int, most: int | None) -> str:
    if most is None:
        return f"{fewest} or more"
    return str(fewest) if fewest == most else f"{fewest} or {most}"
