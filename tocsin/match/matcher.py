"""All enabled rules' queries, compiled together (design §4.5).

A query is a Boolean function of atoms, an atom a function of one value. So an event costs a look-up for each value
that any rule asks for (`values.py`), which gives the mask of its true atoms, and one for that mask, which gives the
queries that hold. Only for a mask that was not seen before queries are evaluated, and of them those that need one
of its atoms (`conditions.py`). The number of rules appears in none of the frequent steps.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tocsin.errors import TocsinError
from tocsin.event import Event
from tocsin.match.atoms import prefixes, reach, test_of
from tocsin.match.conditions import Condition, condition_of, needed, usage
from tocsin.match.emission import Emission
from tocsin.match.values import Atom, ValueIndex
from tocsin.query.parser import parse
from tocsin.query.track import LOGS, Column, Track
from tocsin.query.tree import All, Leaf, Node, leaves
from tocsin.query.values import Scalar, flatten
from tocsin.rule import Match, Rule
from tocsin.tables import ColumnOf, no_column

REMEMBERED_MASKS = 50_000
REMEMBERED_PATHS = 20_000


@dataclass(frozen=True, slots=True)
class Problem:
    """A query that cannot be compiled; its rule's other queries still match."""

    rule_id: str
    query_index: int
    message: str


@dataclass(frozen=True, slots=True)
class _Query:
    condition: Condition
    emission: Emission


class Matcher:
    """Immutable but for what it remembers; may be used by several threads. Change rules by making another one."""

    def __init__(self, rules: Iterable[Rule], track: Track = LOGS, column: ColumnOf = no_column) -> None:
        """Only enabled rules and their queries on `track` are compiled; what cannot be is told in `problems`.

        `column` gives the columns of reference tables that rules filter by.
        """
        self.problems: list[Problem] = []
        self._track = track
        self._column = column
        self._atoms: dict[Leaf, Atom] = {}
        parsed = list(self._parsed(rules))
        masks = {leaf: bit for leaf, (bit, _) in self._atoms.items()}
        self._queries = [_Query(condition_of(node, masks), emission) for node, emission in parsed]
        self._by_atom: dict[int, list[int]] = {}
        self._always: list[int] = []
        used = usage(node for node, _ in parsed)
        for number, (node, _) in enumerate(parsed):
            need = needed(node, used)
            if need is None:
                self._always.append(number)
            else:
                for leaf in need:
                    self._by_atom.setdefault(masks[leaf].bit_length(), []).append(number)
        self._true_of_all = sum(bit for leaf, bit in masks.items() if isinstance(leaf, All))
        self._by_name: dict[str, ValueIndex] = {}
        self._leaves_by_path: dict[str, list[Leaf]] = {}
        self._leaves_below: dict[str, list[Leaf]] = {}
        self._leaves_everywhere: list[Leaf] = []
        self._place_leaves()
        self._everywhere = self._index(self._leaves_everywhere)
        self._by_path: dict[str, ValueIndex | None] = {}
        self._holding: dict[int, tuple[Emission, ...]] = {}

    def match(self, event: Event, found: Mapping[str, list[Scalar]] | None = None) -> list[Match]:
        """What every rule finds in the event, in the order of the rules.

        `found` is `flatten(event.attributes)`, if it is at hand.
        """
        mask = self._mask(event, flatten(event.attributes) if found is None else found)
        emissions = self._holding.get(mask)
        if emissions is None:
            emissions = self._evaluate(mask)
        return [match for emission in emissions for match in emission.matches(event)]

    # ------------------------------------------------------------------------------------------ compiling

    def _parsed(self, rules: Iterable[Rule]) -> Iterator[tuple[Node, Emission]]:
        for rule in rules:
            if not rule.is_enabled or rule.is_deleted:
                continue
            for index, query in enumerate(rule.queries):
                if query.data_source != self._track.name:
                    continue
                try:
                    node = parse(query.full_query)
                    tests = {leaf: test_of(leaf, self._track) for leaf in leaves(node)}
                    emission = Emission.of(rule, index, query, self._track, self._column)
                except TocsinError as error:
                    self.problems.append(Problem(rule.id, index, str(error)))
                    continue
                for leaf, test in tests.items():
                    self._atoms.setdefault(leaf, (1 << len(self._atoms), test))
                yield node, emission

    def _place_leaves(self) -> None:
        by_name: dict[str, list[Leaf]] = {}
        for leaf in self._atoms:
            places = reach(leaf, self._track)
            for name in places.names:
                by_name.setdefault(name, []).append(leaf)
            for path in places.paths:
                self._leaves_by_path.setdefault(path, []).append(leaf)
            if places.below:
                self._leaves_below.setdefault(places.below, []).append(leaf)
            if places.everywhere:
                self._leaves_everywhere.append(leaf)
        for name, found in by_name.items():
            if index := self._index(found, self._track.columns[name]):
                self._by_name[name] = index

    def _index(self, found: Iterable[Leaf], column: Column | None = None) -> ValueIndex | None:
        atoms = {leaf: self._atoms[leaf] for leaf in found}
        return ValueIndex(atoms, column) if atoms else None

    # ------------------------------------------------------------------------------------------ matching

    def _mask(self, event: Event, found: Mapping[str, list[Scalar]]) -> int:
        """The bits of all atoms that are true of the event."""
        mask = self._true_of_all
        for name, index in self._by_name.items():
            value = getattr(event, name)
            if isinstance(value, list):
                for element in value:
                    mask |= index.mask(element)
            elif value is not None and value != "":
                mask |= index.mask(value)
        by_path = self._by_path
        for path, values in found.items():
            at_path = by_path[path] if path in by_path else self._path_index(path)
            if at_path is not None:
                for element in values:
                    mask |= at_path.mask(element)
        return mask

    def _path_index(self, path: str) -> ValueIndex | None:
        """The index for a path that an event has, made when the first one has it."""
        found = [*self._leaves_by_path.get(path, ())]
        for at in prefixes(path):
            found += self._leaves_below.get(at, ())
        index = self._index([*found, *self._leaves_everywhere]) if found else self._everywhere
        if len(self._by_path) >= REMEMBERED_PATHS:
            self._by_path.clear()
        self._by_path[path] = index
        return index

    def _evaluate(self, mask: int) -> tuple[Emission, ...]:
        """The queries that hold for a mask not seen before."""
        candidates = set(self._always)
        rest = mask
        while rest:
            bit = rest & -rest
            candidates.update(self._by_atom.get(bit.bit_length(), ()))
            rest ^= bit
        emissions = tuple(
            self._queries[number].emission for number in sorted(candidates) if self._queries[number].condition(mask)
        )
        if len(self._holding) >= REMEMBERED_MASKS:
            self._holding.clear()
        self._holding[mask] = emissions
        return emissions
