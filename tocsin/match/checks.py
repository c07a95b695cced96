"""A query as a function of one event that asks no more than it must: what decides the few that an index lets through.

Attributes are read from the flattened event, which the matcher has at hand. What decides a value is the query
language's own test; only clauses that would fold the same value again and again are taken together.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat

from tocsin.event import Event
from tocsin.match.atoms import reach
from tocsin.query import patterns
from tocsin.query.to_predicate import to_predicate, value_test
from tocsin.query.track import Track
from tocsin.query.tree import All, And, AnyCase, Exists, FieldKind, Leaf, Node, Not, Or, fold_up
from tocsin.query.values import Scalar, fold, text_of

Found = Mapping[str, Sequence[Scalar]]
"""A flattened event: the values of its attributes by path."""

Check = Callable[[Event, Found], bool]


def check_of(node: Node, track: Track) -> Check:
    """Whether an event meets the query. Raises `QueryError` for a leaf that cannot be decided."""

    def visit(current: Node, below: Sequence[Check]) -> Check:
        if isinstance(current, And):
            return _all([*_taken_together(current, below, _all_texts)])
        if isinstance(current, Or):
            return _any([*_taken_together(current, below, _any_text)])
        if isinstance(current, Not):
            return _not(below[0])
        return _leaf(current, track)

    return fold_up(node, visit)


def _all(checks: Sequence[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def holds(event: Event, found: Found) -> bool:
        for check in checks:  # noqa: SIM110  a generator would take as long as the checks
            if not check(event, found):
                return False
        return True

    return holds


def _any(checks: Sequence[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def holds(event: Event, found: Found) -> bool:
        for check in checks:  # noqa: SIM110
            if check(event, found):
                return True
        return False

    return holds


def _not(check: Check) -> Check:
    return lambda event, found: not check(event, found)


def _taken_together(
    node: And | Or, below: Sequence[Check], joined: Callable[[str, Sequence[AnyCase]], Check]
) -> Iterator[Check]:
    """The parts of a branch, several `AnyCase` at one path as one; `joined` makes it."""
    together: dict[str, list[AnyCase]] = {}
    for part in node.parts:
        if isinstance(part, AnyCase) and part.field.kind is FieldKind.ATTRIBUTE:
            together.setdefault(part.field.name, []).append(part)
    for part, check in zip(node.parts, below, strict=True):
        if not (isinstance(part, AnyCase) and part.field.kind is FieldKind.ATTRIBUTE):
            yield check
        elif (several := together.pop(part.field.name, None)) is not None:
            yield check if len(several) == 1 else joined(part.field.name, several)


def _any_text(path: str, several: Sequence[AnyCase]) -> Check:
    tests = [patterns.whole(leaf.pieces) for leaf in several]

    def holds(_event: Event, found: Found) -> bool:
        for value in found.get(path, ()):
            text = fold(text_of(value))
            for test in tests:
                if test(text):
                    return True
        return False

    return holds


def _all_texts(path: str, several: Sequence[AnyCase]) -> Check:
    """Each must hold for one of the values, not all for the same."""
    tests = [patterns.whole(leaf.pieces) for leaf in several]

    def holds(_event: Event, found: Found) -> bool:
        values = found.get(path)
        if values is None:
            return False
        texts = [fold(text_of(value)) for value in values]
        for test in tests:
            for text in texts:
                if test(text):
                    break
            else:
                return False
        return True

    return holds


def _leaf(leaf: Leaf, track: Track) -> Check:
    if isinstance(leaf, All):
        return lambda _event, _found: True
    if leaf.field.kind is FieldKind.ATTRIBUTE:
        return _there(leaf.field.name) if isinstance(leaf, Exists) else _at(leaf.field.name, value_test(leaf, track))
    if leaf.field.kind is FieldKind.FULL and not isinstance(leaf, Exists):
        return _everywhere(reach(leaf, track).names, value_test(leaf, track))
    holds = to_predicate(leaf, track)
    return lambda event, _found: holds(event)


def _at(path: str, test: Callable[[Scalar], bool]) -> Check:
    def holds(_event: Event, found: Found) -> bool:
        for value in found.get(path, ()):  # noqa: SIM110
            if test(value):
                return True
        return False

    return holds


def _there(path: str) -> Check:
    """A value at the path, or anywhere below it (search-syntax.md §8)."""
    below = f"{path}."
    return lambda _event, found: path in found or any(map(str.startswith, found, repeat(below)))


def _everywhere(names: Iterable[str], test: Callable[[Scalar], bool]) -> Check:
    names = tuple(names)

    def holds(event: Event, found: Found) -> bool:
        for name in names:
            value = getattr(event, name, None)
            if value and any(map(test, value if isinstance(value, list) else (value,))):
                return True
        return any(test(value) for values in found.values() for value in values)

    return holds
