"""A query as a function of one event that asks no more than it must: what decides the few that an index lets through.

Attributes are read from the flattened event, which the matcher has at hand. What decides a value is the query
language's own test; clauses that ask the same path are taken together, and of the parts of a branch those that cost
least are asked first: most events fail at one of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

from tocsin.event import Event
from tocsin.match.atoms import reach
from tocsin.query import patterns
from tocsin.query.to_predicate import equals_test, to_predicate, value_test
from tocsin.query.track import Kind, Track
from tocsin.query.tree import ANY, All, And, AnyCase, Equals, Exists, FieldKind, Leaf, Node, Not, Or, fold_up
from tocsin.query.values import Scalar, fold, text_of

Found = Mapping[str, Sequence[Scalar]]
"""A flattened event: the values of its attributes by path."""

Check = Callable[[Event, Found], bool]


@dataclass(frozen=True, slots=True)
class _Part:
    """A check and its price: about how many values it looks at."""

    check: Check
    price: float


_EVERYWHERE = 100.0
_ELSEWHERE = 4.0
"""Reading a reserved attribute or a tag, or looking for a path below another one."""

_TOGETHER = 0.1
"""What one clause more costs where several ask the same value."""


def check_of(node: Node, track: Track) -> Check:
    """Whether an event meets the query. Raises `QueryError` for a leaf that cannot be decided."""

    def visit(current: Node, below: Sequence[_Part | Leaf]) -> _Part | Leaf:
        if isinstance(current, And):
            return _all(_cheapest_first(_taken_together(below, track, _all_texts, None)))
        if isinstance(current, Or):
            return _any(_cheapest_first(_taken_together(below, track, _any_text, _any_equal)))
        if isinstance(current, Not):
            return _not(_made(below[0], track))
        return current  # whether it is taken together with others is for the branch to say

    return _made(fold_up(node, visit), track).check


def _cheapest_first(parts: Iterable[_Part]) -> list[_Part]:
    return sorted(parts, key=lambda part: part.price)


def _all(parts: Sequence[_Part]) -> _Part:
    if len(parts) == 1:
        return parts[0]
    checks = [part.check for part in parts]

    def holds(event: Event, found: Found) -> bool:
        for check in checks:  # noqa: SIM110  a generator would take as long as the checks
            if not check(event, found):
                return False
        return True

    return _Part(holds, sum(part.price for part in parts))


def _any(parts: Sequence[_Part]) -> _Part:
    if len(parts) == 1:
        return parts[0]
    checks = [part.check for part in parts]

    def holds(event: Event, found: Found) -> bool:
        for check in checks:  # noqa: SIM110
            if check(event, found):
                return True
        return False

    return _Part(holds, sum(part.price for part in parts))


def _not(part: _Part) -> _Part:
    check = part.check
    return _Part(lambda event, found: not check(event, found), part.price)


_AnyCases = Callable[[str, Sequence[AnyCase]], Check]
_Equals = Callable[[str, Sequence[Equals]], Check]


def _taken_together(
    below: Sequence[_Part | Leaf], track: Track, any_cases: _AnyCases, equals: _Equals | None
) -> Iterator[_Part]:
    """The parts of a branch, leaves of one sort at one path as one check, where there is a way to join them."""
    texts: dict[str, list[AnyCase]] = {}
    equal: dict[str, list[Equals]] = {}
    for part in below:
        if isinstance(part, AnyCase) and part.field.kind is FieldKind.ATTRIBUTE:
            texts.setdefault(part.field.name, []).append(part)
        elif equals is not None and isinstance(part, Equals) and part.field.kind is FieldKind.ATTRIBUTE:
            equal.setdefault(part.field.name, []).append(part)
        else:
            yield _made(part, track)
    for path, several in texts.items():
        if len(several) == 1:
            yield _made(several[0], track)
        else:
            yield _Part(any_cases(path, several), 1 + _TOGETHER * len(several))
    for path, alike in equal.items():
        if equals is not None:
            yield _Part(equals(path, alike), 1)


def _any_equal(path: str, several: Sequence[Equals]) -> Check:
    return _at(path, equals_test([leaf.text for leaf in several], Kind.EXACT))


def _any_text(path: str, several: Sequence[AnyCase]) -> Check:
    """One is true of one of the values. What most of them ask, one call answers for all alike."""
    whole, heads, tails, inner = set[str](), list[str](), list[str](), list[str]()
    tests = []
    for leaf in several:
        match leaf.pieces:
            case (str(text),):
                whole.add(text)
            case (str(text), end) if end is ANY:
                heads.append(text)
            case (start, str(text)) if start is ANY:
                tails.append(text)
            case (start, str(text), end) if start is ANY and end is ANY:
                inner.append(text)
            case pieces:
                tests.append(patterns.whole(pieces))
    starts, ends = tuple(heads), tuple(tails)

    def holds(_event: Event, found: Found) -> bool:
        for value in found.get(path, ()):
            text = fold(text_of(value))
            if text in whole or text.startswith(starts) or text.endswith(ends):
                return True
            for literal in inner:
                if literal in text:
                    return True
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


def _made(part: _Part | Leaf, track: Track) -> _Part:
    if isinstance(part, _Part):
        return part
    check = _leaf(part, track)
    if isinstance(part, All):
        return _Part(check, 0)
    if part.field.kind is FieldKind.FULL:
        return _Part(check, _EVERYWHERE)
    return _Part(check, 1 if part.field.kind is FieldKind.ATTRIBUTE and not isinstance(part, Exists) else _ELSEWHERE)


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
    """A value at the path, or anywhere below it (search-syntax.md §8). Most events have neither, and one look at all
    paths as one text says so."""
    below = f"{path}."
    return lambda _event, found: (
        path in found or (below in "".join(found) and any(map(str.startswith, found, repeat(below))))
    )


def _everywhere(names: Iterable[str], test: Callable[[Scalar], bool]) -> Check:
    names = tuple(names)

    def holds(event: Event, found: Found) -> bool:
        for name in names:
            value = getattr(event, name, None)
            if value and any(map(test, value if isinstance(value, list) else (value,))):
                return True
        return any(test(value) for values in found.values() for value in values)

    return holds
