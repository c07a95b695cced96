"""The tree of a query, in normal form (§15).

Nodes are frozen and compare by meaning: the span of the source text that each carries does not count. Groups are gone,
`And` in `And` and `Or` in `Or` are flattened, a double negation is removed. Build with `conjunction`,
`disjunction` and `negation`, which keep that form; walk with `fold_up`, which needs no recursion.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

Span = tuple[int, int]
"""Character offsets into the source: start, end."""

NOWHERE: Span = (0, 0)


class FieldKind(Enum):
    FREE = "free"  # no field: the text fields of the track
    FULL = "full"  # `*:`
    ATTRIBUTE = "attribute"  # `@path`
    CALCULATED = "calculated"  # `#name`
    NAME = "name"  # a reserved attribute of the track, else the key of a tag


@dataclass(frozen=True, slots=True)
class Field:
    """What a clause looks at. `name` is the dotted path or the name; empty for free and full text."""

    kind: FieldKind
    name: str = ""


FREE = Field(FieldKind.FREE)
FULL = Field(FieldKind.FULL)
MESSAGE = Field(FieldKind.NAME, "message")
TIMESTAMP = Field(FieldKind.NAME, "timestamp")


class Wildcard(Enum):
    ANY = "*"
    ONE = "?"


ANY = Wildcard.ANY
ONE = Wildcard.ONE

Piece = str | Wildcard
Pieces = tuple[Piece, ...]
"""Literal text and wildcards kept apart, so that an escaped asterisk never becomes one (§15)."""


class RangeKind(Enum):
    """How bounds and values compare (§9)."""

    NUMBER = "number"
    ADDRESS = "address"
    TIME = "time"
    STRING = "string"
    UNIT = "unit"  # numbers of which one has a unit; `units.convert` makes numbers of them


@dataclass(frozen=True, slots=True)
class All:
    """Every event."""

    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


class _Branch:
    """Compares and hashes without recursion, which a deep tree would exhaust."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        stack: list[tuple[object, object]] = [(self, other)]
        while stack:
            mine, theirs = stack.pop()
            if not isinstance(mine, _Branch):
                if mine != theirs:
                    return False
                continue
            one, two = children(mine), children(theirs)  # type: ignore[arg-type]
            if type(mine) is not type(theirs) or len(one) != len(two):
                return False
            stack.extend(zip(one, two, strict=True))
        return True

    def __hash__(self) -> int:
        def visit(node: "Node", below: Sequence[int]) -> int:
            return hash((type(node), *below)) if below else hash(node)

        return fold_up(self, visit)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class _Several(_Branch):
    parts: tuple["Node", ...]
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


class And(_Several):
    __slots__ = ()


class Or(_Several):
    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Not(_Branch):
    part: "Node"
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Exists:
    field: Field
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Equals:
    """A whole value; as a number too if the text is one (§5)."""

    field: Field
    text: str
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Glob:
    """A whole value with wildcards."""

    field: Field
    pieces: Pieces
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds as written; None is an open end (whose `_in` is False)."""

    field: Field
    low: str | None
    low_in: bool
    high: str | None
    high_in: bool
    kind: RangeKind
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Cidr:
    """Blocks as written; valid ones."""

    field: Field
    blocks: tuple[str, ...]
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AnyCase:
    """A whole value whatever its case: folded literals and wildcards (decision 0106)."""

    field: Field
    pieces: Pieces
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression of RE2 that some part of the value's text form matches (decision 0106)."""

    field: Field
    pattern: str
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Text:
    """Folded words, next to one another, in free text, full text or the message."""

    field: Field
    words: tuple[str, ...]
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TextGlob:
    """Wildcards inside free or full text (§6); literals folded."""

    field: Field
    pieces: Pieces
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


Leaf = All | Exists | Equals | Glob | AnyCase | Regex | Range | Cidr | Text | TextGlob
Node = Leaf | And | Or | Not

T = TypeVar("T")


def children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, And | Or):
        return node.parts
    return (node.part,) if isinstance(node, Not) else ()


def fold_up(node: Node, visit: Callable[[Node, Sequence[T]], T]) -> T:
    """Visit every node after its children, with their results, in order; however deep the tree is."""
    results: list[T] = []
    stack: list[tuple[Node, bool]] = [(node, False)]
    while stack:
        current, is_ready = stack.pop()
        below = children(current)
        if not is_ready and below:
            stack.append((current, True))
            stack.extend((child, False) for child in reversed(below))
            continue
        mine = results[len(results) - len(below) :]
        del results[len(results) - len(below) :]
        results.append(visit(current, mine))
    return results[0]


def leaves(node: Node) -> list[Leaf]:
    """All leaves from left to right."""
    found: list[Leaf] = []
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, And | Or | Not):
            stack.extend(reversed(children(current)))
        else:
            found.append(current)
    return found


def conjunction(parts: Sequence[Node], span: Span = NOWHERE) -> Node:
    """All of them; one is itself, none is every event."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,))]
    if not flat:
        return All(span)
    return flat[0] if len(flat) == 1 else And(tuple(flat), span)


def disjunction(parts: Sequence[Node], span: Span = NOWHERE) -> Node:
    """Any of at least one."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat), span)


def negation(part: Node, span: Span = NOWHERE) -> Node:
    return part.part if isinstance(part, Not) else Not(part, span)


def joined(pieces: Sequence[Piece]) -> Pieces:
    """Normal form: neighbouring literals are one, empty ones gone, `**` is `*`."""
    found: list[Piece] = []
    for piece in pieces:
        if piece == "":
            continue
        if found and isinstance(piece, str) and isinstance(found[-1], str):
            found[-1] += piece
        elif not (piece is ANY and found and found[-1] is ANY):
            found.append(piece)
    return tuple(found)
