"""Queries compiled together: what a matcher is made of (design §4.5).

A query is a Boolean function of atoms, an atom a function of one value. So an event costs a look-up for each value
that any rule asks for (`values.py`), which gives the number of the set of its true atoms, and one for these numbers,
which gives the queries that hold. Only for numbers that were not seen together before queries are evaluated, and of
them those that need one of the atoms (`conditions.py`). The number of rules appears in none of the frequent steps.

Texts are long and hardly repeat, full text looks at every value, and few events can meet the rest of a query that asks
for words: such atoms are late, they are asked only for those events.
"""

import copy
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tocsin.errors import TocsinError
from tocsin.event import Event
from tocsin.match.atoms import prefixes, reach, test_of
from tocsin.match.conditions import Condition, condition_of, needed, possible, usage
from tocsin.match.emission import Emission
from tocsin.match.full_text import FullText
from tocsin.match.values import Atom, Sets, ValueIndex
from tocsin.query.calculate import with_calculated
from tocsin.query.parser import parse_cached
from tocsin.query.to_predicate import Predicate, to_predicate
from tocsin.query.track import Column, Kind, Track
from tocsin.query.tree import All, Leaf, Node, leaves
from tocsin.query.values import Scalar
from tocsin.rule import Rule
from tocsin.tables import ColumnOf

REMEMBERED_EVENTS = 50_000
"""Combinations of sets; an event with one of them is a matter of one look-up."""

REMEMBERED_SETS = 20_000
REMEMBERED_PATHS = 20_000

EVERYWHERE = "*"
"""The late place that full text looks at; the others are reserved attributes that hold texts."""

Key = tuple[int, ...]
"""The sets of atoms that an event's values have, which is all that its rules can know of it."""


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


@dataclass(frozen=True, slots=True)
class _Found:
    """The queries that hold. `late` are the places that must be looked at before all of them are known, `shut` the
    queries with late atoms that cannot hold whatever these are."""

    emissions: tuple[Emission, ...]
    late: tuple[str, ...] = ()
    shut: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Memory:
    """The indexes and what they have seen: one whole, so that forgetting is one assignment."""

    sets: Sets
    by_name: dict[str, ValueIndex]
    by_text: dict[str, ValueIndex]
    by_path: dict[str, ValueIndex] = field(default_factory=dict)
    """Of the paths that any atom looks at."""
    paths: set[str] = field(default_factory=set)
    """All paths that events had, with an index or without."""
    known: dict[Key, _Found] = field(default_factory=dict)
    known_late: dict[tuple[Key, Key], _Found] = field(default_factory=dict)

    def afresh(self) -> "_Memory":
        """Without what was seen."""
        sets = Sets()
        by_name = {name: index.afresh(sets) for name, index in self.by_name.items()}
        by_text = {name: index.afresh(sets) for name, index in self.by_text.items()}
        by_path = {path: index.afresh(sets) for path, index in self.by_path.items()}
        return _Memory(sets, by_name, by_text, by_path, set(self.paths))

    def undecided(self) -> "_Memory":
        """With all that is known of values, but not of which queries hold."""
        return _Memory(self.sets, self.by_name, self.by_text, self.by_path, self.paths)


@dataclass(frozen=True, slots=True)
class _Late:
    """A query with late atoms: what must hold beside them, and where they look."""

    possible: Condition
    places: frozenset[str]


