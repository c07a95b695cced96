"""The search language once more, as plainly as it can be written: the judge between predicate and SQL.

It shares with `tocsin.query` only the tree. Every rule is written from the specification (search-syntax §n), slowly:
sets of words, fractions, exhaustive matching. An event is the JSON object of §1; reserved members may be
lists.
"""

import ipaddress
import math
import re
import unicodedata
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from typing import Any

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
    Node,
    Not,
    Or,
    Range,
    RangeKind,
    Regex,
    Text,
    TextGlob,
    Wildcard,
)

RESERVED = ("timestamp", "host", "source", "service", "status", "message", "trace_id", "tags")
TEXT_PATHS = ("title", "error.message", "error.stack")
WHITE_SPACE = set("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {chr(c) for c in range(0x2000, 0x200B)}


def matches(node: Node, event: dict[str, Any]) -> bool:
    """Whether the event meets the query."""
    if isinstance(node, All):
        return True
    if isinstance(node, And):
        return all(matches(part, event) for part in node.parts)
    if isinstance(node, Or):
        return any(matches(part, event) for part in node.parts)
    if isinstance(node, Not):
        return not matches(node.part, event)
    if isinstance(node, Exists):
        return exists(node.field, event)
    return any(holds(node, value) for value in values(node.field, event))


# -- what is searched (§4, §6, §7, §8, §10) ---------------------------------------------------------------------------


def all_paths(event: dict[str, Any]) -> list[tuple[str, Any]]:
    """Every scalar with its dotted path; lists are crossed, nulls are absent."""
    found = []

    def walk(node: Any, path: tuple[str, ...]) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                walk(value, (*path, key))
        elif isinstance(node, list):
            for element in node:
                walk(element, path)
        elif node is not None and not (isinstance(node, float) and not math.isfinite(node)):
            found.append((".".join(path), node))

    walk(event.get("attributes") or {}, ())
    return found


def as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return [each for each in value if each is not None] if isinstance(value, list) else [value]


def milliseconds(value: Any) -> Any:
    if not isinstance(value, str):
        return int(value)
    moment = datetime.fromisoformat(value)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def reserved(event: dict[str, Any], name: str) -> list[Any]:
    found = as_list(event.get(name))
    if name == "timestamp":
        return [milliseconds(each) for each in found]
    return found


def values(field: Field, event: dict[str, Any]) -> list[Any]:
    if field.kind is FieldKind.ATTRIBUTE:
        return [value for path, value in all_paths(event) if path == field.name]
    if field.kind is FieldKind.FREE:
        return reserved(event, "message") + [value for path, value in all_paths(event) if path in TEXT_PATHS]
    if field.kind is FieldKind.FULL:
        names = ("message", "host", "service", "source", "status")
        return [value for name in names for value in reserved(event, name)] + [value for _, value in all_paths(event)]
    if field.kind is FieldKind.CALCULATED:
        return []
    if field.name in RESERVED:
        found = reserved(event, field.name)
        return [Folded(tag) for tag in found] if field.name in ("tags", "status") else found
    key = simple_fold(field.name)
    return [Folded(tag.split(":", 1)[1]) for tag in tags(event) if ":" in tag and tag.split(":", 1)[0] == key]


def tags(event: dict[str, Any]) -> list[str]:
    return [simple_fold(tag) for tag in as_list(event.get("tags"))]


class Folded(str):
    """A value that is compared without regard to case (§5)."""

    def __new__(cls, value: str) -> "Folded":
        return super().__new__(cls, simple_fold(value))


def exists(field: Field, event: dict[str, Any]) -> bool:
    if field.kind is FieldKind.ATTRIBUTE:
        return any(path == field.name or path.startswith(f"{field.name}.") for path, _ in all_paths(event))
    if field.kind is FieldKind.NAME and field.name not in RESERVED:
        return any(tag.split(":", 1)[0] == simple_fold(field.name) for tag in tags(event))
    return bool(values(field, event))


# -- what a clause asks (§5, §6, §9, §11) -----------------------------------------------------------------------------


def holds(node: Node, value: Any) -> bool:
    if isinstance(node, Equals):
        return equals(node, value)
    if isinstance(node, Glob):
        return glob(node, value)
    if isinstance(node, AnyCase):
        return fits(node.pieces, text_form(value), True, lambda character: True)
    if isinstance(node, Regex):
        return re.search(node.pattern, text_form(value), re.ASCII) is not None
    if isinstance(node, Range):
        return in_range(node, value)
    if isinstance(node, Cidr):
        return in_blocks(node.blocks, value)
    if isinstance(node, Text):
        found = words(text_form(value))
        size = len(node.words)
        return any(tuple(found[at : at + size]) == node.words for at in range(len(found)))
    if isinstance(node, TextGlob):
        return glob_inside(node, text_form(value))
    raise AssertionError(node)


def equals(node: Equals, value: Any) -> bool:
    if node.field.name == "timestamp" and node.field.kind is FieldKind.NAME:
        return time_bound(node.text) == value
    if isinstance(value, Folded):
        return value == simple_fold(node.text)
    if isinstance(value, str):
        return value == node.text
    if isinstance(value, bool):
        return node.text == ("true" if value else "false")
    number = number_of_text(node.text)
    return number is not None and number == number_of_json(value)


def glob(node: Glob, value: Any) -> bool:
    text = text_form(value)
    ignores_case = isinstance(value, Folded) or (node.field.kind is FieldKind.NAME and node.field.name == "message")
    return fits(node.pieces, text, ignores_case, lambda character: True)


def fits(pieces: Any, text: str, ignores_case: bool, runs_over: Any) -> bool:
    """Whether pieces match a text from end to end: positions that can be reached, piece by piece."""
    reached = {0}
    for piece in pieces:
        following: set[int] = set()
        for at in reached:
            if piece is Wildcard.ONE:
                if at < len(text):
                    following.add(at + 1)
            elif piece is Wildcard.ANY:
                following.add(at)
                while at < len(text) and runs_over(text[at]):
                    at += 1
                    following.add(at)
            else:
                stretch = text[at : at + len(piece)]
                if stretch == piece or (ignores_case and simple_fold(stretch) == simple_fold(piece)):
                    following.add(at + len(piece))
        reached = following
    return len(text) in reached


def glob_inside(node: TextGlob, text: str) -> bool:
    begins, ends = node.pieces[0] is not Wildcard.ANY, node.pieces[-1] is not Wildcard.ANY
    for start in range(len(text) + 1):
        for end in range(start, len(text) + 1):
            if begins and not (start < len(text) and is_word(text[start]) and not (start and is_word(text[start - 1]))):
                continue
            if ends and not (end and is_word(text[end - 1]) and not (end < len(text) and is_word(text[end]))):
                continue
            if fits(node.pieces, text[start:end], True, lambda character: character not in WHITE_SPACE):
                return True
    return False


def in_range(node: Range, value: Any) -> bool:
    if node.kind is RangeKind.TIME:
        return between(node, value, time_bound)
    if node.kind is RangeKind.NUMBER:
        if isinstance(value, bool):
            return False
        number = number_of_text(value) if isinstance(value, str) else number_of_json(value)
        return number is not None and abs(number) != math.inf and between(node, number, number_of_text)
    if not isinstance(value, str):
        return False
    if node.kind is RangeKind.ADDRESS:
        address = address_of_text(value)
        bound = address_of_text(node.low or node.high or "")
        return (
            address is not None
            and bound is not None
            and address.version == bound.version
            and between(node, int(address), lambda text: int(address_of_text(text)))  # type: ignore[arg-type]
        )
    return between(node, value, simple_fold if isinstance(value, Folded) else str)


def between(node: Range, value: Any, read: Any) -> bool:
    if node.low is not None:
        low = read(node.low)
        if not (low < value or (node.low_in and low == value)):
            return False
    if node.high is not None:
        high = read(node.high)
        if not (value < high or (node.high_in and high == value)):
            return False
    return True


def in_blocks(blocks: tuple[str, ...], value: Any) -> bool:
    address = address_of_text(value) if isinstance(value, str) else None
    if address is None:
        return False
    for block in blocks:
        network = ipaddress.ip_network(block, strict=False)
        if network.version == 6 and network.prefixlen >= 96 and network[0].ipv4_mapped is not None:  # type: ignore[union-attr]
            mapped = network[0].ipv4_mapped  # type: ignore[union-attr]
            network = ipaddress.ip_network(f"{mapped}/{network.prefixlen - 96}", strict=False)
        if address.version == network.version and address in network:
            return True
    return False


# -- values -----------------------------------------------------------------------------------------------------------


def address_of_text(text: str) -> Any:
    if not text.isascii() or "%" in text or "/" in text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def number_of_json(value: Any) -> Any:
    """Exact within 64 bits, else the nearest double (§9)."""
    if isinstance(value, int):
        return Fraction(value) if -(2**63) <= value < 2**64 else Fraction(float(value))
    return Fraction(value)


def number_of_text(text: str) -> Any:
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        return None
    if re.fullmatch("[+-]?[0-9]{1,4000}", text) and -(2**63) <= int(text) < 2**64:
        return Fraction(int(text))
    number = float(text)
    return number if math.isinf(number) else Fraction(number)


def time_bound(text: str) -> Any:
    number = number_of_text(text)
    if number is not None:
        return number
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    passed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return Fraction(passed.days * 86400 + passed.seconds) * 1000 + Fraction(passed.microseconds, 1000)


def text_form(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and -(2**63) <= value < 2**64:
        return str(value)
    number = float(value)
    if number.is_integer() and -(2**63) <= number < 2**64:
        return str(int(number))
    digits, exponent = f"{number!r}".lower(), 0
    if "e" in digits:
        digits, exponent = digits.split("e")[0], int(digits.split("e")[1])
    sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    whole, _, fraction = digits.partition(".")
    exponent += len(whole) - 1
    significant = (whole + fraction).lstrip("0")
    exponent -= len(whole + fraction) - len(significant)
    significant = significant.rstrip("0")
    if 0 <= exponent < 21:
        padded = significant.ljust(exponent + 1, "0")
        rest = padded[exponent + 1 :]
        return f"{sign}{padded[: exponent + 1]}{'.' + rest if rest else ''}"
    if -6 <= exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{significant}"
    return f"{sign}{significant[0]}{'.' + significant[1:] if significant[1:] else ''}e{exponent}"


@cache
def _simple(character: str) -> str:
    for candidate in (character.casefold(), character.lower()):
        if len(candidate) == 1:
            return candidate
    return character


def simple_fold(text: str) -> str:
    return "".join(_simple(character) for character in text)


def is_word(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] in "LM" or unicodedata.category(character) == "Nd"


def words(text: str) -> list[str]:
    found, word = [], ""
    for character in simple_fold(text):
        if is_word(character):
            word += character
        elif word:
            found.append(word)
            word = ""
    return [*found, word] if word else found
