"""Text -> tree (§3): precedence, groups, and what each value means for its field (§5, §6, §9, §11).

Groups are kept on a stack of our own, so that depth is a limit that we choose and never the host's recursion.
"""

import dataclasses
import re
from dataclasses import dataclass
from functools import lru_cache

from tocsin.query import patterns, units
from tocsin.query.errors import Code, QueryError
from tocsin.query.fixes import mended
from tocsin.query.lexer import Between, CidrCall, Clause, Lexer, Mark, Open, Phrase, Sign, Term, ValueCall
from tocsin.query.tree import (
    ANY,
    FREE,
    MESSAGE,
    TIMESTAMP,
    All,
    AnyCase,
    Cidr,
    Equals,
    Exists,
    Field,
    FieldKind,
    Glob,
    Node,
    Pieces,
    Range,
    RangeKind,
    Regex,
    Span,
    Text,
    TextGlob,
    conjunction,
    disjunction,
    joined,
    negation,
)
from tocsin.query.values import address_of, block_of, fold, is_ipv4, number_of, time_of, whole_text, words

MAX_BYTES = 64 * 1024
"""Length of a query in UTF-8 (§3)."""

MAX_DEPTH = 200
"""Nested parentheses (§3)."""

MAX_TEXT_PIECES = 1000
"""Literals and wildcards in one word of free or full text: what an engine takes as one regular expression."""

_CURLY = re.compile("[“”]")
_CURLY_OR_QUOTED = re.compile(r'\\.|"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[“”]', re.DOTALL)


def parse(text: str) -> Node:
    """The tree of a query. Raises `QueryError` with the code, the place, and where possible a query that would parse.

    The empty query, `*` and `*:*` are `All`. Curly quotation marks outside straight ones are ignored.
    """
    try:
        return _parsed(text)
    except QueryError as error:
        error.fix = mended(text, error, _parsed)
        raise


@lru_cache(maxsize=4096)
def parse_field(text: str | Field) -> Field:
    """A field as it is written before a colon: `@usr.id`, `host`, a tag's key. Raises `QueryError`."""
    if isinstance(text, Field):
        return text
    prefix = "_exists_:"
    try:
        node = _parsed(prefix + text)
    except QueryError as error:
        start, end = (max(offset - len(prefix), 0) for offset in (error.start, error.end))
        raise QueryError(error.code, start, end, error.message) from None
    if not isinstance(node, Exists):
        raise QueryError(
            Code.BAD_EXISTS, 0, len(text), "this is not the name of one field, such as @usr.id, host or env"
        )
    return node.field


@lru_cache(maxsize=4096)
def parse_cached(text: str) -> Node:
    """`parse` for callers that see the same texts again and again; trees are frozen, so they can be shared."""
    return parse(text)


def _parsed(text: str) -> Node:
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise QueryError(Code.TOO_LONG, 0, len(text), f"a query has at most {MAX_BYTES:,} bytes")
    clean = text if text.isascii() else whole_text(text)
    if not _CURLY.search(clean):
        return _Parser(clean).query()
    clean, places = _without_curly(clean)
    try:
        return _Parser(clean, places).query()
    except QueryError as error:
        raise QueryError(error.code, places[error.start], places[error.end], error.message) from None


def curly_quotes(text: str) -> list[int]:
    """Where curly quotation marks stand outside straight ones."""
    return [found.start() for found in _CURLY_OR_QUOTED.finditer(text) if found[0] in ("“", "”")]


def _without_curly(text: str) -> tuple[str, list[int]]:
    """The text as if curly quotes had not been typed, and for each of its offsets the one in `text`."""
    kept: list[str] = []
    places: list[int] = []
    at = 0
    for place in curly_quotes(text):
        kept.append(text[at:place])
        places.extend(range(at, place))
        at = place + 1
    kept.append(text[at:])
    places.extend(range(at, len(text) + 1))
    return "".join(kept), places


@dataclass(slots=True)
class _Group:
    """A group being read: finished alternatives, the conjunction at hand, and what waits for its operand."""

    opening: Open | None = None
    field: Field | None = None
    alternatives: list[Node] = dataclasses.field(default_factory=list)
    parts: list[Node] = dataclasses.field(default_factory=list)
    operator: Mark | None = None
    prefix: Mark | None = None
    is_negated: bool = False


