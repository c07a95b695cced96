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
from tocsin.query.tree import (
    ANY,
    All,
    And,
    AnyCase,
    Equals,
    Exists,
    Field,
    FieldKind,
    Leaf,
    Node,
    Not,
    Or,
    Regex,
    fold_up,
)
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

_REGEX = 20.0
"""An engine is called, and reads all of what may be a long text."""

_TOGETHER = 0.1
"""What one clause more costs where several ask the same value."""


def check_of(node: Node, track: Track) -> Check:
    """Whether an event meets the query. Raises `QueryError` for a leaf that cannot be decided."""
    return _part_of(node, track).check


def _part_of(node: Node, track: Track) -> _Part:
    def visit(current: Node, below: Sequence[_Part | Leaf]) -> _Part | Leaf:
        if isinstance(current, And):
            return _all(_cheapest_first(_taken_together(below, track, is_any=False)))
        if isinstance(current, Or):
            return _any(_cheapest_first(_taken_together(below, track, is_any=True)))
        if isinstance(current, Not):
            return _not(_made(below[0], track))
        return current  # whether it is taken together with others is for the branch to say

    return _made(fold_up(node, visit), track)


def cheapest_first(nodes: Iterable[Node], track: Track) -> list[tuple[Node, Check]]:
    """What each of them asks, in the order in which they had best be asked."""
    parts = [(node, _part_of(node, track)) for node in nodes]
    return [(node, part.check) for node, part in sorted(parts, key=lambda each: each[1].price)]


def all_of(checks: Sequence[Check]) -> Check:
    """Whether an event meets them all, asked in this order."""
    return _all([_Part(check, 0) for check in checks]).check


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


def _taken_together(below: Sequence[_Part | Leaf], track: Track, *, is_any: bool) -> Iterator[_Part]:
    """The parts of a branch, leaves of one sort at one field as one check, where there is a way to join them."""
    texts: dict[Field, list[AnyCase]] = {}
    equal: dict[str, list[Equals]] = {}
    for part in below:
        if isinstance(part, AnyCase) and part.field.kind in (FieldKind.ATTRIBUTE, FieldKind.FULL):
            texts.setdefault(part.field, []).append(part)
        elif is_any and isinstance(part, Equals) and part.field.kind is FieldKind.ATTRIBUTE:
            equal.setdefault(part.field.name, []).append(part)
        else:
            yield _made(part, track)
    for field, several in texts.items():
        if is_any:
            yield _any_text(several, track)
        elif field.kind is FieldKind.ATTRIBUTE and len(several) > 1:
            yield _all_texts(field.name, several)
        else:
            yield from (_any_text([leaf], track) for leaf in several)
    for path, alike in equal.items():
        yield _Part(_at(path, equals_test([leaf.text for leaf in alike], Kind.EXACT)), 1)


def _any_text(several: Sequence[AnyCase], track: Track) -> _Part:
    """One is true of one of the values."""
    test = _text_test(several)
    field = several[0].field
    if field.kind is FieldKind.ATTRIBUTE:
        return _Part(_at_folded(field.name, test), _price(len(several)))
    names = reach(several[0], track).names
    return _Part(_everywhere(names, lambda value: test(fold(text_of(value)))), _EVERYWHERE * _price(len(several)))


def _price(clauses: int) -> float:
    return 1 + _TOGETHER * (clauses - 1)


def _text_test(several: Sequence[AnyCase]) -> Callable[[str], bool]:
    """Whether one is true of a folded text. What most of them ask, one call answers for all alike."""
    whole, heads, tails, inner = set[str](), list[str](), list[str](), list[str]()
    tests = list[Callable[[str], bool]]()
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
    if inner:
        tests.insert(0, _containing(inner))
    if tails:
        ends = tuple(tails)
        tests.insert(0, lambda text: text.endswith(ends))
    if heads:
        starts = tuple(heads)
        tests.insert(0, lambda text: text.startswith(starts))
    if whole:
        tests.insert(0, frozenset(whole).__contains__)
    return tests[0] if len(tests) == 1 else _either(tests)


def _either(tests: Sequence[Callable[[str], bool]]) -> Callable[[str], bool]:
    def holds(text: str) -> bool:
        for test in tests:  # noqa: SIM110
            if test(text):
                return True
        return False

    return holds


def _containing(literals: Sequence[str]) -> Callable[[str], bool]:
    def holds(text: str) -> bool:
        for literal in literals:  # noqa: SIM110
            if literal in text:
                return True
        return False

    return holds


def _all_texts(path: str, several: Sequence[AnyCase]) -> _Part:
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

    return _Part(holds, _price(len(several)))


def _made(part: _Part | Leaf, track: Track) -> _Part:
    if isinstance(part, _Part):
        return part
    if isinstance(part, AnyCase) and part.field.kind in (FieldKind.ATTRIBUTE, FieldKind.FULL):
        return _any_text([part], track)
    check = _leaf(part, track)
    if isinstance(part, All):
        return _Part(check, 0)
    if part.field.kind is FieldKind.FULL:
        return _Part(check, _EVERYWHERE)
    if part.field.kind is not FieldKind.ATTRIBUTE or isinstance(part, Exists):
        return _Part(check, _ELSEWHERE)
    return _Part(check, _REGEX if isinstance(part, Regex) else 1)


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


def _at_folded(path: str, test: Callable[[str], bool]) -> Check:
    """The test takes the folded text form of a value: most checks are of this sort."""

    def holds(_event: Event, found: Found) -> bool:
        for value in found.get(path, ()):  # noqa: SIM110
            if test(fold(value if isinstance(value, str) else text_of(value))):
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