class Segment:
    """Immutable but for what it remembers; may be used by several threads."""

    def __init__(self, rules: Iterable[Rule], track: Track, column: ColumnOf) -> None:
        """Only enabled rules and their queries on `track` are compiled; what cannot be is told in `problems`."""
        self.rules = {rule.id: rule for rule in rules}
        self.problems: list[Problem] = []
        self._track = track
        self._column = column
        self._atoms: dict[Leaf, Atom] = {}
        self._calculating: list[tuple[Predicate, Emission]] = []
        parsed = list(self._parsed())
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
        self._leaves_by_path: dict[str, list[Leaf]] = {}
        self._leaves_below: dict[str, list[Leaf]] = {}
        everywhere = [leaf for leaf in self._atoms if reach(leaf, track).everywhere]
        self._full_text_names = tuple(dict.fromkeys(name for leaf in everywhere for name in reach(leaf, track).names))
        self._full_text = FullText({leaf: self._atoms[leaf] for leaf in everywhere})
        self._late = {
            number: _Late(condition_of(possible(node, late), masks), frozenset().union(*late.values()))
            for number, (node, _) in enumerate(parsed)
            if (late := {leaf: places for leaf in leaves(node) if (places := self._late_places(leaf))})
        }
        sets = Sets()
        by_name = self._place_leaves(sets)
        is_late = {name: track.columns[name].kind is Kind.TEXT for name in by_name}
        self._memory = _Memory(
            sets,
            {name: index for name, index in by_name.items() if not is_late[name]},
            {name: index for name, index in by_name.items() if is_late[name]},
        )
        self._learn_paths(self._memory, self._leaves_by_path)
        self._dead: frozenset[str] = frozenset()

    def without(self, dead: Collection[str]) -> "Segment":
        """The same without some rules: all that is known of values stays."""
        made = copy.copy(self)
        made._dead = self._dead | frozenset(dead)
        made._memory = self._memory.undecided()
        return made

    def alive(self) -> dict[str, Rule]:
        """The rules that are compiled here and count, by id."""
        return {rule_id: rule for rule_id, rule in self.rules.items() if rule_id not in self._dead}

    def emissions(self, event: Event, found: Mapping[str, list[Scalar]]) -> tuple[Emission, ...]:
        """The queries that hold, in the order of the rules, but those of rules with calculated fields last; `found` is
        the flattened event."""
        indexed = self._indexed(event, found)
        if not self._calculating:
            return indexed
        calculating = (emission for holds, emission in self._calculating if holds(event))
        return (*indexed, *(emission for emission in calculating if emission.rule_id not in self._dead))

    def _indexed(self, event: Event, found: Mapping[str, list[Scalar]]) -> tuple[Emission, ...]:
        memory = self._memory
        if len(memory.sets) > REMEMBERED_SETS:
            memory = self._memory = memory.afresh()
        key = self._key(memory, event, found)
        known = memory.known.get(key)
        if known is None:
            known = _remember(memory.known, key, self._decide(memory.sets.union(key)))
        if not known.late:
            return known.emissions
        both = key, self._late_key(memory, known.late, event, found)
        answer = memory.known_late.get(both)
        if answer is None:
            mask = memory.sets.union(key) | memory.sets.union(both[1])
            answer = _remember(memory.known_late, both, _Found(self._holding(mask, known.shut)))
        return answer.emissions

    # ------------------------------------------------------------------------------------------ compiling

    def _parsed(self) -> Iterator[tuple[Node, Emission]]:
        for rule in self.rules.values():
            if not rule.is_enabled or rule.is_deleted:
                continue
            if rule.calculated_fields:
                self._calculate(rule)
                continue
            for index, query in enumerate(rule.queries):
                if query.data_source != self._track.name:
                    continue
                try:
                    node = parse_cached(query.full_query)
                    tests = {leaf: test_of(leaf, self._track) for leaf in leaves(node)}
                    emission = Emission.of(rule, index, query, self._track, self._column)
                except TocsinError as error:
                    self.problems.append(Problem(rule.id, index, str(error)))
                    continue
                for leaf, test in tests.items():
                    self._atoms.setdefault(leaf, (1 << len(self._atoms), test))
                yield node, emission

    def _calculate(self, rule: Rule) -> None:
        """Such rules run over stored logs, one at a time: an index would have nothing to share."""
        for index, query in enumerate(rule.queries):
            if query.data_source != self._track.name:
                continue
            try:
                track = with_calculated(self._track, rule.calculated_fields)
                holds = to_predicate(parse_cached(query.full_query), track)
                self._calculating.append((holds, Emission.of(rule, index, query, track, self._column)))
            except TocsinError as error:
                self.problems.append(Problem(rule.id, index, str(error)))

    def _place_leaves(self, sets: Sets) -> dict[str, ValueIndex]:
        """Remember which leaves look at which path; returns the indexes of the reserved names."""
        by_name: dict[str, list[Leaf]] = {}
        for leaf in self._atoms:
            places = reach(leaf, self._track)
            if places.everywhere:
                continue
            for name in places.names:
                by_name.setdefault(name, []).append(leaf)
            for path in places.paths:
                self._leaves_by_path.setdefault(path, []).append(leaf)
            if places.below:
                self._leaves_below.setdefault(places.below, []).append(leaf)
        columns = self._track.columns
        return {name: index for name, found in by_name.items() if (index := self._index(found, sets, columns[name]))}

    def _index(self, found: Iterable[Leaf], sets: Sets, column: Column | None = None) -> ValueIndex | None:
        atoms = {leaf: self._atoms[leaf] for leaf in found}
        return ValueIndex(atoms, sets, column) if atoms else None

    # ------------------------------------------------------------------------------------------ matching

    def _key(self, memory: _Memory, event: Event, found: Mapping[str, list[Scalar]]) -> Key:
        numbers: list[int] = []
        for name, index in memory.by_name.items():
            value = getattr(event, name)
            if isinstance(value, list):
                numbers += map(index.set_of, value)
            elif value is not None and value != "":
                numbers.append(index.set_of(value))
        if not memory.paths.issuperset(found):
            self._learn_paths(memory, found)
        by_path = memory.by_path
        for path in found.keys() & by_path.keys():
            at_path = by_path[path]
            for element in found[path]:
                # What `set_of` does for most values, without the call.
                number = at_path.remembered.get(element) if element.__class__ is str else None
                numbers.append(at_path.set_of(element) if number is None else number)
        return tuple([number for number in numbers if number])

    def _late_places(self, leaf: Leaf) -> tuple[str, ...]:
        places = reach(leaf, self._track)
        if places.everywhere:
            return (EVERYWHERE,)
        return tuple(name for name in places.names if self._track.columns[name].kind is Kind.TEXT)

    def _late_key(self, memory: _Memory, places: Iterable[str], event: Event, found: Mapping[str, list[Scalar]]) -> Key:
        numbers: list[int] = []
        for place in places:
            if place == EVERYWHERE:
                names = [value for name in self._full_text_names if (value := getattr(event, name))]
                mask = self._full_text.mask(names, found.values())
                numbers.append(memory.sets.number(mask))
            elif text := getattr(event, place):
                index = memory.by_text[place]
                numbers += map(index.set_of, text) if isinstance(text, list) else (index.set_of(text),)
        return tuple(numbers)

    def _learn_paths(self, memory: _Memory, paths: Iterable[str]) -> None:
        """Make the indexes for paths that an event is the first to have."""
        if len(memory.paths) >= REMEMBERED_PATHS:
            memory.paths, memory.by_path = set(), {}
        for path in set(paths) - memory.paths:
            found = [*self._leaves_by_path.get(path, ())]
            for at in prefixes(path):
                found += self._leaves_below.get(at, ())
            index = self._index(found, memory.sets)
            if index is not None:
                memory.by_path[path] = index
            memory.paths.add(path)

    def _decide(self, mask: int) -> _Found:
        """What holds for atoms not seen together before, as far as it can be told without full text."""
        mask |= self._true_of_all
        shut = frozenset(number for number, late in self._late.items() if not late.possible(mask))
        places = sorted({place for number, late in self._late.items() if number not in shut for place in late.places})
        return _Found(() if places else self._holding(mask, shut), tuple(places), shut)

    def _holding(self, mask: int, shut: Collection[int]) -> tuple[Emission, ...]:
        mask |= self._true_of_all
        candidates = set(self._always)
        rest = mask
        while rest:
            bit = rest & -rest
            candidates.update(self._by_atom.get(bit.bit_length(), ()))
            rest ^= bit
        candidates.difference_update(shut)
        queries = (self._queries[number] for number in sorted(candidates))
        return tuple(
            query.emission for query in queries if query.emission.rule_id not in self._dead and query.condition(mask)
        )


def _remember(known: dict[Any, _Found], key: Any, found: _Found) -> _Found:
    if len(known) >= REMEMBERED_EVENTS:
        known.clear()
    known[key] = found
    return found
