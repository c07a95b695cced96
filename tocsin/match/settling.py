"""What is left to ask of a query where some atoms of an event are known.

Looking a value up tells not only by which clauses queries are found, but also what other clauses of these queries say
of it. So most queries that a common clause finds are refused, or have little left to ask, once for all events of which
the same is known.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from tocsin.match.checks import Check, all_of, cheapest_first
from tocsin.match.conditions import Condition, bounds_of, denied, held
from tocsin.match.values import Atom, Atoms
from tocsin.query.track import Track
from tocsin.query.tree import (
    All,
    And,
    AnyCase,
    Exists,
    Field,
    FieldKind,
    Glob,
    Leaf,
    Node,
    Regex,
    conjunction,
    leaves,
)


@dataclass(frozen=True, slots=True)
class _Clause:
    """`held` and `denied` are its bits in the mask of its part."""

    path: str
    is_existence: bool
    held: int
    denied: int


@dataclass(frozen=True, slots=True)
class _Part:
    """Of those that must all hold. Where no atom is true, and all paths were looked at, `known` is the mask of what is
    known, and `unknown` that of what is not."""

    check: Check
    holds: Condition
    clauses: dict[int, _Clause]
    atoms: Atoms
    paths: tuple[str, ...]
    known: int
    unknown: int


class Settling:
    """The parts of one query."""

    def __init__(self, node: Node, atoms: Mapping[Leaf, Atom], track: Track) -> None:
        self._parts = [_part(part, check, atoms) for part, check in cheapest_first(_parts(node), track)]
        self.check: Check | None = _together([part.check for part in self._parts])
        """What is asked where nothing is known; None: nothing."""

    def may_hold(self, true: Atoms, places: Collection[str], left: list[Check]) -> bool:
        """Whether the query can hold where these atoms are true, and no others of these paths. If it can, `left` is
        given what is still to be asked."""
        for part in self._parts:
            known, unknown = part.known, part.unknown
            for path in part.paths:
                if path not in places:
                    known, unknown = _of_places(part, places)
                    break
            for atom in true & part.atoms:
                clause = part.clauses[atom]
                known = known & ~clause.denied | clause.held
                unknown &= ~(clause.held | clause.denied)
            if not part.holds(known | unknown):
                return False
            if not part.holds(known):
                left.append(part.check)
        return True

    def settled(self, left: list[Check]) -> Check | None:
        """These of its checks as one."""
        return self.check if len(left) == len(self._parts) else _together(left)


def settling_leaves(nodes: Iterable[Node], paths: Collection[str]) -> Iterable[Leaf]:
    """The clauses of queries that are worth looking for among the values at these paths: at those where most clauses
    are about the whole value, or how it begins or ends. There values are names, and repeat; in longer texts many more
    words had to be looked for, and each would tell texts apart that mean the same to the rules."""
    found = dict.fromkeys(leaf for node in nodes for leaf in leaves(node))
    by_path: dict[str, list[Leaf]] = {}
    for leaf in found:
        if _is_told(leaf) and not isinstance(leaf, All) and leaf.field.name in paths:
            by_path.setdefault(leaf.field.name, []).append(leaf)
    named = [several for several in by_path.values() if 2 * sum(map(_is_within, several)) <= len(several)]
    return chain.from_iterable(named)


def _is_told(leaf: Leaf) -> bool:
    """Whether looking a value up says what the clause says of it. Of existence it says only that it holds: what is
    below a path is not looked at."""
    return not isinstance(leaf, All | Regex) and leaf.field.kind is FieldKind.ATTRIBUTE


def _is_within(leaf: Leaf) -> bool:
    return isinstance(leaf, AnyCase | Glob) and len(leaf.pieces) > 2


def _together(checks: Sequence[Check]) -> Check | None:
    return all_of(checks) if checks else None


def _of_places(part: _Part, places: Collection[str]) -> tuple[int, int]:
    """The masks where no atom is true, and only these paths were looked at."""
    known, unknown = part.known, part.unknown
    for clause in part.clauses.values():
        if clause.path not in places:
            known &= ~clause.denied
            unknown |= clause.held | clause.denied
    return known, unknown


def _parts(node: Node) -> list[Node]:
    """Those that must all hold; clauses that ask one field alike stay together, as one check answers them."""
    alike: dict[Field, list[Node]] = {}
    parts = list[Node]()
    for part in node.parts if isinstance(node, And) else (node,):
        if isinstance(part, AnyCase):
            alike.setdefault(part.field, []).append(part)
        elif not isinstance(part, All):
            parts.append(part)
    return [*map(conjunction, alike.values()), *parts]


def _part(node: Node, check: Check, atoms: Mapping[Leaf, Atom]) -> _Part:
    clauses = dict[int, _Clause]()
    known = unknown = 0
    positions = {leaf: position for position, leaf in enumerate(dict.fromkeys(leaves(node)))}
    for leaf, position in positions.items():
        yes, no = held(position), denied(position)
        atom = atoms.get(leaf) if _is_told(leaf) else None
        if atom is None or isinstance(leaf, All):
            unknown |= yes | no
            continue
        is_existence = isinstance(leaf, Exists)
        clauses[atom[0]] = _Clause(leaf.field.name, is_existence, yes, no)
        if is_existence:
            unknown |= yes | no
        else:
            known |= no
    paths = tuple({clause.path: None for clause in clauses.values()})
    return _Part(check, bounds_of(node, positions), clauses, frozenset(clauses), paths, known, unknown)
