"""Queries compiled together: what a matcher is made of (design §4.5).

A query is a Boolean function of atoms, an atom a function of one value. Three steps decide an event, each for what the
one before it lets through:

1. Gates (`gates.py`). The values of the few fields that tell kinds of events apart give the queries that are open for
   events of this kind, and the places at which these can be found.
2. Values (`values.py`). Of each query a few atoms are chosen of which one must be true (`conditions.needed`), such as
   are true of few events. A value that was seen before takes one look-up; another one is scanned for all of them.
3. Checks (`checks.py`). The queries that are found so, and are open, are asked in turn: a few of thousands.

The number of rules appears in none of the frequent steps.
"""

import itertools
import operator
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tocsin.errors import TocsinError
from tocsin.event import Event
from tocsin.match.atoms import Reach, reach, test_of
from tocsin.match.checks import Check, check_of
from tocsin.match.conditions import Condition, alternatives, condition_of, needed, settled, usage
from tocsin.match.emission import Emission
from tocsin.match.full_text import FullText
from tocsin.match.gates import gate_fields, gated, is_gate
from tocsin.match.literals import literal_of
from tocsin.match.log4shell import MARKS, recognises
from tocsin.match.settling import Settling, settling_leaves
from tocsin.match.values import Atom, Atoms, Sets, ValueIndex
from tocsin.query.calculate import with_calculated
from tocsin.query.parser import parse_cached
from tocsin.query.to_predicate import Predicate, to_predicate, value_test
from tocsin.query.track import Kind, Track
from tocsin.query.tree import (
    All,
    And,
    AnyCase,
    Cidr,
    Equals,
    Exists,
    Field,
    FieldKind,
    Leaf,
    Node,
    Or,
    Range,
    Regex,
    conjunction,
    disjunction,
    leaves,
)
from tocsin.query.values import Scalar, words
from tocsin.rule import Rule
from tocsin.tables import ColumnOf

REMEMBERED_KINDS = 5_000
"""Kinds of events by the atoms of gates that are true of them."""

REMEMBERED_SETS = 20_000
MOST_SETS = 16
"""How many sets an event may have that is remembered by them: an attribute may have any number of values."""

FULL_TEXTS = 100
FORESEEN = 50
"""Automata: as many as there may be, and as many as are made before an event needs them."""

COMMON = 500.0
"""The price of a clause that is true of every second event: a hundred texts to look for are cheaper."""

ENGINE = 100.0
"""That of a regular expression: seldom true, but each new value is read by an engine."""

SHORT_VALUE = 4
"""Characters. What is so short (`200`, `GET`, `true`) is one of few values, and true of many events."""

REMEMBERED_DECISIONS = 20_000
MOST_ASKED = 64
"""Which queries are asked is remembered for so many combinations of sets, if they are not more."""

MOST_BEFORE = 3
MOST_LOOKING = 20
"""So many clauses cost less than a look at all values, and of so many queries they are put together."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A query that cannot be compiled; its rule's other queries still match."""

    rule_id: str
    query_index: int
    message: str


@dataclass(frozen=True, slots=True)
class _Query:
    """Only events for which one of the leaves `need` is true can meet it, which look at `places`; None: it must be
    checked always. `rest` is what remains to be asked where the gate is open and one of these was found, and `parts`
    asks it, unless it is `All`. `before` is, where these look everywhere, what must hold of single places, or `All`."""

    emission: Emission
    rest: Settling
    before: Node
    need: frozenset[Leaf] | None
    places: Reach


_Asked = tuple[Emission, Check | None]
"""A query that was found, and what is still to be asked; None: nothing."""


