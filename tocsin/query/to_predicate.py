"""Tree -> predicate on one event, as closures. The matcher and `tocsin query eval` run it.

User text never reaches a backtracking engine: wildcards are matched by substring search, or by RE2.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from tocsin.query import patterns
from tocsin.query.parser import parse_field
from tocsin.query.track import LOGS, Column, Kind, Track
from tocsin.query.tree import (
    All,
    And,
    AnyCase,
    Cidr,
    Equals,
    Exists,
    Field,
    FieldKind,
    Glob,
    Leaf,
    Node,
    Not,
    Or,
    Range,
    RangeKind,
    Regex,
    Text,
    TextGlob,
    fold_up,
)
from tocsin.query.units import unit_error
from tocsin.query.values import (
    NumberRange,
    Scalar,
    address_of,
    address_ranges,
    block_of,
    flatten,
    fold,
    is_ipv4,
    number_of,
    text_of,
    time_of,
    words,
)

Predicate = Callable[[Any], bool]
"""Takes an `Event`, or anything else with the track's reserved names and `attributes` as members."""

Test = Callable[[Scalar], bool]
Reader = Callable[[Any], Iterable[Scalar]]


def to_predicate(node: Node, track: Track = LOGS) -> Predicate:
    """Whether an event meets the query. Raises `QueryError` `UNIT` if a bound still has a unit (`units.convert`)."""

    def visit(current: Node, below: Sequence[Predicate]) -> Predicate:
        if isinstance(current, And):
            return _all(below)
        if isinstance(current, Or):
            return _any(_alternatives(current, below, track))
        if isinstance(current, Not):
            return _not(below[0])
        return _leaf(current, track)

    return fold_up(node, visit)


def _all(parts: Sequence[Predicate]) -> Predicate:
    predicates = tuple(parts)

    def holds(event: Any) -> bool:
        for predicate in predicates:  # noqa: SIM110  a generator would double the depth of the stack
            if not predicate(event):
                return False
        return True

    return holds


def _any(parts: Sequence[Predicate]) -> Predicate:
    predicates = tuple(parts)
    if len(predicates) == 1:
        return predicates[0]

    def holds(event: Any) -> bool:
        for predicate in predicates:  # noqa: SIM110
            if predicate(event):
                return True
        return False

    return holds


def _not(predicate: Predicate) -> Predicate:
    def holds(event: Any) -> bool:
        return not predicate(event)

    return holds


def _alternatives(node: Or, below: Sequence[Predicate], track: Track) -> list[Predicate]:
    """The parts of a disjunction; several `Equals` on one field become one look-up in a set."""
    texts: dict[Field, list[str]] = {}
    for part in node.parts:
        if isinstance(part, Equals):
            texts.setdefault(part.field, []).append(part.text)
    found = [
        predicate
        for part, predicate in zip(node.parts, below, strict=True)
        if not (isinstance(part, Equals) and len(texts[part.field]) > 1)
    ]
    for field, several in texts.items():
        if len(several) > 1:
            found.append(_having(reader(field, track), equals_test(several, kind_of(field, track))))
    return found


def _leaf(leaf: Leaf, track: Track) -> Predicate:
    if isinstance(leaf, All):
        return lambda event: True
    if isinstance(leaf, Exists):
        return _exists(leaf.field, track)
    return _having(reader(leaf.field, track), value_test(leaf, track))


def _having(read: Reader, test: Test) -> Predicate:
    def holds(event: Any) -> bool:
        for value in read(event):  # noqa: SIM110
            if test(value):
                return True
        return False

    return holds


# -- what a field reads -----------------------------------------------------------------------------------------------


def kind_of(field: Field, track: Track) -> Kind:
    """How the values of a field compare."""
    if field.kind is FieldKind.NAME:
        column = track.columns.get(field.name)
        return column.kind if column is not None else Kind.TAGS
    return Kind.EXACT if field.kind in (FieldKind.ATTRIBUTE, FieldKind.CALCULATED) else Kind.TEXT


@lru_cache(maxsize=4096)
def _path_reader(path: str) -> Callable[[Any], list[Scalar]]:
    return patterns.path_reader(path)


