"""From a value to the atoms that are true of it, remembered.

Values repeat enormously in logs, so most look-ups are one dictionary access. A value that was not seen before is looked
up by what it equals, by the literals that it contains, and by where it lies on the number line and among addresses;
only the atoms that these let through are asked. Every short cut may let too much through, never too little.

Sets of atoms are few, so each has a number (`Sets`): what is remembered, and what an event is known by, are small.
"""

import math
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tocsin.match.atoms import TAGS, Test
from tocsin.match.literals import Literals, Patterns, literal_of
from tocsin.query.patterns import whole
from tocsin.query.track import Column, Kind
from tocsin.query.tree import ANY, AnyCase, Cidr, Equals, Exists, Leaf, Range, RangeKind, Regex
from tocsin.query.values import Scalar, address_of, block_of, fold, number_of, text_of

Atom = tuple[int, Test]
"""A number and what decides it."""

Atoms = frozenset[int]
"""Numbers of atoms. Not a mask, which with tens of thousands of atoms would be kilobytes for the few that are true."""

REMEMBERED_SIZE = 4_000_000
"""Characters of values remembered of one place, each with `ENTRY_SIZE`; all are forgotten at once when it is full."""

ENTRY_SIZE = 200

LONGEST_REMEMBERED = 2_000
"""Longer values hardly repeat."""

_IPV4 = 0xFFFF << 32


class Sets:
    """Sets of atoms and their numbers; 0 is the empty one. Numbers only grow, until all are forgotten."""

    def __init__(self, queries: Mapping[int, Iterable[int]] | None = None) -> None:
        """`queries` tells by the number of an atom which queries it stands for."""
        self._by_atom = queries or {}
        self._atoms: list[Atoms] = [Atoms()]
        self._numbers: dict[Atoms, int] = {Atoms(): 0}
        self._lock = threading.Lock()
        self.queries: list[frozenset[int]] = [frozenset()]
        """Set -> the queries that its atoms stand for."""

    def __len__(self) -> int:
        return len(self._atoms)

    def number(self, atoms: Atoms) -> int:
        known = self._numbers.get(atoms)
        if known is None:
            with self._lock:
                known = self._numbers.get(atoms)
                if known is None:
                    known = len(self._atoms)
                    self._atoms.append(atoms)
                    self.queries.append(self._queries_of(atoms))
                    self._numbers[atoms] = known
        return known

    def union(self, numbers: Iterable[int]) -> Atoms:
        """All atoms in these sets."""
        return Atoms().union(*(self._atoms[number] for number in numbers))

    def afresh(self) -> "Sets":
        return Sets(self._by_atom)

    def _queries_of(self, atoms: Atoms) -> frozenset[int]:
        return frozenset(query for atom in atoms for query in self._by_atom.get(atom, ()))


@dataclass(slots=True)
class _Candidates:
    """Atoms that one key of an index lets through: `sure` are true without a further look."""

    sure: list[int] = field(default_factory=list)
    tests: list[Atom] = field(default_factory=list)
    folded: list[Atom] = field(default_factory=list)
    """Their tests take the folded text form."""