class _Parser:
    def __init__(self, text: str, places: list[int] | None = None) -> None:
        self.lexer = Lexer(text)
        self.places = places
        self.groups = [_Group()]

    def query(self) -> Node:
        while True:
            group = self.groups[-1]
            token = self.lexer.next()
            if isinstance(token, Mark):
                if token.sign is Sign.END:
                    return self.end(token)
                self.mark(token, group)
            elif isinstance(token, Open):
                if len(self.groups) > MAX_DEPTH:
                    raise QueryError(
                        Code.TOO_DEEP, token.start, token.end, f"parentheses nest at most {MAX_DEPTH} deep"
                    )
                inner = token.field if token.field is not None else group.field
                self.groups.append(_Group(token, inner))
                self.lexer.in_group = inner is not None
            elif isinstance(token, CidrCall):
                self.operand(Cidr(token.field, token.blocks, self.span(token.start, token.end)), group)
            elif isinstance(token, ValueCall):
                span = self.span(token.start, token.end)
                self.operand(disjunction([_called(token, value, span) for value in token.values], span), group)
            else:
                self.operand(self.clause(token, group), group)

    def mark(self, token: Mark, group: _Group) -> None:
        if token.sign is Sign.CLOSE:
            self.close(token, group)
        elif token.sign in (Sign.NOT, Sign.PLUS):
            group.prefix = token
            group.is_negated ^= token.sign is Sign.NOT
        else:
            if group.prefix is not None or group.operator is not None or not group.parts:
                raise _missing_term(self.lexer.text, group.prefix or token)
            group.operator = token
            if token.sign is Sign.OR:
                group.alternatives.append(self.conjoined(group))
                group.parts = []

    def operand(self, node: Node, group: _Group) -> None:
        if group.is_negated:
            start = self.span(group.prefix.start, 0)[0] if group.prefix is not None else node.span[0]
            node = negation(node, (start, node.span[1]))
        group.prefix = group.operator = None
        group.is_negated = False
        group.parts.append(node)

    def close(self, token: Mark, group: _Group) -> None:
        opening = group.opening
        if opening is None:
            raise QueryError(Code.UNBALANCED_PAREN, token.start, token.end, "this parenthesis was never opened")
        waiting = group.prefix or group.operator
        if waiting is not None:
            raise _missing_term(self.lexer.text, waiting)
        if not group.parts:
            raise QueryError(Code.EMPTY_GROUP, opening.start, token.end, "there is nothing between the parentheses")
        self.groups.pop()
        outer = self.groups[-1]
        self.lexer.in_group = outer.field is not None
        self.operand(self.joined(group, self.span(opening.start, token.end)), outer)

    def end(self, token: Mark) -> Node:
        group = self.groups[-1]
        waiting = group.prefix or group.operator
        if waiting is not None:
            raise _missing_term(self.lexer.text, waiting)
        if group.opening is not None:
            at = group.opening.end - 1
            raise QueryError(Code.MISSING_CLOSE_PAREN, at, at + 1, "the parenthesis that opens here is not closed")
        span = self.span(0, token.end)
        return self.joined(group, span) if group.parts else All(span)

    def conjoined(self, group: _Group) -> Node:
        return conjunction(group.parts, (group.parts[0].span[0], group.parts[-1].span[1]))

    def joined(self, group: _Group, span: Span) -> Node:
        return disjunction([*group.alternatives, self.conjoined(group)], span)

    def span(self, start: int, end: int) -> Span:
        return (start, end) if self.places is None else (self.places[start], self.places[end])

    # -- what a value means for its field -----------------------------------------------------------------------------

    def clause(self, token: Clause, group: _Group) -> Node:
        span = self.span(token.start, token.end)
        field = token.field or group.field or FREE
        if token.existence:
            exists = Exists(field, span)
            return exists if token.existence == "_exists_" else negation(exists, span)
        value = token.value
        if isinstance(value, Between):
            return _interval(field, value, token, span)
        if isinstance(value, Term) and value.has_wildcard:
            return _glob(field, value.pieces, token, span)
        if field.kind in (FieldKind.FREE, FieldKind.FULL) or field == MESSAGE:
            found = words(value.text)
            if not found:
                raise _no_word(token)
            return Text(field, tuple(found), span)
        return _equals(field, value, span)


