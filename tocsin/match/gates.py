"""What queries ask of the few fields that tell kinds of events apart: a log source, a channel, an event's number.

Thousands of rules share such clauses. So a query is split into its gate, which looks at these fields only, and the rest
that remains to be asked where the gate is open. Events of one kind open the same gates, and which is remembered: a rule
costs the events of other kinds nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tocsin.match.conditions import possible
from tocsin.query.track import Kind, Track
from tocsin.query.tree import (
    All,
    And,
    AnyCase,
    Equals,
    Exists,
    Field,
    FieldKind,
    Glob,
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

SHARED = 2
"""Queries for each clause on a field, at least: else the field tells rules apart, not kinds of events."""

MANY = 50
"""One query in so many has to ask the field."""


@dataclass(frozen=True, slots=True)
class Gated:
    """A query holds exactly when both hold; `gate` asks fields of gates only."""

    gate: Node
    rest: Node


def gate_fields(nodes: Collection[Node], track: Track) -> frozenset[Field]:
    """The fields that many queries ask with few clauses."""
    asked: dict[Field, int] = {}
    clauses: dict[Field, set[Leaf]] = {}
    for node in nodes:
        found = [leaf for part in _parts(node) for leaf in _comparisons(part, track)]
        for leaf in found:
            clauses.setdefault(leaf.field, set()).add(leaf)
        for field in {leaf.field for leaf in found}:
            asked[field] = asked.get(field, 0) + 1
    return frozenset(
        field for field, count in asked.items() if count * MANY >= len(nodes) and count >= SHARED * len(clauses[field])
    )


def gated(node: Node, fields: Collection[Field]) -> Gated:
    """Split a query at these fields."""
    others = {leaf for leaf in leaves(node) if not isinstance(leaf, All) and not is_gate(leaf, fields)}
    rest = [part for part in _parts(node) if not others.isdisjoint(leaves(part))]
    return Gated(fold_up(possible(node, others), _without_all), conjunction(rest))


def _without_all(node: Node, below: Sequence[Node]) -> Node:
    """The same with no `All` in it that decides nothing, so that equal gates are seen to be equal."""
    if isinstance(node, And):
        return conjunction([part for part in below if not isinstance(part, All)])
    if isinstance(node, Or):
        return next((part for part in below if isinstance(part, All)), disjunction(below))
    return negation(below[0]) if isinstance(node, Not) else node


def is_gate(leaf: Leaf, fields: Collection[Field]) -> bool:
    """Whether a leaf asks a field of gates alone; the existence of an attribute asks what is below it as well."""
    if isinstance(leaf, All) or leaf.field not in fields:
        return False
    return leaf.field.kind is FieldKind.NAME or not isinstance(leaf, Exists)


def _parts(node: Node) -> tuple[Node, ...]:
    return node.parts if isinstance(node, And) else (node,)


def _comparisons(part: Node, track: Track) -> Sequence[Equals | Glob | AnyCase]:
    """The leaves of a part that does nothing but compare whole values of fields; none of another part."""
    found = [leaf for leaf in leaves(part) if isinstance(leaf, Equals | Glob | AnyCase)]
    if len(found) < len(leaves(part)):
        return ()
    return found if all(leaf.field.kind is FieldKind.ATTRIBUTE or _is_word(leaf.field, track) for leaf in found) else ()


def _is_word(field: Field, track: Track) -> bool:
    column = track.columns.get(field.name) if field.kind is FieldKind.NAME else None
    return column is not None and column.kind in (Kind.EXACT, Kind.FOLDED)
