"""Calculated fields: what a formula is of an event (siem.md §2.22, decision 0134).

There is this one form and none in SQL: replays, jobs and scheduled runs look for the events that may match in SQL, and
let it decide. What it says of values:

- A field without a value, and whatever cannot be computed, is null: a division by zero, the sum of words, the second
  part of what has one. Null makes null, except where it is said otherwise here.
- A text that is a number counts as one. Numbers compare as numbers, everything else by its text form, case-sensitively.
- Of a field with several values the first counts; `min`, `max`, `concat` and `textjoin` take them all, and leave out
  nulls. Without any they are null.
- A condition holds when it is true. Null does not hold, so `!(@a > 5)` is true where there is no `@a`.
- Positions and occurrences count from 1. `round` rounds halves away from zero.
"""

import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from tocsin.query.expression import Call, Chain, Expression, Literal, Read, Sign, expression_names, parse_expression
from tocsin.query.to_predicate import reader
from tocsin.query.track import Track
from tocsin.query.values import Scalar, number_of, scalar, text_of
from tocsin.rule import CalculatedField

MAX_TEXT = 65_536
"""Characters; a longer text is null, so that no formula makes an event a thousand times as large."""

MAX_PLACES = 300
"""Decimal places that `round` rounds to; beyond it there is nothing to round."""

Value = Scalar | None
Evaluate = Callable[[Any], Value]
Values = Callable[[Any], Iterable[Scalar]]


def with_calculated(track: Track, fields: Sequence[CalculatedField]) -> Track:
    """The track with these fields, each of which may use the ones before it. Raises `ExpressionError`."""
    for field in fields:
        expression = parse_expression(field.expression, track.calculated)
        named = [track.calculated[name] for name in sorted(expression_names(field.expression))]
        track = replace(track, calculated={**track.calculated, field.name: _once(compiled(expression, track), named)})
    return track


def compiled(expression: Expression, track: Track) -> Evaluate:
    """A function from an event of the track to the value."""
    if isinstance(expression, Literal):
        value = expression.value
        return lambda event: value
    if isinstance(expression, Read):
        read = reader(expression.field, track)
        return lambda event: next(iter(read(event)), None)
    if isinstance(expression, Sign):
        operand = compiled(expression.operand, track)
        if expression.operator == "!":
            return lambda event: not _holds(operand(event))
        return lambda event: _arithmetic(operator.sub, 0, operand(event))
    if isinstance(expression, Chain):
        first = compiled(expression.first, track)
        return _chain(first, [(sign, compiled(part, track)) for sign, part in expression.rest])
    if expression.function in _OF_ALL:
        return _of_all(_OF_ALL[expression.function], expression, track)
    if expression.function == "textjoin":
        return _textjoin(expression, track)
    parameters = [compiled(part, track) for part in expression.parameters]
    if expression.function in _CHOICES:
        return _CHOICES[expression.function](parameters)
    function = _FUNCTIONS[expression.function]

    def call(event: Any) -> Value:
        given = [parameter(event) for parameter in parameters]
        return None if any(value is None for value in given) else function(*given)

    return call


def _once(evaluate: Evaluate, named: Sequence[Values]) -> Values:
    """The value as a list of one or none. It remembers the last event: several clauses and formulas ask for one
    field, and each may use the one before it twice.

    The fields that the formula names are read first, so that never more than one formula is on the stack.
    """
    last: tuple[Any, tuple[Scalar, ...]] = (None, ())

    def read(event: Any) -> tuple[Scalar, ...]:
        nonlocal last
        known, values = last
        if known is not event:
            for earlier in named:
                earlier(event)
            value = evaluate(event)
            values = () if value is None else (value,)
            last = (event, values)
        return values

    return read


