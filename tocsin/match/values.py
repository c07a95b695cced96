"""From a value to the atoms that are true of it, remembered.

Values repeat enormously in logs, so most look-ups are one dictionary access. A value that was not seen before is looked
up by what it equals, by the literals that it contains, and by where it lies on the number line and among addresses;
only the atoms that these let through are asked. Every short cut may let too much through, never too little.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tocsin.match.atoms import TAGS, Test
from tocsin.match.literals import Literals, literal_of
from tocsin.query.track import Column, Kind
from tocsin.query.tree import Cidr, Equals, Exists, Leaf, Range, RangeKind
from tocsin.query.values import Scalar, address_of, block_of, fold, number_of, text_of

Atom = tuple[int, Test]
"""A bit and what decides it."""

REMEMBERED_VALUES = 20_000
"""Of one place; forgotten all at once when there are more."""

LONGEST_REMEMBERED = 256
"""Longer values hardly repeat."""

_IPV4 = 0xFFFF << 32


class ValueIndex:
    """The atoms that look at one place, and what is known of the values seen there.

    The place is a reserved attribute, or an attribute when `column` is None.
    """

    def __init__(self, atoms: Mapping[Leaf, Atom], column: Column | None = None) -> None:
        self._is_remembered = column is None or column.kind not in (Kind.TEXT, Kind.TIME)
        self._exists = 0
        self._others: list[Atom] = []
        self._equal: dict[object, list[Atom]] = {}
        self._numbers = _Line(_number)
        self._addresses = _Line(_address)
        self._remembered: dict[object, int] = {}
        by_literal: dict[str, list[Atom]] = {}
        is_plain = column is None or column.kind in (Kind.EXACT, Kind.FOLDED)
        for leaf, atom in atoms.items():
            if isinstance(leaf, Exists) and is_plain:
                self._exists |= atom[0]
            elif isinstance(leaf, Equals) and is_plain:
                for key in _equal_keys(leaf.text):
                    self._equal.setdefault(key, []).append(atom)
            elif isinstance(leaf, Equals) and column is not None and column.kind is Kind.TAGS:
                whole = leaf.text if leaf.field.name == TAGS else f"{leaf.field.name}:{leaf.text}"
                self._equal.setdefault(fold(whole), []).append(atom)
            elif isinstance(leaf, Range) and leaf.kind is RangeKind.NUMBER and is_plain:
                self._numbers.add([number_of(bound) for bound in (leaf.low, leaf.high) if bound is not None], atom)
            elif isinstance(leaf, Cidr) and is_plain:
                blocks = [block for block in map(block_of, leaf.blocks) if block is not None]
                self._addresses.add([edge for block in blocks for edge in (block.first, block.last + 1)], atom)
            elif literal := literal_of(leaf):
                by_literal.setdefault(literal, []).append(atom)
            else:
                self._others.append(atom)
        self._addresses.add([_IPV4, _IPV4 + (1 << 32)])
        self._literals = Literals(list(by_literal))
        self._by_literal = list(by_literal.values())

    def mask(self, value: Scalar) -> int:
        """The bits of all atoms that are true of this value."""
        key: object = value if value.__class__ is str else (value.__class__, value)
        known = self._remembered.get(key)
        if known is not None:
            return known
        found = self._decide(value)
        if self._is_remembered and (not isinstance(value, str) or len(value) <= LONGEST_REMEMBERED):
            if len(self._remembered) >= REMEMBERED_VALUES:
                self._remembered.clear()
            self._remembered[key] = found
        return found

    def _decide(self, value: Scalar) -> int:
        text = fold(text_of(value))
        candidates = [*self._others, *self._equal.get(text, ())]
        if not isinstance(value, str | bool):
            candidates += self._equal.get(value, ())
        for position in self._literals.found(text):
            candidates += self._by_literal[position]
        return self._exists | _true_of(value, candidates) | self._numbers.mask(value) | self._addresses.mask(value)


@dataclass(slots=True)
class _Line:
    """Atoms that depend on a point only (a number, an address) and change only at known points.

    Between two of these all of them stay what they are, so they are asked once for each stretch, with the first value
    that falls into it.
    """

    point_of: Callable[[Scalar], int | float | None]
    edges: list[int | float] = field(default_factory=list)
    atoms: list[Atom] = field(default_factory=list)
    known: dict[int, int] = field(default_factory=dict)

    def add(self, edges: Sequence[int | float | None], atom: Atom | None = None) -> None:
        self.edges = sorted({*self.edges, *(edge for edge in edges if edge is not None)})
        if atom is not None:
            self.atoms.append(atom)

    def mask(self, value: Scalar) -> int:
        if not self.atoms:
            return 0
        point = self.point_of(value)
        if point is None:
            return 0
        # Odd on an edge, even between two.
        stretch = bisect_left(self.edges, point) + bisect_right(self.edges, point)
        if stretch not in self.known:
            self.known[stretch] = _true_of(value, self.atoms)
        return self.known[stretch]


def _true_of(value: Scalar, atoms: Sequence[Atom]) -> int:
    found = 0
    for bit, test in atoms:
        if not found & bit and test(value):
            found |= bit
    return found


def _equal_keys(text: str) -> list[object]:
    """What a value that equals the text is looked up by: its folded text, or the number itself."""
    number = number_of(text)
    return [fold(text)] if number is None else [fold(text), number]


def _number(value: Scalar) -> int | float | None:
    if isinstance(value, bool):
        return None
    number = number_of(value) if isinstance(value, str) else value
    return number if number is not None and math.isfinite(number) else None


def _address(value: Scalar) -> int | None:
    return address_of(value) if isinstance(value, str) else None
