"""`date("yyyy-MM-dd HH:mm:ss.SSSZ", "UTC")`: a date pattern as Java has them, as a regular expression and a reader."""

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tocsin.normalise.dates import to_ms, with_year
from tocsin.normalise.errors import BadPipeline
from tocsin.remembering import remembered

DateReader = Callable[[str, int], int | None]
"""Text and the present (Unix milliseconds, for a missing year) to Unix milliseconds."""

_MONTHS = list(calendar.month_name)[1:]
_DAYS = list(calendar.day_name)
_SHORT_MONTHS = [name[:3] for name in _MONTHS]
_SHORT_DAYS = [name[:3] for name in _DAYS]
_LETTERS = re.compile(r"([A-Za-z])\1*|'((?:[^']|'')*)'|(.)", re.DOTALL)
_OFFSET = r"Z|z|[+-]\d{2}(?::?\d{2})?(?::?\d{2})?"


def has_year(pattern: str) -> bool:
    """Whether a date of this pattern is the same whenever it is read."""
    return any(found[1] in ("y", "Y", "u") for found in _LETTERS.finditer(pattern))


def compile_date(pattern: str, zone: str | None, where: str) -> tuple[str, DateReader]:
    """The regular expression of a date pattern (no groups) and the function that reads what it matched."""
    pieces: list[tuple[str, str]] = []  # regular expression, name of the field or ""
    for found in _LETTERS.finditer(pattern):
        if found[1]:
            pieces.append(_field(found[1], len(found[0]), where))
        elif found[2] is not None:
            pieces.append((re.escape(found[2].replace("''", "'") or "'"), ""))
        else:
            pieces.append((r"\s+" if found[3] == " " else re.escape(found[3]), ""))
    linear = "".join(f"(?:{expression})" if name else expression for expression, name in pieces)
    reader = re.compile("".join(f"({expression})" if name else expression for expression, name in pieces))
    names = [name for _, name in pieces if name]
    default = read_zone(zone, where) if zone else UTC
    is_fixed = has_year(pattern)

    def moment_in(text: str, year: int | None) -> int | None:
        match = reader.fullmatch(text)
        return None if match is None else _moment(names, match.groups(), default, year)

    read_in = remembered(16384)(moment_in)

    def read(text: str, now: int) -> int | None:
        if is_fixed:
            return read_in(text, None)
        return with_year(lambda year: read_in(text, year), now)

    return linear, read


def _field(letter: str, count: int, where: str) -> tuple[str, str]:
    digits = rf"\d{{{count}}}" if count > 1 else r"\d{1,2}"
    match letter:
        case "y" | "Y" | "u":
            return (r"\d{2}", "short_year") if count == 2 else (r"\d{4}", "year")
        case "M" | "L":
            if count >= 3:
                return "|".join(_MONTHS if count > 3 else _SHORT_MONTHS), "month_name"
            return digits, "month"
        case "d":
            return (r"\d{1,2}" if count == 1 else r"\d{2}"), "day"
        case "D":
            return r"\d{1,3}", "day_of_year"
        case "E" | "e":
            return "|".join(_DAYS if count > 3 else _SHORT_DAYS), "weekday"
        case "H" | "k":
            return digits, "hour"
        case "h" | "K":
            return digits, "half_hour"
        case "m":
            return digits, "minute"
        case "s":
            return digits, "second"
        case "S":
            return rf"\d{{1,{max(count, 9)}}}" if count >= 3 else rf"\d{{{count}}}", "fraction"
        case "a":
            return "AM|PM|am|pm", "half"
        case "Z" | "X" | "x":
            return _OFFSET, "offset"
        case "z" | "V":
            return rf"{_OFFSET}|[A-Za-z]{{1,5}}(?:/[A-Za-z_]+)*", "zone"
        case _:
            raise BadPipeline(where, f"date pattern letter '{letter}' is not known")


@lru_cache(maxsize=256)
def read_zone(name: str, where: str) -> tzinfo:
    """UTC, GMT, `+02:00`, `UTC+2`, `Europe/Vienna`."""
    found = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?", name)
    if found:
        minutes = int(found[2]) * 60 + int(found[3] or 0)
        return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))
    try:
        return UTC if name in ("UTC", "GMT", "Z") else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadPipeline(where, f"time zone '{name}' is not known; write UTC, +02:00 or Europe/Vienna") from error


def _moment(names: list[str], texts: tuple[Any, ...], default: tzinfo, year: int | None) -> int | None:
    parts = dict(zip(names, texts, strict=True))
    if "short_year" in parts:
        short = int(parts["short_year"])
        year = short + (2000 if short < 70 else 1900)
    elif "year" in parts:
        year = int(parts["year"])
    month = int(parts.get("month") or 1)
    if "month_name" in parts:
        month = _SHORT_MONTHS.index(parts["month_name"][:3]) + 1
    hour = int(parts.get("hour") or 0) % 24
    if "half_hour" in parts:
        hour = int(parts["half_hour"]) % 12 + (12 if (parts.get("half") or "").lower() == "pm" else 0)
    fraction = (parts.get("fraction") or "0")[:6].ljust(6, "0")
    zone = default
    if text := parts.get("offset") or parts.get("zone"):
        try:
            zone = UTC if text in ("Z", "z") else read_zone(_full_offset(text), "")
        except BadPipeline:
            return None
    try:
        moment = datetime(
            year or 1970,
            month,
            int(parts.get("day") or 1),
            hour,
            int(parts.get("minute") or 0),
            int(parts.get("second") or 0),
            int(fraction),
            tzinfo=zone,
        )
        if "day_of_year" in parts:
            moment += timedelta(days=int(parts["day_of_year"]) - 1)
        return to_ms(moment)
    except (ValueError, OverflowError):
        return None


def _full_offset(text: str) -> str:
    return text[:6] if text[:1] in "+-" and ":" in text else text[:5] if text[:1] in "+-" else text