def _chain(first: Evaluate, rest: Sequence[tuple[str, Evaluate]]) -> Evaluate:
    sign = rest[0][0]
    if sign in ("&&", "||"):
        parts = [first, *(part for _, part in rest)]
        if sign == "&&":
            return lambda event: all(_holds(part(event)) for part in parts)
        return lambda event: any(_holds(part(event)) for part in parts)

    def calculate(event: Any) -> Value:
        value = first(event)
        for sign, part in rest:
            value = _BINARY[sign](value, part(event))
        return value

    return calculate


def _holds(value: Value) -> bool:
    return value is True or value == "true"


def _number(value: Value) -> int | float | None:
    """The number that a value is, within what a log may hold."""
    if isinstance(value, str):
        value = scalar(number_of(value))
    return None if isinstance(value, bool | str) else value


def _arithmetic(calculate: Callable[[Any, Any], Any], one: Value, other: Value) -> Value:
    left, right = _number(one), _number(other)
    if left is None or right is None:
        return None
    try:
        return scalar(calculate(left, right))
    except (ZeroDivisionError, OverflowError):
        return None


def _compared(compare: Callable[[Any, Any], bool], one: Value, other: Value) -> Value:
    if one is None or other is None:
        return None
    left, right = _number(one), _number(other)
    if left is not None and right is not None:
        return compare(left, right)
    return compare(text_of(one), text_of(other))


def _binary(way: Callable[..., Value], calculate: Callable[[Any, Any], Any]) -> Callable[[Value, Value], Value]:
    return lambda one, other: way(calculate, one, other)


_BINARY: Mapping[str, Callable[[Value, Value], Value]] = {
    "+": _binary(_arithmetic, operator.add),
    "-": _binary(_arithmetic, operator.sub),
    "*": _binary(_arithmetic, operator.mul),
    "/": _binary(_arithmetic, operator.truediv),
    "<": _binary(_compared, operator.lt),
    "<=": _binary(_compared, operator.le),
    ">": _binary(_compared, operator.gt),
    ">=": _binary(_compared, operator.ge),
    "==": _binary(_compared, operator.eq),
    "!=": _binary(_compared, operator.ne),
}


# -- functions of single values, none of which is null ----------------------------------------------------------------


def _rounded(value: Scalar, places: Scalar = 0) -> Value:
    number, wanted = _number(value), _whole(places)
    if number is None or wanted is None or abs(wanted) > MAX_PLACES:
        return None
    if isinstance(number, int) and wanted >= 0:
        return number
    exact = Decimal(repr(number))
    if int(exact.as_tuple().exponent) >= -wanted:
        return number
    try:
        return scalar(float(exact.quantize(Decimal(1).scaleb(-wanted), ROUND_HALF_UP)))
    except InvalidOperation:
        return number


def _on_number(calculate: Callable[[Any], Any]) -> Callable[[Scalar], Value]:
    def call(value: Scalar) -> Value:
        number = _number(value)
        return None if number is None else scalar(calculate(number))

    return call


def _on_text(change: Callable[[str], str]) -> Callable[[Scalar], Value]:
    return lambda value: _text(change(text_of(value)))


_NAME = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


def _proper(text: str) -> str:
    """Each word with a large first letter and small others."""
    return _NAME.sub(lambda word: word[0][0].upper() + word[0][1:].lower(), text)


def _prefix(value: Scalar, length: Scalar) -> Value:
    count = _whole(length)
    return None if count is None or count < 0 else text_of(value)[:count]


def _suffix(value: Scalar, length: Scalar) -> Value:
    count, text = _whole(length), text_of(value)
    return None if count is None or count < 0 else text[max(len(text) - count, 0) :]


def _substring(value: Scalar, start: Scalar, length: Scalar) -> Value:
    first, count = _whole(start), _whole(length)
    if first is None or count is None or first < 1 or count < 0:
        return None
    return text_of(value)[first - 1 : first - 1 + count]


def _split_before(value: Scalar, separator: Scalar, occurrence: Scalar) -> Value:
    text, at = text_of(value), _occurrence(value, separator, occurrence)
    return None if at is None else text[:at]