class _Places:
    """Indexes by where they look: reserved attributes by name, others by path."""

    def __init__(self, names: Mapping[str, ValueIndex], paths: Mapping[str, ValueIndex]) -> None:
        self.names = names
        self.paths = paths
        self._by_name = [(name, index.remembered.get, index.set_of) for name, index in names.items()]
        self._in_order = tuple(paths)
        self._at = {path: (index.remembered.get, index.set_of) for path, index in paths.items()}

    def afresh(self, sets: Sets) -> "_Places":
        """Without what was seen."""
        return _Places(
            {name: index.afresh(sets) for name, index in self.names.items()},
            {path: index.afresh(sets) for path, index in self.paths.items()},
        )

    def only(self, places: Reach) -> "_Places":
        """Those of these places, which share what was seen."""
        return _Places(
            {name: self.names[name] for name in places.names},
            {path: self.paths[path] for path in places.paths},
        )

    def sets_of(self, event: Event, found: Mapping[str, list[Scalar]]) -> list[int]:
        """The sets of atoms that are true of the event's values, but empty ones."""
        numbers: list[int] = []
        # `known` is what `set_of` does for most values, without the call.
        for name, known, set_of in self._by_name:
            value = getattr(event, name)
            if value.__class__ is str:
                number = known(value) if value else 0
                if number is None:
                    number = set_of(value)
                if number:
                    numbers.append(number)
            elif value is not None:
                numbers += filter(None, map(set_of, value if isinstance(value, list) else (value,)))
        for path in filter(found.__contains__, self._in_order):  # an event has few of them
            known, set_of = self._at[path]
            for element in found[path]:
                kind = element.__class__
                number = known(element) if kind is str or kind is int else None
                if number is None:
                    number = set_of(element)
                if number:
                    numbers.append(number)
        return numbers


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is to be asked of events of one kind: `always` are the open queries that must be checked, `places` where the
    other ones of `open` are found, some perhaps by `full_texts`, which are worth a look when `before` holds; when there
    is none, always. No two kinds have one `number`."""

    number: int
    open: frozenset[int]
    always: frozenset[int]
    places: _Places
    full_texts: tuple[FullText, ...] = ()
    before: Check | None = None


@dataclass(frozen=True, slots=True)
class _Behind:
    """The queries behind one gate: `always` those of them that must be checked, `places` where the others are found;
    `everywhere` are the atoms of full text among what they need."""

    is_open: Condition
    queries: frozenset[int]
    always: frozenset[int]
    places: Reach
    everywhere: Atoms


@dataclass(slots=True)
class _Memory:
    """The indexes and what they have seen: one whole, so that forgetting is one assignment."""

    gate_sets: Sets
    gates: _Places
    sets: Sets
    values: _Places
    kinds: dict[tuple[int, ...], _Kind] = field(default_factory=dict)
    """By the sets of gates' atoms that are true of an event."""
    full_texts: dict[Atoms, FullText] = field(default_factory=dict)
    """What finds these atoms of full text; many kinds of events are searched for the same."""
    asked: dict[tuple[int, ...], tuple[_Asked, ...]] = field(default_factory=dict)
    """By the number of the kind of an event and the sets of atoms that are true of it, in the order of the rules."""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def afresh(self) -> "_Memory":
        gate_sets, sets = self.gate_sets.afresh(), self.sets.afresh()
        made = _Memory(gate_sets, self.gates.afresh(gate_sets), sets, self.values.afresh(sets))
        made.full_texts = self.full_texts
        return made

    def undecided(self) -> "_Memory":
        """With all that is known of values, but not of which queries are open."""
        return _Memory(self.gate_sets, self.gates, self.sets, self.values, full_texts=self.full_texts)


