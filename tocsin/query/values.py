"""What a value is to the query language: its scalars, text form, number, address, folding and words.

Everything that both back ends must agree on is decided here, once; what SQL cannot decide the same way is
computed here when an event is stored (`columns.py`).
"""

import ipaddress
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from itertools import repeat
from typing import Any

Scalar = str | int | float | bool
"""A value in normal form (`scalar`)."""

INT_MIN = -(2**63)
INT_MAX = 2**63 - 1
UINT_MAX = 2**64 - 1

_SURROGATES = re.compile(f"[{chr(0xD800)}-{chr(0xDFFF)}]")


def scalar(value: Any) -> Scalar | None:
    """The normal form of one JSON value; None when it is absent (null, an object, not a finite number).

    A whole number within 64 bits is an int whatever way it was written (`1`, `1.0`, `-0.0`), all other numbers are
    doubles. A lone surrogate, which no UTF-8 can hold, becomes U+FFFD.
    """
    kind = type(value)
    if kind is str:
        return value if value.isascii() else whole_text(value)
    if kind is bool:
        return bool(value)
    if kind is int:
        if INT_MIN <= value <= UINT_MAX:
            return int(value)
        try:
            return scalar(float(value))
        except OverflowError:
            return None
    if kind is float:
        if value.is_integer() and INT_MIN <= value <= UINT_MAX:
            return int(value)
        return float(value) if value - value == 0 else None
    return None


def whole_text(text: str) -> str:
    """The text with lone surrogates replaced, which no store and no answer could hold."""
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
BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
"""Long texts have few characters beyond ASCII, and only these need a table."""


LONG = 64
"""Characters."""


def fold(text: str) -> str:
    """Unicode simple case folding (§5): length is kept, `ß` stays, `Σ`, `σ`, `ς` are one."""
    if text.isascii():
        return text.lower() if len(text) < LONG else _lowered(text)
    # `bytes.lower` is ASCII's.
    folded = BEYOND_ASCII.sub(_folded_run, text)
    return folded.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


_last: tuple[str, str] = ("", "")
"""The long text that was lowered last, and what came of it: several clauses ask for one value in turn."""


def _lowered(text: str) -> str:
    """A long text in ASCII is lowered as bytes: two to five times as fast, and patterns read kilobytes of one log."""
    global _last
    known, lowered = _last
    if known is not text:
        lowered = text.encode().lower().decode()
        _last = (text, lowered)
    return lowered


def _folded_run(run: re.Match[str]) -> str:
    return run[0].translate(_FOLDING)


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


NESTED = 100
"""Levels that are walked by recursion, which is quicker; no document is so deep but one that was made to be."""


def flatten(attributes: Mapping[str, Any]) -> dict[str, list[Scalar]]:
    """Every dotted path with its scalars in order; arrays are crossed, a dotted key is the same as nested keys.

    No document is too deep. Absent values make no path.
    """
    found: dict[str, list[Scalar]] = {}
    try:
        _walk(attributes, "", found, NESTED)
    except _TooDeep:
        return _flatten_any(attributes)
    return found if "".join(found).isascii() else _flatten_any(attributes)


class _TooDeep(Exception):
    """There are more levels than `NESTED`."""


def _walk(node: Mapping[str, Any], prefix: str, found: dict[str, list[Scalar]], levels: int) -> None:
    if not levels:
        raise _TooDeep
    for key, value in node.items():
        kind = type(value)
        # What `scalar` does to most values, without the call: it would take half the time.
        if kind is str:
            if not value.isascii():
                value = whole_text(value)
        elif kind is dict:
            _walk(value, f"{prefix}{key}.", found, levels - 1)
            continue
        elif kind is list:
            _walk_list(value, prefix, key, found, levels - 1)
            continue
        elif value is None or (kind is not bool and (value := scalar(value)) is None):
            continue
        path = prefix + key
        if path in found:
            found[path].append(value)
        else:
            found[path] = [value]


def _walk_list(elements: list[Any], prefix: str, key: str, found: dict[str, list[Scalar]], levels: int) -> None:
    """Elements stand at the path of their list. Apart from `_walk`, which could take them too: a tenth faster so."""
    if not levels:
        raise _TooDeep
    path = prefix + key
    for value in elements:
        kind = type(value)
        if kind is str:
            if not value.isascii():
                value = whole_text(value)
        elif kind is dict:
            _walk(value, f"{path}.", found, levels - 1)
            continue
        elif kind is list:
            _walk_list(value, prefix, key, found, levels - 1)
            continue
        elif value is None or (kind is not bool and (value := scalar(value)) is None):
            continue
        if path in found:
            found[path].append(value)
        else:
            found[path] = [value]


def _flatten_any(attributes: Mapping[str, Any]) -> dict[str, list[Scalar]]:
    """The same for any depth and any names."""
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
                # `key` is kept, the list becomes several items.
                stack.append((prefix, zip(repeat(key), value)))  # one of them has no end
                break
            normal = scalar(value)
            if normal is not None:
                found.setdefault(whole_text(prefix + key), []).append(normal)
        else:
            stack.pop()
    return found


def distinct(values: list[Scalar]) -> list[Scalar]:
    """Equal values once, in order of first appearance; `1`, `"1"` and `true` are three."""
    if len(values) == 1:
        return values
    return list({(type(value), value): value for value in values}.values())


WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""Unicode's White_Space, as the inside of a character class (Python's `isspace` adds four control characters)."""

_INTEGER = re.compile(r"([+-]?)0*([0-9]{1,20})")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def number_of(text: str) -> int | float | None:
    """The number that a text is, or None: sign, fraction, exponent; nothing else.

    Without fraction and exponent it is exact within 64 bits; anything else is the nearest double, perhaps infinite.
    (ClickHouse's `toInt64OrNull`, `toUInt64OrNull` and `toFloat64OrNull`, asked in this order, read the same texts.)
    """
    if found := _INTEGER.fullmatch(text):
        value = int(found[1] + found[2])
        return value if INT_MIN <= value <= UINT_MAX else float(value)
    return float(text) if _NUMBER.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class NumberRange:
    """An interval of numbers as two closed ones that mean the same: of whole numbers within 64 bits, and of doubles.

    So nothing is ever compared across types. An interval whose low is above its high is empty.
    """

    int_low: int
    int_high: int
    float_low: float
    float_high: float

    @classmethod
    def of(cls, low: int | float | None, low_in: bool, high: int | float | None, high_in: bool) -> "NumberRange":
        int_low, float_low = INT_MIN, -math.inf
        int_high, float_high = UINT_MAX, math.inf
        if low is not None:
            int_low, float_low = _least_int(low, low_in), _least_float(low, low_in)
        if high is not None:  # what is below `high` is, mirrored, above `-high`
            int_high, float_high = -_least_int(-high, high_in), -_least_float(-high, high_in)
        return cls(max(int_low, INT_MIN), min(int_high, UINT_MAX), float_low, float_high)

    def __contains__(self, value: int | float) -> bool:
        if isinstance(value, int):
            return self.int_low <= value <= self.int_high
        return self.float_low <= value <= self.float_high


def _least_int(bound: int | float, is_in: bool) -> int:
    if isinstance(bound, float):
        if math.isinf(bound):
            return UINT_MAX + 1 if bound > 0 else INT_MIN
        whole = math.ceil(bound)
        return whole if is_in or whole != bound else whole + 1
    return bound if is_in else bound + 1


def _least_float(bound: int | float, is_in: bool) -> float:
    nearest = float(bound)
    if nearest < bound or (nearest == bound and not is_in):
        return math.nextafter(nearest, math.inf) if nearest < math.inf else math.nan
    return nearest


def time_of(text: str) -> int | float | None:
    """Unix milliseconds of a bound on `timestamp`: a number, or ISO 8601 (UTC when it names no zone)."""
    number = number_of(text)
    if number is not None:
        return number
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    microseconds = (moment - _EPOCH) // timedelta(microseconds=1)
    return microseconds / 1000 if microseconds % 1000 else microseconds // 1000


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAPPED = 0xFFFF << 32
"""`::ffff:a.b.c.d` counts as `a.b.c.d` (§11): IPv4 addresses are held in this part of the IPv6 space."""

_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{2,45}")


def address_of(text: str) -> int | None:
    """An address as a point of the IPv6 space, IPv4 ones mapped; None for anything else, zones included."""
    return _address_of(text) if _ADDRESS.fullmatch(text) else None


@lru_cache(maxsize=1024)
def _address_of(text: str) -> int | None:
    """Many clauses ask the same value, one after the other."""
    try:
        if ":" in text:
            return int(ipaddress.IPv6Address(text))
        return _MAPPED | int(ipaddress.IPv4Address(text))
    except ValueError:
        return None


def is_ipv4(address: int) -> bool:
    return address >> 32 == 0xFFFF


_LENGTH = re.compile(r"[0-9]{1,3}")

AddressRange = tuple[int, int]
"""First and last address of a block, both of one family."""


@dataclass(frozen=True, slots=True)
class Block:
    """A CIDR block. `has_host_bits`: bits behind the mask were set, and are ignored."""

    first: int
    last: int
    has_host_bits: bool


def block_of(text: str) -> Block | None:
    """A CIDR block, or one address without a mask; None if malformed.

    A block inside `::ffff:0:0/96` is the IPv4 block that it stands for.
    """
    network, slash, length = text.partition("/")
    address = address_of(network)
    if address is None:
        return None
    width = 128 if ":" in network else 32
    if slash and (not _LENGTH.fullmatch(length) or int(length) > width):
        return None
    host_bits = width - int(length) if slash else 0
    if width == 128 and host_bits > 32 and is_ipv4(address):
        # Written as IPv6 and wider than all of IPv4: the IPv6 block.
        address &= ~((1 << host_bits) - 1)
        return Block(address, address | ((1 << host_bits) - 1), has_host_bits=True)
    mask = (1 << host_bits) - 1
    return Block(address & ~mask, address | mask, bool(address & mask))


def address_ranges(blocks: Iterable[Block]) -> list[AddressRange]:
    """Sorted, merged, and without the IPv4 part in IPv6 blocks: an IPv4 address is in no IPv6 block (§11)."""
    ranges: list[AddressRange] = []
    for block in blocks:
        if not is_ipv4(block.first) and block.first < _MAPPED <= block.last:
            ranges += [(block.first, _MAPPED - 1), (_MAPPED + (1 << 32), block.last)]
        else:
            ranges.append((block.first, block.last))
    merged: list[AddressRange] = []
    for first, last in sorted(ranges):
        if first > last:
            continue
        if merged and first <= merged[-1][1] + 1 and is_ipv4(first) == is_ipv4(merged[-1][1]):
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
