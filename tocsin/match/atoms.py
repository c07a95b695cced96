"""Atoms: the leaves of the rules' queries, each a function of one value at one place of an event.

A clause holds when it holds for at least one value at its field (search-syntax.md §5, §10). So a leaf's truth on
an event is the `or` of its truth on each value alone, and can be remembered by value. What decides a value is the query
language's own test, so that the matcher can never think otherwise than a search.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tocsin.event import Event
from tocsin.query.to_predicate import to_predicate, value_test
from tocsin.query.track import Track
from tocsin.query.tree import All, Exists, FieldKind, Leaf
from tocsin.query.values import Scalar

Test = Callable[[Scalar], bool]

TAGS = "tags"


@dataclass(frozen=True, slots=True)
class Reach:
    """Places that a leaf looks at.

    `names` are reserved attributes (`tags` for any clause on tags), `paths` attributes, `everywhere` all attributes
    (full text).
    """

    names: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    everywhere: bool = False

    @classmethod
    def union(cls, several: Iterable["Reach"]) -> "Reach":
        several = list(several)
        return cls(
            tuple({name: None for each in several for name in each.names}),
            tuple({path: None for each in several for path in each.paths}),
            any(each.everywhere for each in several),
        )


def reach(leaf: Leaf, track: Track) -> Reach:
    """What a leaf looks at on a track; nothing for `All`, for calculated fields, which no event has yet, and for the
    existence of an attribute, which may be anywhere below a path."""
    if isinstance(leaf, All):
        return Reach()
    field = leaf.field
    names = tuple(text.name for text in track.text_fields if text.name)
    if field.kind is FieldKind.FREE:
        return Reach(names, tuple(text.path for text in track.text_fields if text.path))
    if field.kind is FieldKind.FULL:
        return Reach(tuple(dict.fromkeys((*names, "message", *track.full_text))), everywhere=True)
    if field.kind is FieldKind.ATTRIBUTE:
        return Reach() if isinstance(leaf, Exists) else Reach(paths=(field.name,))
    if field.kind is FieldKind.NAME:
        return Reach((field.name if field.name in track.columns else TAGS,))
    return Reach()


def test_of(leaf: Leaf, track: Track) -> Test:
    """What decides a leaf on one value at a place it reaches; for clauses on tags the value is a whole tag.

    Raises `QueryError` if the leaf cannot be decided (a unit on a field that has none).
    """
    if TAGS in reach(leaf, track).names:
        predicate = to_predicate(leaf, track)
        return lambda tag: predicate(Event(id="", timestamp=0, tags=[tag]))  # type: ignore[list-item]
    if isinstance(leaf, Exists):
        return lambda _value: True
    return value_test(leaf, track)