class Segment:
    """Immutable but for what it remembers; may be used by several threads."""

    def __init__(self, rules: Iterable[Rule], track: Track, column: ColumnOf) -> None:
        """Only enabled rules and their queries on `track` are compiled; what cannot be is told in `problems`."""
        self.rules = {rule.id: rule for rule in rules}
        self.problems: list[Problem] = []
        self._track = track
        self._column = column
        self._dead: frozenset[str] = frozenset()
        self._dead_queries: frozenset[int] = frozenset()
        self._calculating: list[tuple[Predicate, Emission]] = []
        parsed = list(self._parsed())
        fields = gate_fields([node for node, _ in parsed], track)
        split = [gated(node, fields) for node, _ in parsed]
        gate_atoms = _atoms((leaf for each in split for leaf in leaves(each.gate)), track)
        self._gate_bits = {leaf: 1 << atom for leaf, (atom, _) in gate_atoms.items()}
        cost = _cost([each.rest for each in split], fields, track)
        needs = [
            frozenset(MARKS) if recognises(self.rules[emission.rule_id]) else needed(each.rest, cost)
            for (_, emission), each in zip(parsed, split, strict=True)
        ]
        rests = [_unsaid(each.rest, need) for each, need in zip(split, needs, strict=True)]
        wanted = list(dict.fromkeys(leaf for need in needs for leaf in need or ()))
        looked_at = {path for leaf in wanted for path in reach(leaf, track).paths}
        atoms = _atoms([*wanted, *settling_leaves(rests, looked_at)], track)
        self._queries: list[_Query] = []
        for (_, emission), each, need, rest in zip(parsed, split, needs, rests, strict=True):
            places = _places_of(need or (), track)
            before = _before(each.rest, track) if places.everywhere else All()
            self._queries.append(_Query(emission, Settling(rest, atoms, track), before, need, places))
        by_gate: dict[Node, list[int]] = {}
        for number, each in enumerate(split):
            by_gate.setdefault(each.gate, []).append(number)
        standing_for: dict[int, list[int]] = {}
        for number, query in enumerate(self._queries):
            for leaf in query.need or ():
                standing_for.setdefault(atoms[leaf][0], []).append(number)
        self._everywhere = {leaf: atom for leaf, atom in atoms.items() if reach(leaf, track).everywhere}
        self._gates = {
            gate: self._behind(condition_of(gate, self._gate_bits), numbers) for gate, numbers in by_gate.items()
        }
        self._full_text_names = _reading(Reach.union(reach(leaf, track) for leaf in self._everywhere).names)
        gate_sets, sets = Sets(), Sets(standing_for)
        self._memory = _Memory(
            gate_sets,
            self._placed(gate_atoms, gate_sets, is_exact=True),
            sets,
            self._placed(
                {leaf: atom for leaf, atom in atoms.items() if leaf not in self._everywhere}, sets, is_exact=False
            ),
        )

        self._foresee()

    def without(self, dead: Collection[str]) -> "Segment":
        """The same without some rules: all that is known of values stays."""
        made = Segment((), self._track, self._column)
        made.rules, made.problems, made._calculating = self.rules, self.problems, self._calculating
        made._queries, made._gates, made._gate_bits = self._queries, self._gates, self._gate_bits
        made._everywhere, made._full_text_names = self._everywhere, self._full_text_names
        made._dead = self._dead | frozenset(dead)
        made._dead_queries = frozenset(
            number for number, query in enumerate(self._queries) if query.emission.rule_id in made._dead
        )
        made._memory = self._memory.undecided()
        return made

    def alive(self) -> dict[str, Rule]:
        """The rules that are compiled here and count, by id."""
        return {rule_id: rule for rule_id, rule in self.rules.items() if rule_id not in self._dead}

    def emissions(self, event: Event, found: Mapping[str, list[Scalar]], document: bytes = b"") -> list[Emission]:
        """The queries that hold and may yield a match, in the order of the rules, but those of rules with calculated
        fields last; `found` is the flattened event, `document` its attributes as JSON, if that is at hand."""
        memory = self._memory
        key = tuple(memory.gates.sets_of(event, found))
        kind = memory.kinds.get(key)
        if kind is None:
            kind = self._kind(memory, key)
        sets = kind.places.sets_of(event, found)
        if kind.full_texts and (kind.before is None or kind.before(event, found)):
            for full_text in kind.full_texts:
                if atoms := full_text.possible(self._full_text_names(event), found.values(), document):
                    sets.append(memory.sets.number(frozenset(atoms)))
        known = (kind.number, *sets)
        asked = memory.asked.get(known)
        if asked is None:
            asked = self._asked(memory, kind, known)
        holding = [emission for emission, check in asked if check is None or check(event, found)]
        for holds, emission in self._calculating:
            if emission.rule_id not in self._dead and holds(event):
                holding.append(emission)
        return holding

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
                    for leaf in leaves(node):
                        if isinstance(leaf, Range):  # of all leaves only these may be undecidable
                            value_test(leaf, self._track)
                    yield node, Emission.of(rule, index, query, self._track, self._column)
                except TocsinError as error:
                    self.problems.append(Problem(rule.id, index, str(error)))

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

    def _placed(self, atoms: Mapping[Leaf, Atom], sets: Sets, *, is_exact: bool) -> _Places:
        by_name: dict[str, dict[Leaf, Atom]] = {}
        by_path: dict[str, dict[Leaf, Atom]] = {}
        for leaf, atom in atoms.items():
            places = reach(leaf, self._track)
            for name in places.names:
                by_name.setdefault(name, {})[leaf] = atom
            for path in places.paths or _existing(leaf):
                by_path.setdefault(path, {})[leaf] = atom
        columns = self._track.columns
        return _Places(
            {name: ValueIndex(found, sets, columns[name], is_exact=is_exact) for name, found in by_name.items()},
            {path: ValueIndex(found, sets, is_exact=is_exact) for path, found in by_path.items()},
        )

    def _behind(self, is_open: Condition, numbers: Sequence[int]) -> _Behind:
        wanted = {leaf for number in numbers for leaf in self._queries[number].need or ()}
        return _Behind(
            is_open,
            frozenset(numbers),
            frozenset(number for number in numbers if self._queries[number].need is None),
            Reach.union(self._queries[number].places for number in numbers),
            frozenset(self._everywhere[leaf][0] for leaf in wanted if leaf in self._everywhere),
        )

    def _foresee(self) -> None:
        """Compile full text for the kinds of events that the gates speak of, so that no event waits for it."""
        looking = {gate: behind for gate, behind in self._gates.items() if behind.everywhere}
        masks = dict.fromkeys(mask for gate in looking for mask in alternatives(gate, self._gate_bits))
        for mask in masks:
            if len(self._memory.full_texts) >= FORESEEN:
                return
            self._full_texts(self._memory, [behind for behind in looking.values() if behind.is_open(mask)])

    # ------------------------------------------------------------------------------------------ matching

    def _asked(self, memory: _Memory, kind: _Kind, known: tuple[int, ...]) -> tuple[_Asked, ...]:
        """The queries that are asked of events of this kind of which these sets of atoms are true: the open ones that
        these stand for, and those that are asked always, but for those that cannot hold."""
        sets = known[1:]
        found = frozenset[int]().union(*(memory.sets.queries[number] for number in sets))
        numbers = sorted((found & kind.open) | kind.always)
        true = memory.sets.union(sets)
        asked = tuple(self._settled([self._queries[number] for number in numbers], true, kind.places.paths))
        if len(sets) <= MOST_SETS and len(asked) <= MOST_ASKED:
            if len(memory.asked) >= REMEMBERED_DECISIONS:
                memory.asked.clear()
            memory.asked[known] = asked
        self._forget(memory)
        return asked

    def _settled(self, queries: Iterable[_Query], true: Atoms, paths: Collection[str]) -> Iterator[_Asked]:
        """What is left to ask of those that can hold where these atoms are true, and no others of these paths."""
        for query in queries:
            left: list[Check] = []
            if query.rest.may_hold(true, paths, left):
                yield query.emission, query.rest.settled(left)

    def _forget(self, memory: _Memory) -> None:
        """Begin anew where too much is known. An event with a set that is new has a kind or a decision that is."""
        if len(memory.sets) > REMEMBERED_SETS or len(memory.gate_sets) > REMEMBERED_SETS:
            self._memory = memory.afresh()

    def _kind(self, memory: _Memory, key: tuple[int, ...]) -> _Kind:
        """What events are asked of which these sets of gates' atoms are true, and no other atoms."""
        mask = sum(1 << atom for atom in memory.gate_sets.union(key))
        gates = [gate for gate in self._gates.values() if gate.is_open(mask)]
        places = Reach.union(gate.places for gate in gates)
        found = frozenset[int]().union(*(gate.queries for gate in gates)) - self._dead_queries
        always = frozenset[int]().union(*(gate.always for gate in gates)) - self._dead_queries
        number = next(memory.numbers)
        kind = _Kind(number, found, always, memory.values.only(places))
        if places.everywhere:
            kind = replace(
                kind,
                full_texts=self._full_texts(memory, gates),
                before=self._before_full_text(mask, found),
            )
        if len(key) <= MOST_SETS:
            if len(memory.kinds) >= REMEMBERED_KINDS:
                memory.kinds.clear()
            memory.kinds[key] = kind
        self._forget(memory)
        return kind

    def _before_full_text(self, mask: int, numbers: Iterable[int]) -> Check | None:
        """What must hold of an event for which these atoms of gates are true and no others, for one of these queries to
        be found by full text; None: perhaps nothing."""
        looking = [query.before for number in numbers if (query := self._queries[number]).places.everywhere]
        if not looking or len(looking) > MOST_LOOKING:
            return None

        def truth(leaf: Leaf) -> bool | None:
            bit = self._gate_bits.get(leaf)
            return None if bit is None else mask & bit != 0

        before = settled(disjunction(looking), truth)
        # False is nothing either: no gate is open for such a query, so it is none of these.
        if isinstance(before, bool) or len(set(leaves(before))) > MOST_BEFORE:
            return None
        return check_of(before, self._track)

    def _full_texts(self, memory: _Memory, gates: Sequence[_Behind]) -> tuple[FullText, ...]:
        """What finds the atoms of full text behind these gates, and no others: few are open at a time. Where events
        open ever other gates together it is one for each gate, so that no more have to be compiled than there are
        gates."""
        wanted = [gate.everywhere for gate in gates if gate.everywhere]
        if not wanted:
            return ()
        together = Atoms().union(*wanted)
        if together in memory.full_texts or len(memory.full_texts) < FULL_TEXTS:
            wanted = [together]
        return tuple(self._full_text(memory, atoms) for atoms in wanted)

    def _full_text(self, memory: _Memory, wanted: Atoms) -> FullText:
        known = memory.full_texts.get(wanted)
        if known is None:
            known = FullText({leaf: atom for leaf, atom in self._everywhere.items() if atom[0] in wanted})
            memory.full_texts[wanted] = known
        return known


