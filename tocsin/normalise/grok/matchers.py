"""What `%{matcher(…)}` matches, as a pattern of RE2, and what it makes of the text."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from tocsin.normalise.errors import BadPipeline
from tocsin.normalise.grok.date_format import compile_date

Convert = Callable[[str, int], Any]
"""Text and the present (Unix milliseconds) to the value; None means that there is none."""

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_HEX = "[0-9A-Fa-f]{1,4}"
_IPV6 = (
    rf"(?:(?:{_HEX}:){{7}}{_HEX}|(?:{_HEX}:){{6}}{_IPV4}|(?:{_HEX}:){{1,7}}:|:(?::{_HEX}){{1,7}}"
    + "".join(rf"|(?:{_HEX}:){{1,{left}}}(?::{_HEX}){{1,{7 - left}}}" for left in range(1, 7))
    + rf"|(?:{_HEX}:){{1,6}}:(?:{_HEX}:){{0,4}}{_IPV4}|::(?:{_HEX}:){{0,5}}{_IPV4}|::)(?:%[0-9A-Za-z._-]+)?"
)
_HOST = r"\b[0-9A-Za-z](?:[0-9A-Za-z_-]{0,62})(?:\.[0-9A-Za-z](?:[0-9A-Za-z_-]{0,62}))*\.?"
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"
_NUMBER_EXT = rf"{_NUMBER}(?:[eE][+-]?\d+)?"
_INTEGER = r"[+-]?\d+"
_INTEGER_EXT = rf"{_INTEGER}(?:[eE][+-]?\d+)?"
_DOUBLE_QUOTED = r'"(?:[^"\\]|\\[\s\S])*"'
_SINGLE_QUOTED = r"'(?:[^'\\]|\\[\s\S])*'"

PATTERNS: dict[str, str] = {
    "notSpace": r"\S+",
    "word": r"\b\w+\b",
    "data": r"[\s\S]*?",
    "greedyData": r"[\s\S]*",
    "doubleQuotedString": _DOUBLE_QUOTED,
    "singleQuotedString": _SINGLE_QUOTED,
    "quotedString": rf"(?:{_DOUBLE_QUOTED}|{_SINGLE_QUOTED})",
    "uuid": r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
    "mac": r"(?:(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4})",
    "ipv4": _IPV4,
    "ipv6": _IPV6,
    "ip": rf"(?:{_IPV4}|{_IPV6})",
    "hostname": _HOST,
    "ipOrHost": rf"(?:{_IPV4}|{_IPV6}|{_HOST})",
    "port": r"\d{1,5}",
    "numberStr": _NUMBER,
    "numberExtStr": _NUMBER_EXT,
    "integerStr": _INTEGER,
    "integerExtStr": _INTEGER_EXT,
    "number": _NUMBER,
    "numberExt": _NUMBER_EXT,
    "integer": _INTEGER,
    "integerExt": _INTEGER_EXT,
}

INT64 = 2**63


def to_number(text: str) -> int | float | None:
    """A number, whole where nothing is lost by it."""
    try:
        value = float(text)
    except ValueError:
        return None
    if value != value or value in (float("inf"), float("-inf")):
        return None
    if value.is_integer():
        return to_integer(text)
    return value


def to_integer(text: str) -> int | None:
    try:
        whole = int(text)
    except ValueError:
        try:
            whole = int(float(text))
        except (ValueError, OverflowError):
            return None
    return whole if -INT64 <= whole < 2 * INT64 else None


_CONVERSIONS: dict[str, Convert] = {
    "number": lambda text, _: to_number(text),
    "numberExt": lambda text, _: to_number(text),
    "integer": lambda text, _: to_integer(text),
    "integerExt": lambda text, _: to_integer(text),
}


def matcher(name: str, params: Sequence[str], where: str) -> tuple[str, Convert | None] | None:
    """The pattern of a matcher and its conversion (None: the text as it is); None if there is no such matcher."""
    match name:
        case "date":
            if not params:
                raise BadPipeline(where, 'date needs a pattern, such as date("yyyy-MM-dd HH:mm:ss")')
            pattern, read = compile_date(params[0], params[1] if len(params) > 1 else None, where)
            return pattern, read
        case "regex":
            if len(params) != 1:
                raise BadPipeline(where, 'regex needs one pattern, such as regex("[a-z]+")')
            return f"(?:{without_captures(params[0])})", None
        case "boolean":
            true, false = params if len(params) == 2 else ("true", "false")
            folded = true.lower()
            return f"(?i:{re.escape(true)}|{re.escape(false)})", lambda text, _: text.lower() == folded
        case _ if name in PATTERNS:
            return PATTERNS[name], _CONVERSIONS.get(name)
        case _:
            return None


_GROUP = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?!\?)|\(\?P?<[A-Za-z_]\w*>|\(\?>", re.DOTALL)


def without_captures(pattern: str) -> str:
    """The pattern with groups that only group. Atomic groups, which a linear engine does not need, become plain."""

    def plain(found: re.Match[str]) -> str:
        return "(?:" if found[0][0] == "(" else found[0]

    return _GROUP.sub(plain, pattern)
