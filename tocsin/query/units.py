"""Bounds with a unit, such as `@duration:>20ms`: they are turned into the unit of the facet (§9)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from tocsin.query.errors import Code, QueryError
from tocsin.query.tree import And, Field, Node, Or, Range, RangeKind, conjunction, disjunction, fold_up, negation
from tocsin.query.values import number_of

_SECOND = 10**9
TIME: Mapping[str, int] = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,  # the Greek letter, beside the micro sign
    "ms": 10**6,
    "s": _SECOND,
    "min": 60 * _SECOND,
    "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
    "d": 86400 * _SECOND,
    "w": 7 * 86400 * _SECOND,
}
SIZE: Mapping[str, int] = {
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_DIMENSIONS = (TIME, SIZE)

_MEASURE = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)([a-zµμ]{1,3})?")


def _parts(text: str) -> tuple[str, str] | None:
    found = _MEASURE.fullmatch(text)
    return (found[1], found[2] or "") if found else None


def is_measure(texts: Sequence[str]) -> bool:
    """Whether all bounds are numbers, at least one has a unit, and the units are of one dimension."""
    found = [_parts(text) for text in texts]
    if any(part is None for part in found):
        return False
    written = {part[1] for part in found if part is not None and part[1]}
    return bool(written) and any(written <= dimension.keys() for dimension in _DIMENSIONS)


def convert(node: Node, unit_of: Callable[[Field], str | None]) -> Node:
    """The tree with all bounds in the units that the facets declare (`unit_of`: `ns`, `b`, …; None = none).

    A bound without a unit stays as it is. Raises `QueryError` `UNIT` where a facet declares no unit, or one of
    another dimension.
    """

    def visit(current: Node, below: Sequence[Node]) -> Node:
        if isinstance(current, And):
            return conjunction(below, current.span)
        if isinstance(current, Or):
            return disjunction(below, current.span)
        if below:
            return negation(below[0], current.span)
        if isinstance(current, Range) and current.kind is RangeKind.UNIT:
            return _converted(current, unit_of(current.field))
        return current

    return fold_up(node, visit)


def unit_error(node: Range) -> QueryError:
    """A bound has a unit and nothing says in what unit the values are."""
    bound = node.low if node.low is not None else node.high
    start, end = node.span
    return QueryError(Code.UNIT, start, end, f"the facet of {node.field.name} declares no unit to compare {bound} in")


def _converted(node: Range, unit: str | None) -> Range:
    dimension = next((known for known in _DIMENSIONS if unit in known), None)
    if dimension is None or unit is None:
        raise unit_error(node)

    def bound(text: str | None) -> str | None:
        parts = _parts(text) if text is not None else None
        if parts is None or not parts[1]:
            return text
        if parts[1] not in dimension:
            raise unit_error(node)
        number = Fraction(parts[0]) * dimension[parts[1]] / dimension[unit]
        return str(number.numerator) if number.denominator == 1 else repr(float(number))

    low, high = bound(node.low), bound(node.high)
    if any(text is not None and number_of(text) is None for text in (low, high)):
        raise unit_error(node)
    return replace(node, low=low, high=high, kind=RangeKind.NUMBER)