def _equals(field: Field, value: Phrase | Term, span: Span) -> Node:
    literal = Equals(field, value.text, span)
    if isinstance(value, Term) and "/" in value.text and field != TIMESTAMP and block_of(value.text) is not None:
        return disjunction([Cidr(field, (value.text,), span), literal], span)  # the extension of §11
    return literal


def _called(token: ValueCall, value: Phrase | Term, span: Span) -> Node:
    """One value of `ANYCASE` or `REGEX`."""
    if token.name == "REGEX":
        pattern = value.text
        try:
            patterns.regex(pattern)
        except ValueError as error:
            message = f"'{pattern}' is no regular expression that runs in linear time (RE2): {error}"
            raise QueryError(Code.BAD_CALL, token.start, token.end, message) from None
        return Regex(token.field, pattern, span)
    pieces = value.pieces if isinstance(value, Term) else joined([value.text])
    if pieces == (ANY,):
        return All(span) if token.field.kind is FieldKind.FULL else Exists(token.field, span)
    return AnyCase(token.field, tuple(fold(piece) if isinstance(piece, str) else piece for piece in pieces), span)


def _glob(field: Field, pieces: Pieces, token: Clause, span: Span) -> Node:
    is_text = field.kind in (FieldKind.FREE, FieldKind.FULL)
    if pieces == (ANY,):
        return All(span) if is_text else Exists(field, span)
    if not is_text:
        return Glob(field, pieces, span)
    if not any(isinstance(piece, str) and words(piece) for piece in pieces):
        raise _no_word(token)
    if len(pieces) > MAX_TEXT_PIECES:
        raise QueryError(
            Code.TOO_LONG, token.start, token.end, f"a word to search for has at most {MAX_TEXT_PIECES // 2} wildcards"
        )
    return TextGlob(field, tuple(fold(piece) if isinstance(piece, str) else piece for piece in pieces), span)


def _interval(field: Field, value: Between, token: Clause, span: Span) -> Node:
    if field.kind in (FieldKind.FREE, FieldKind.FULL):
        raise QueryError(
            Code.FIELD_REQUIRED, token.start, token.end, "a range or comparison needs a field, such as @duration:>5"
        )
    bounds = [bound for bound in (value.low, value.high) if bound is not None]
    if not bounds:
        return Exists(field, span)
    texts = [bound.text for bound in bounds]
    kind = RangeKind.STRING
    if field == TIMESTAMP:
        kind = RangeKind.TIME
        if any(time_of(text) is None for text in texts):
            raise QueryError(
                Code.BAD_RANGE,
                token.start,
                token.end,
                'a time is in milliseconds since 1970 or in quotes, such as "2026-01-31T12:00:00Z"',
            )
    elif any(bound.is_quoted for bound in bounds):
        pass
    elif all(number_of(text) is not None for text in texts):
        kind = RangeKind.NUMBER
    elif units.is_measure(texts):
        kind = RangeKind.UNIT
    elif _are_of_one_family(texts):
        kind = RangeKind.ADDRESS
    low, high = (bound.text if bound is not None else None for bound in (value.low, value.high))
    return Range(field, low, value.low_in, high, value.high_in, kind, span)


def _are_of_one_family(texts: list[str]) -> bool:
    addresses = [address_of(text) for text in texts]
    return None not in addresses and len({is_ipv4(address) for address in addresses if address is not None}) == 1


def _missing_term(text: str, token: Mark) -> QueryError:
    operator = text[token.start : token.end]
    return QueryError(Code.MISSING_TERM, token.start, token.end, f"{operator} has nothing to work on")


def _no_word(token: Clause) -> QueryError:
    return QueryError(
        Code.NO_WORD,
        token.start,
        token.end,
        "there is no letter or digit to search for; special characters are found by message:*…*",
    )
