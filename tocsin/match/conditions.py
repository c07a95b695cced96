"""A query as a function of which atoms are true, and the atoms that it cannot do without."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import reduce
from itertools import chain, islice, product
from operator import or_

from tocsin.query.tree import (
    All,
    And,
    FieldKind,
    Leaf,
    Node,
    Not,
    Or,
    conjunction,
    disjunction,
    fold_up,
    leaves,
    negation,
)

Condition = Callable[[int], bool]
"""Says whether a query holds, given the mask of the true atoms."""


def condition_of(node: Node, masks: Mapping[Leaf, int]) -> Condition:
    """The query over masks; `masks` has one bit for each of its leaves, except `All`, which is always true."""

    def visit(current: Node, below: Sequence[Condition]) -> Condition:
        if isinstance(current, And):
            return _all_of(current.parts, below, masks)
        if isinstance(current, Or):
            return _any_of(current.parts, below, masks)
        if isinstance(current, Not):
            return _none_of(below[0])
        if isinstance(current, All):
            return _true
        return _has(masks[current])

    return fold_up(node, visit)


def _true(_mask: int) -> bool:
    return True


def _has(bit: int) -> Condition:
    return lambda mask: mask & bit != 0


def _none_of(part: Condition) -> Condition:
    return lambda mask: not part(mask)


def _all_of(parts: Sequence[Node], conditions: Sequence[Condition], masks: Mapping[Leaf, int]) -> Condition:
    """Leaves and negated leaves are tested together by two masks; the rest one after another."""
    wanted = unwanted = 0
    rest: list[Condition] = []
    for part, condition in zip(parts, conditions, strict=True):
        if isinstance(part, Not) and not isinstance(part.part, And | Or | Not | All):
            unwanted |= masks[part.part]
        elif isinstance(part, And | Or | Not | All):
            rest.append(condition)
        else:
            wanted |= masks[part]
    if not rest:
        return lambda mask: mask & wanted == wanted and not mask & unwanted
    return lambda mask: mask & wanted == wanted and not mask & unwanted and all(part(mask) for part in rest)


def _any_of(parts: Sequence[Node], conditions: Sequence[Condition], masks: Mapping[Leaf, int]) -> Condition:
    any_bit = 0
    rest: list[Condition] = []
    for part, condition in zip(parts, conditions, strict=True):
        if isinstance(part, And | Or | Not | All):
            rest.append(condition)
        else:
            any_bit |= masks[part]
    if not rest:
        return lambda mask: mask & any_bit != 0
    return lambda mask: mask & any_bit != 0 or any(part(mask) for part in rest)


MOST_ALTERNATIVES = 20


def alternatives(node: Node, masks: Mapping[Leaf, int]) -> list[int]:
    """The masks of atoms by which a query can hold when no more is true than must be; some of them, when there are
    many. What it denies is taken to be false, so not each mask need fulfil it."""

    def visit(current: Node, below: Sequence[list[int]]) -> list[int]:
        if isinstance(current, And):
            return [reduce(or_, chosen) for chosen in islice(product(*below), MOST_ALTERNATIVES)]
        if isinstance(current, Or):
            return list(islice(chain(*below), MOST_ALTERNATIVES))
        return [0 if isinstance(current, Not | All) else masks[current]]

    return fold_up(node, visit)


def possible(node: Node, unknown: Collection[Leaf]) -> Node:
    """What must hold for the query to hold, whatever the unknown leaves are: no `And`, `Or` or `Not` hides one."""

    def visit(current: Node, below: Sequence[tuple[Node, Node]]) -> tuple[Node, Node]:
        """The query, and its negation, with each unknown leaf as if it helped."""
        if isinstance(current, Not):
            return below[0][1], below[0][0]
        if isinstance(current, And | Or):
            held, denied = conjunction, disjunction
            if isinstance(current, Or):
                held, denied = disjunction, conjunction
            return held([each for each, _ in below]), denied([each for _, each in below])
        return (All(), All()) if current in unknown else (current, negation(current))

    return fold_up(node, visit)[0]


def settled(node: Node, truth: Callable[[Leaf], bool | None]) -> Node | bool:
    """What remains to be asked where some leaves are known, for which `truth` is not None."""

    def visit(current: Node, below: Sequence[Node | bool]) -> Node | bool:
        if isinstance(current, And | Or):
            decisive = isinstance(current, Or)
            if decisive in below:
                return decisive
            open_parts = [part for part in below if not isinstance(part, bool)]
            if not open_parts:
                return not decisive
            return disjunction(open_parts) if decisive else conjunction(open_parts)
        if isinstance(current, Not):
            (part,) = below
            return not part if isinstance(part, bool) else negation(part)
        if isinstance(current, All):
            return True
        known = truth(current)
        return current if known is None else known

    return fold_up(node, visit)


def uncalculated(node: Node) -> Node:
    """What must hold for the query to hold, whatever calculated fields are: a search that knows none finds no less."""
    asked = (leaf for leaf in leaves(node) if not isinstance(leaf, All) and leaf.field.kind is FieldKind.CALCULATED)
    return possible(node, frozenset(asked))


def held(position: int) -> int:
    """The bit of the leaf at a position that says that it is true."""
    return 1 << 2 * position


def denied(position: int) -> int:
    """The one that says that it is false."""
    return 2 << 2 * position


def bounds_of(node: Node, positions: Mapping[Leaf, int]) -> Condition:
    """The query over what is known of its leaves, by the bits `held` and `denied`. With both of each that is not known
    it says whether the query may hold, with neither whether it must."""

    def visit(current: Node, below: Sequence[tuple[_Bound, _Bound]]) -> tuple[_Bound, _Bound]:
        """The query, and its negation."""
        if isinstance(current, And | Or):
            those, not_those = [each for each, _ in below], [each for _, each in below]
            return (_every(those), _some(not_those)) if isinstance(current, And) else (_some(those), _every(not_those))
        if isinstance(current, Not):
            return below[0][1], below[0][0]
        if isinstance(current, All):
            return _true, lambda _mask: False
        return held(positions[current]), denied(positions[current])

    bound = fold_up(node, visit)[0]
    return _has(bound) if isinstance(bound, int) else bound


_Bound = int | Condition
"""A leaf's bit, or a condition."""