def _reading(names: Sequence[str]) -> Callable[[Event], tuple[str | list[str] | None, ...]]:
    """Of an event its reserved attributes of these names."""
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda event: tuple(getattr(event, name) for name in names)


def _atoms(found: Iterable[Leaf], track: Track) -> dict[Leaf, Atom]:
    distinct = dict.fromkeys(leaf for leaf in found if not isinstance(leaf, All))
    return {leaf: (number, test_of(leaf, track)) for number, leaf in enumerate(distinct)}


def _existing(leaf: Leaf) -> tuple[str, ...]:
    """The path at which a value says that an attribute is there."""
    return (leaf.field.name,) if isinstance(leaf, Exists) and leaf.field.kind is FieldKind.ATTRIBUTE else ()


def _places_of(found: Iterable[Leaf], track: Track) -> Reach:
    """Where indexes of single places find them, and whether some look everywhere, which full text does at once."""
    places = [reach(leaf, track) for leaf in found]
    return Reach.union(Reach(everywhere=True) if each.everywhere else each for each in places)


def _unsaid(rest: Node, need: frozenset[Leaf] | None) -> Node:
    """What is left to ask of an event for which one of the leaves `need` is true, as an index decides it: of attributes
    exactly, but for regular expressions."""
    if need is None or not all(map(_is_exact, need)):
        return rest
    parts = rest.parts if isinstance(rest, And) else (rest,)
    return conjunction([part for part in parts if need != set(part.parts if isinstance(part, Or) else (part,))])