class ValueIndex:
    """The atoms that look at one place, and what is known of the values seen there.

    The place is a reserved attribute, or an attribute (any, for full text) when `column` is None.
    """

    def __init__(
        self, atoms: Mapping[Leaf, Atom], sets: Sets, column: Column | None = None, *, is_exact: bool = True
    ) -> None:
        """Unless `is_exact` a regular expression counts as true of a value that it may be true of: who asks again what
        is found need not have it asked here as well."""
        self._sets = sets
        self._is_exact = is_exact
        self._is_remembered = column is None or column.kind not in (Kind.TEXT, Kind.TIME)
        self._exists: list[int] = []
        self._others = _Candidates()
        self._equal: dict[object, _Candidates] = {}
        numbers, addresses = _Line(_number), _Line(_address)
        self.remembered: dict[object, int] = {}
        """Value -> its set; texts and whole numbers stand for themselves, others with their type. It stays the same."""
        self._room = REMEMBERED_SIZE
        by_literal: dict[str, _Candidates] = {}
        regexes: list[tuple[str, Atom]] = []
        is_plain = column is None or column.kind in (Kind.EXACT, Kind.FOLDED)
        is_text = column is not None and column.kind is Kind.TEXT
        for leaf, atom in atoms.items():
            if isinstance(leaf, Exists) and is_plain:
                self._exists.append(atom[0])
            elif isinstance(leaf, Equals) and is_plain:
                for key in _equal_keys(leaf.text):
                    self._equal.setdefault(key, _Candidates()).tests.append(atom)
            elif isinstance(leaf, Equals) and column is not None and column.kind is Kind.TAGS:
                text = leaf.text if leaf.field.name == TAGS else f"{leaf.field.name}:{leaf.text}"
                self._equal.setdefault(fold(text), _Candidates()).tests.append(atom)
            elif isinstance(leaf, Range) and leaf.kind is RangeKind.NUMBER and is_plain:
                numbers.add([number_of(bound) for bound in (leaf.low, leaf.high) if bound is not None], atom)
            elif isinstance(leaf, Cidr) and is_plain:
                blocks = [block for block in map(block_of, leaf.blocks) if block is not None]
                addresses.add([edge for block in blocks for edge in (block.first, block.last + 1)], atom)
            elif isinstance(leaf, AnyCase) and (is_plain or is_text):
                self._add_any_case(leaf, atom, by_literal)
            elif isinstance(leaf, Regex):
                regexes.append((leaf.pattern, atom))
            elif literal := literal_of(leaf):
                by_literal.setdefault(literal, _Candidates()).tests.append(atom)
            else:
                self._others.tests.append(atom)
        addresses.add([_IPV4, _IPV4 + (1 << 32)])
        self._lines = [line for line in (numbers, addresses) if line.atoms]
        self._literals = Literals(list(by_literal))
        self._by_literal = list(by_literal.values())
        self._patterns = Patterns([pattern for pattern, _ in regexes])
        self._by_pattern = [atom for _, atom in regexes]

    def _add_any_case(self, leaf: AnyCase, atom: Atom, by_literal: dict[str, _Candidates]) -> None:
        """Its pieces are folded, and so is the text that every value is looked up by."""
        pieces = leaf.pieces
        literal = literal_of(leaf)
        if all(isinstance(piece, str) for piece in pieces):
            self._equal.setdefault(literal, _Candidates()).sure.append(atom[0])
        elif not literal:
            self._others.folded.append((atom[0], whole(pieces)))  # type: ignore[arg-type]
        elif pieces == (ANY, literal, ANY):
            by_literal.setdefault(literal, _Candidates()).sure.append(atom[0])
        else:
            by_literal.setdefault(literal, _Candidates()).folded.append((atom[0], whole(pieces)))  # type: ignore[arg-type]

    def set_of(self, value: Scalar) -> int:
        """The number of the set of all atoms that are true of this value."""
        kind = value.__class__
        key: object = value if kind is str or kind is int else (kind, value)
        known = self.remembered.get(key)
        if known is not None:
            return known
        found = self._sets.number(self._decide(value))
        length = len(value) if isinstance(value, str) else 0
        if self._is_remembered and length <= LONGEST_REMEMBERED:
            self._room -= length + ENTRY_SIZE
            if self._room < 0:
                self.remembered.clear()
                self._room = REMEMBERED_SIZE
            self.remembered[key] = found
        return found

    def afresh(self, sets: Sets) -> "ValueIndex":
        """The same with nothing remembered, and numbers of other sets."""
        made = ValueIndex({}, sets)
        made._is_exact, made._is_remembered = self._is_exact, self._is_remembered
        made._exists, made._others, made._equal, made._lines = self._exists, self._others, self._equal, self._lines
        made._literals, made._by_literal = self._literals, self._by_literal
        made._patterns, made._by_pattern = self._patterns, self._by_pattern
        return made

    def _decide(self, value: Scalar) -> Atoms:
        whole = text_of(value)
        text = fold(whole)
        found = [self._by_literal[position] for position in self._literals.found(text)]
        if self._others.tests or self._others.folded:
            found.append(self._others)
        if (equal := self._equal.get(text)) is not None:
            found.append(equal)
        if not isinstance(value, str | bool) and (equal := self._equal.get(value)) is not None:
            found.append(equal)
        true = set(self._exists)
        for line in self._lines:
            true.update(line.true_of(value))
        for candidates in found:
            true.update(candidates.sure)
            for atom, test in candidates.tests:
                if atom not in true and test(value):
                    true.add(atom)
            for atom, test in candidates.folded:
                if atom not in true and test(text):
                    true.add(atom)
        if self._by_pattern:
            is_sure = self._is_exact or not whole.isascii()
            for atom, test in map(self._by_pattern.__getitem__, self._patterns.possible(whole)):
                if not is_sure or test(value):
                    true.add(atom)
        return frozenset(true)


@dataclass(slots=True)
class _Line:
    """Atoms that depend on a point only (a number, an address) and change only at known points.

    Between two of these all of them stay what they are, so they are asked once for each stretch, with the first value
    that falls into it.
    """

    point_of: Callable[[Scalar], int | float | None]
    edges: list[int | float] = field(default_factory=list)
    atoms: list[Atom] = field(default_factory=list)
    known: dict[int, list[int]] = field(default_factory=dict)

    def add(self, edges: Sequence[int | float | None], atom: Atom | None = None) -> None:
        self.edges = sorted({*self.edges, *(edge for edge in edges if edge is not None)})
        if atom is not None:
            self.atoms.append(atom)

    def true_of(self, value: Scalar) -> Sequence[int]:
        point = self.point_of(value)
        if point is None:
            return ()
        # Odd on an edge, even between two.
        stretch = bisect_left(self.edges, point) + bisect_right(self.edges, point)
        if stretch not in self.known:
            self.known[stretch] = [atom for atom, test in self.atoms if test(value)]
        return self.known[stretch]


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