def reader(field: Field, track: Track) -> Reader:
    """All scalars at a field: of an attribute, a reserved name, a tag key, or the texts that bare words search."""
    if field.kind is FieldKind.ATTRIBUTE:
        read = _path_reader(field.name)
        return lambda event: read(event.attributes)
    if field.kind is FieldKind.NAME:
        column = track.columns.get(field.name)
        return _column_reader(column) if column is not None else _tag_reader(field.name)
    if field.kind is FieldKind.FREE:
        return _text_reader(track)
    if field.kind is FieldKind.FULL:
        return _full_reader(track)
    return track.calculated.get(field.name, _nothing)


def _nothing(_event: Any) -> Iterable[Scalar]:
    return ()


def _column_reader(column: Column) -> Reader:
    name = column.name
    if column.is_list:

        def read_list(event: Any) -> Iterable[Scalar]:
            value = getattr(event, name, None)
            return () if value is None else (value,) if isinstance(value, str | int) else value

        return read_list

    def read(event: Any) -> Iterable[Scalar]:
        value = getattr(event, name, None)
        if value is None or value == "":
            return ()
        return (value,) if isinstance(value, str | int) else value

    return read


def _tag_reader(name: str) -> Reader:
    prefix = f"{fold(name)}:"
    if ":" in name:
        return lambda event: ()  # key and value part at the first colon (§5)
    length = len(prefix)
    return lambda event: [tag[length:] for tag in map(fold, event.tags) if tag.startswith(prefix)]


def _text_reader(track: Track) -> Reader:
    readers = [
        _column_reader(track.columns[text.name]) if text.name else reader(Field(FieldKind.ATTRIBUTE, text.path), track)
        for text in track.text_fields
    ]
    return lambda event: (value for read in readers for value in read(event))


def _full_reader(track: Track) -> Reader:
    texts = _text_reader(track)
    columns = [_column_reader(track.columns[name]) for name in ("message", *track.full_text)]

    def read(event: Any) -> Iterator[Scalar]:
        for read_column in columns:
            yield from read_column(event)
        yield from texts(event)
        for values in flatten(event.attributes).values():
            yield from values

    return read


def _exists(field: Field, track: Track) -> Predicate:
    if field.kind is FieldKind.ATTRIBUTE:
        is_there = patterns.path_test(field.name)
        return lambda event: is_there(event.attributes)
    if field.kind is FieldKind.NAME and field.name not in track.columns:
        key = fold(field.name)
        if ":" in key:
            return lambda event: False
        return lambda event: any(tag.partition(":")[0] == key for tag in map(fold, event.tags))
    read = reader(field, track)
    return lambda event: any(True for _ in read(event))


def field_values(event: Any, field: Field | str, track: Track = LOGS) -> list[Scalar]:
    """The distinct values of a field of an event: for group-by, facets and templates."""
    values = reader(parse_field(field), track)(event)
    return list({(type(value), value): value for value in values}.values())


# -- what a clause asks of a value ------------------------------------------------------------------------------------


def value_test(leaf: Leaf, track: Track = LOGS) -> Test:
    """What a clause asks of one value of its field; `Exists` and `All` ask nothing of one."""
    kind = Kind.TEXT if isinstance(leaf, All) else kind_of(leaf.field, track)
    if isinstance(leaf, Equals):
        return equals_test([leaf.text], kind)
    if isinstance(leaf, Glob):
        return _glob_test(leaf, kind)
    if isinstance(leaf, AnyCase):
        folded = patterns.whole(leaf.pieces)
        return lambda value: folded(fold(text_of(value)))
    if isinstance(leaf, Regex):
        found = patterns.regex(leaf.pattern)
        return lambda value: found(text_of(value))
    if isinstance(leaf, Range):
        return _range_test(leaf, kind)
    if isinstance(leaf, Cidr):
        return _cidr_test(leaf.blocks)
    if isinstance(leaf, Text):
        return _text_test(leaf.words)
    if isinstance(leaf, TextGlob):
        return patterns.inside(leaf.pieces)
    return lambda value: True