def _split_after(value: Scalar, separator: Scalar, occurrence: Scalar) -> Value:
    text, at = text_of(value), _occurrence(value, separator, occurrence)
    return None if at is None else text[at + len(text_of(separator)) :]


def _occurrence(value: Scalar, separator: Scalar, occurrence: Scalar) -> int | None:
    """Where a separator stands for the n-th time; the next is looked for behind the one before."""
    text, wanted, number = text_of(value), text_of(separator), _whole(occurrence)
    if not wanted or number is None or not 1 <= number <= len(text):
        return None
    at = -len(wanted)
    for _ in range(number):
        at = text.find(wanted, at + len(wanted))
        if at < 0:
            return None
    return at


def _whole(value: Scalar) -> int | None:
    number = _number(value)
    return number if isinstance(number, int) else None


def _text(text: str) -> str | None:
    return text if len(text) <= MAX_TEXT else None


_FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "abs": _on_number(abs),
    "ceil": _on_number(math.ceil),
    "floor": _on_number(math.floor),
    "round": _rounded,
    "lower": _on_text(str.lower),
    "upper": _on_text(str.upper),
    "proper": _on_text(_proper),
    "prefix": _prefix,
    "suffix": _suffix,
    "substring": _substring,
    "split_before": _split_before,
    "split_after": _split_after,
}


# -- functions that choose, and that take nulls ----------------------------------------------------------------------


def _if(parameters: Sequence[Evaluate]) -> Evaluate:
    condition, first, second = parameters
    return lambda event: first(event) if _holds(condition(event)) else second(event)


def _case(parameters: Sequence[Evaluate]) -> Evaluate:
    pairs, otherwise = list(zip(parameters[:-1:2], parameters[1::2], strict=True)), parameters[-1]

    def choose(event: Any) -> Value:
        for condition, value in pairs:
            if _holds(condition(event)):
                return value(event)
        return otherwise(event)

    return choose


def _is_null(parameters: Sequence[Evaluate]) -> Evaluate:
    (only,) = parameters
    return lambda event: only(event) is None


_CHOICES: Mapping[str, Callable[[Sequence[Evaluate]], Evaluate]] = {"if": _if, "case": _case, "is_null": _is_null}


# -- functions of all values -----------------------------------------------------------------------------------------


def _of_all(function: Callable[[Iterator[Scalar]], Value], call: Call, track: Track) -> Evaluate:
    parameters = [_all_values(part, track) for part in call.parameters]
    return lambda event: function(value for parameter in parameters for value in parameter(event))


def _textjoin(call: Call, track: Track) -> Evaluate:
    delimiter = compiled(call.parameters[0], track)
    parameters = [_all_values(part, track) for part in call.parameters[1:]]

    def join(event: Any) -> Value:
        between = delimiter(event)
        values = (value for parameter in parameters for value in parameter(event))
        return None if between is None else _joined(text_of(between), values)

    return join


def _all_values(expression: Expression, track: Track) -> Values:
    if isinstance(expression, Read):
        return reader(expression.field, track)
    evaluate = compiled(expression, track)

    def values(event: Any) -> Iterable[Scalar]:
        value = evaluate(event)
        return () if value is None else (value,)

    return values


def _most(choose: Callable[..., Any]) -> Callable[[Iterator[Scalar]], Value]:
    def call(values: Iterator[Scalar]) -> Value:
        return choose((number for value in values if (number := _number(value)) is not None), default=None)  # type: ignore[no-any-return]

    return call


def _joined(delimiter: str, values: Iterable[Scalar]) -> Value:
    texts: list[str] = []
    length = 0
    for value in values:
        texts.append(text_of(value))
        length += len(texts[-1]) + len(delimiter)
        if length > MAX_TEXT + len(delimiter):
            return None
    return delimiter.join(texts) if texts else None


_OF_ALL: Mapping[str, Callable[[Iterator[Scalar]], Value]] = {
    "max": _most(max),
    "min": _most(min),
    "concat": lambda values: _joined("", values),
}