def _every(parts: Sequence[_Bound]) -> Condition:
    wanted = reduce(or_, [part for part in parts if isinstance(part, int)], 0)
    rest = [part for part in parts if not isinstance(part, int)]
    if not rest:
        return lambda mask: mask & wanted == wanted
    return lambda mask: mask & wanted == wanted and all(part(mask) for part in rest)


def _some(parts: Sequence[_Bound]) -> Condition:
    any_bit = reduce(or_, [part for part in parts if isinstance(part, int)], 0)
    rest = [part for part in parts if not isinstance(part, int)]
    if not rest:
        return _has(any_bit)
    return lambda mask: mask & any_bit != 0 or any(part(mask) for part in rest)


def usage(nodes: Iterable[Node]) -> Counter[Leaf]:
    """In how many queries each leaf stands."""
    return Counter(leaf for node in nodes for leaf in set(leaves(node)))


def needed(node: Node, cost: Callable[[Leaf], float | None]) -> frozenset[Leaf] | None:
    """Leaves of which at least one is true whenever the query holds; None when it can hold without any.

    Of the parts of a conjunction the one that costs least is taken. `cost` says how often a leaf is true for nothing,
    and None for one that must not be relied on.
    """

    def visit(current: Node, below: Sequence[_Need]) -> _Need:
        if isinstance(current, And):
            return min((part for part in below if part is not None), key=lambda part: part[0], default=None)
        if isinstance(current, Or):
            parts = [part for part in below if part is not None]
            if len(parts) < len(below):
                return None
            return sum(part[0] for part in parts), frozenset[Leaf]().union(*(part[1] for part in parts))
        if isinstance(current, Not | All):
            return None
        price = cost(current)
        return None if price is None else (price, frozenset((current,)))

    need = fold_up(node, visit)
    return None if need is None else need[1]


_Need = tuple[float, frozenset[Leaf]] | None