def equals_test(texts: Sequence[str], kind: Kind) -> Test:
    """Whether a value equals one of the texts, as values of this kind compare."""
    if kind is Kind.TIME:
        times = frozenset(time for text in texts if (time := time_of(text)) is not None)
        return lambda value: value in times
    if kind in (Kind.FOLDED, Kind.TAGS):
        folded = frozenset(fold(text) for text in texts)
        return lambda value: isinstance(value, str) and fold(value) in folded
    strings = frozenset(texts)
    numbers = frozenset(number for text in texts if (number := number_of(text)) is not None)

    def equals(value: Scalar) -> bool:
        if isinstance(value, str):
            return value in strings
        if isinstance(value, bool):
            return ("true" if value else "false") in strings
        return value in numbers

    return equals


def _glob_test(leaf: Glob, kind: Kind) -> Test:
    if kind in (Kind.EXACT, Kind.TIME):
        matches = patterns.whole(leaf.pieces)
        return lambda value: matches(text_of(value))
    folded = patterns.whole(tuple(fold(piece) if isinstance(piece, str) else piece for piece in leaf.pieces))
    return lambda value: folded(fold(text_of(value)))


def _range_test(leaf: Range, kind: Kind) -> Test:
    if leaf.kind is RangeKind.UNIT:
        raise unit_error(leaf)
    if leaf.kind in (RangeKind.NUMBER, RangeKind.TIME):
        numbers = number_range(leaf)

        def is_number_within(value: Scalar) -> bool:
            if isinstance(value, bool):
                return False
            number = number_of(value) if isinstance(value, str) else value
            return number is not None and number - number == 0 and number in numbers

        return is_number_within
    if leaf.kind is RangeKind.ADDRESS:
        return _address_test(leaf)
    low, high = leaf.low, leaf.high
    if kind in (Kind.FOLDED, Kind.TAGS):
        low, high = (fold(bound) if bound is not None else None for bound in (low, high))
    is_folded = kind in (Kind.FOLDED, Kind.TAGS)

    def is_text_within(value: Scalar) -> bool:
        if not isinstance(value, str):
            return False
        text = fold(value) if is_folded else value
        return (low is None or text > low or (leaf.low_in and text == low)) and (
            high is None or text < high or (leaf.high_in and text == high)
        )

    return is_text_within


def number_range(leaf: Range) -> NumberRange:
    """The bounds of a numeric range or one of times."""
    low, high = (time_of(bound) if bound is not None else None for bound in (leaf.low, leaf.high))
    return NumberRange.of(low, leaf.low_in, high, leaf.high_in)


def address_bounds(leaf: Range) -> tuple[int, int]:
    """First and last address of a range of addresses; an open end is the family's."""
    low, high = (address_of(bound) if bound is not None else None for bound in (leaf.low, leaf.high))
    known = low if low is not None else high
    if known is not None and is_ipv4(known):
        first, last = 0xFFFF << 32, (0xFFFF << 32) + 2**32 - 1
    else:
        first, last = 0, 2**128 - 1
    return (
        first if low is None else low + (not leaf.low_in),
        last if high is None else high - (not leaf.high_in),
    )


def _address_test(leaf: Range) -> Test:
    first, last = address_bounds(leaf)
    family = is_ipv4(address_of(leaf.low or leaf.high or "") or 0)

    def is_address_within(value: Scalar) -> bool:
        address = address_of(value) if isinstance(value, str) else None
        return address is not None and is_ipv4(address) == family and first <= address <= last

    return is_address_within


def _cidr_test(blocks: Iterable[str]) -> Test:
    within = patterns.address_test(address_ranges(block for text in blocks if (block := block_of(text)) is not None))

    def is_in_blocks(value: Scalar) -> bool:
        address = address_of(value) if isinstance(value, str) else None
        return address is not None and within(address)

    return is_in_blocks


def _text_test(searched: tuple[str, ...]) -> Test:
    needle = f" {' '.join(searched)} "

    def has_words(value: Scalar) -> bool:
        folded = fold(text_of(value))
        for word in searched:
            if word not in folded:
                return False
        return needle in f" {' '.join(words(folded))} "

    return has_words
