"""What a value is to the query language: its scalars, text form, number, address, folding and words.

Everything that both back ends must agree on is decided here, once; what SQL cannot decide the same way is
computed here when an event is stored (`columns.py`).
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

Scalar = str | int | float | bool
"""A value in normal form (`scalar`)."""

INT_MIN = -(2**63)
INT_MAX = 2**63 - 1
UINT_MAX = 2**64 - 1

_SURROGATES = re.compile("[\ud800-\udfff]")


def scalar(value: Any) -> Scalar | None:
    """The normal form of one JSON value; None when it is absent (null, an object, not a finite number).

    A whole number within 64 bits is an int whatever way it was written (`1`, `1.0`, `-0.0`), all other numbers are
    doubles. A lone surrogate, which no UTF-8 can hold, becomes U+FFFD.
    """
    kind = type(value)
    if kind is str:
        return value if value.isascii() else _whole_text(value)
    if kind is bool:
        return bool(value)
    if kind is int:
        if INT_MIN <= value <= UINT_MAX:
            return int(value)
        try:
            return float(value)
        except OverflowError:
            return None
    if kind is float:
        if value.is_integer() and INT_MIN <= value <= UINT_MAX:
            return int(value)
        return float(value) if value - value == 0 else None
    return None


def _whole_text(text: str) -> str:
    return _SURROGATES.sub("\ufffd", text)


def number_text(value: int | float) -> str:
    """The text form of a number: shortest decimal, plain from 1e-6 to below 1e21, else like `1.5e300` (§5)."""
    if isinstance(value, int):
        return str(value)
    mantissa, _, exponent = repr(value).partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    if fraction == "0":
        fraction = ""
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0") or "0"
    if -6 < point <= 21:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        if point >= len(digits):
            return sign + digits + "0" * (point - len(digits))
        return f"{sign}{digits[:point]}.{digits[point:]}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{point - 1}"


def text_of(value: Scalar) -> str:
    """The text form of a scalar, which wildcards and full text see (§5, §7)."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value)


class _SimpleFolding(dict[int, int]):
    """Unicode simple case folding, code point to code point, filled as it is used."""

    def __missing__(self, point: int) -> int:
        character = chr(point)
        folded = character.casefold()
        if len(folded) != 1:  # a full folding such as ß -> ss: the simple one is the lower case, if that is one point
            folded = character.lower()
        self[point] = target = ord(folded) if len(folded) == 1 else point
        return target


_FOLDING = _SimpleFolding()


def fold(text: str) -> str:
    """Unicode simple case folding (§5): length is kept, `ß` stays, `Σ`, `σ`, `ς` are one."""
    return text.lower() if text.isascii() else text.translate(_FOLDING)


_ASCII_WORD = re.compile(r"\w+", re.ASCII)


@cache
def word_ranges() -> tuple[tuple[int, int], ...]:
    """Code points that make words: letters, marks, decimal digits (Nd) and `_`, as closed ranges (§6)."""
    ranges: list[tuple[int, int]] = []
    for plane in (0, 1, 2, 3, 14):  # the other planes hold no assigned letters
        for point in range(plane << 16, (plane + 1) << 16):
            category = unicodedata.category(chr(point))
            if category[0] in "LM" or category == "Nd" or point == 0x5F:
                if ranges and ranges[-1][1] == point - 1:
                    ranges[-1] = (ranges[-1][0], point)
                else:
                    ranges.append((point, point))
    return tuple(ranges)


@cache
def _word() -> re.Pattern[str]:
    return re.compile("[" + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in word_ranges()) + "]+")


def words(text: str) -> list[str]:
    """The words of a text in order, folded."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return _word().findall(fold(text))


def is_word_character(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LM" or category == "Nd" or character == "_"


def flatten(attributes: Mapping[str, Any]) -> dict[str, list[Scalar]]:
    """Every dotted path with its scalars in order; arrays are crossed, a dotted key is the same as nested keys.

    Needs no recursion, so that a deep document is no danger. Absent values make no path.
    """
    found: dict[str, list[Scalar]] = {}
    stack: list[tuple[str, Iterator[tuple[str, Any]]]] = [("", iter(attributes.items()))]
    while stack:
        prefix, items = stack[-1]
        for key, value in items:
            kind = type(value)
            if kind is dict:
                stack.append((f"{prefix}{key}.", iter(value.items())))
                break
            if kind is list:
                # An element stands at the path of its list: `key` is kept, the list becomes several items.
                stack.append((prefix, zip([key] * len(value), value, strict=True)))
                break
            normal = scalar(value)
            if normal is not None:
                path = prefix + key
                if path in found:
                    found[path].append(normal)
                else:
                    found[path] = [normal]
        else:
            stack.pop()
    return found


def distinct(values: list[Scalar]) -> list[Scalar]:
    """Equal values once, in order of first appearance; `1`, `"1"` and `true` are three."""
    if len(values) == 1:
        return values
    return list({(type(value), value): value for value in values}.values())