def _is_exact(leaf: Leaf) -> bool:
    return not isinstance(leaf, All | Regex) and leaf.field.kind is FieldKind.ATTRIBUTE


def _before(rest: Node, track: Track) -> Node:
    """Those parts of a query that look at single places; all of them must hold."""
    parts = rest.parts if isinstance(rest, And) else (rest,)
    return conjunction([part for part in parts if not any(reach(leaf, track).everywhere for leaf in leaves(part))])


def _cost(nodes: Sequence[Node], fields: Collection[Field], track: Track) -> Callable[[Leaf], float | None]:
    """How often a leaf may be true of events that meet nothing else of its query, as a number to compare.

    What many rules ask is frequent in events (the name of a shell), and so is a text all of whose words stand in the
    clauses of many rules (`\\Windows\\System32\\`).
    """
    used = usage(nodes)
    written = Counter[str]()
    for leaf, count in used.items():
        for part in set(_parts(literal_of(leaf))):
            written[part] += count

    def cost(leaf: Leaf) -> float | None:
        if isinstance(leaf, All | Exists) or leaf.field.kind is FieldKind.CALCULATED or is_gate(leaf, fields):
            return None
        price = float(used[leaf])
        if reach(leaf, track).everywhere:
            price += 1_000  # looks at the whole event
        elif leaf.field.kind is FieldKind.NAME and leaf.field.name in track.columns:
            price += 10 if track.columns[leaf.field.name].kind is Kind.TEXT else 0
        if isinstance(leaf, Range):
            return price + COMMON
        if isinstance(leaf, Regex):
            return price + ENGINE
        if (length := _length(leaf)) is not None and length <= SHORT_VALUE:
            price += COMMON
        if isinstance(leaf, Equals | Cidr):
            return price
        literal = literal_of(leaf)
        signs = COMMON / max(len(literal), 1) ** 3  # of one sign, or none
        rarest = min((written[part] + 50 / len(part) ** 2 for part in _parts(literal)), default=signs)
        return price + rarest + 1 / (len(literal) + 1)

    return cost


def _length(leaf: Leaf) -> int | None:
    """Of the one value that a clause is about; None where it is about more."""
    match leaf:
        case Equals(text=text) | AnyCase(pieces=(str(text),)):
            return len(text)
    return None


def _parts(literal: str) -> list[str]:
    """Its words, and what stands between them where it is more than one sign: `\\..\\` says more than `windows`."""
    return [*words(literal), *_SIGNS.findall(literal)]


_SIGNS = re.compile(r"\W{2,}")
