"""Dates of logs to Unix milliseconds: epoch numbers, ISO 8601, RFC 3164, RFC 2822, access logs (siem.md §1.2).

Without a zone, UTC is meant. Without a year, the year is the one that brings the date nearest to the time of arrival
without lying more than a day after it.
"""

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from tocsin.remembering import remembered

DAY = 86_400_000
EARLIEST = -62_135_596_800_000
"""0001-01-01, the first day that a date can have."""
LONGEST = 64
"""Characters of the longest text that can be a date."""
_WHOLE_SECONDS = len("2026-01-05T00:00:00Z")
LATEST = 253_402_300_799_999
"""9999-12-31, the last."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = {name.lower(): at + 1 for at, name in enumerate(calendar.month_abbr[1:])}
_SYSLOG = re.compile(r"([A-Za-z]{3})\s+(\d{1,2})\s+(\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(?:\s+(\d{4}))?")
_C_TIME = re.compile(r"[A-Za-z]{3}\s+([A-Za-z]{3}\s+\d{1,2}\s+\d{2}:\d{2}:\d{2}(?:\.\d+)?)\s+(?:[A-Z]{3,4}\s+)?(\d{4})")
_ACCESS = re.compile(
    r"(\d{1,2})/([A-Za-z]{3})/(\d{4}):(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:\s*([+-]\d{2}):?(\d{2}))?"
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_ISO_LIKE = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,:](\d+))?)?)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?(?:\s+[A-Z]{3,4})?",
    re.IGNORECASE,
)


def to_ms(moment: datetime) -> int:
    """Unix milliseconds, rounded down."""
    since = moment - _EPOCH
    return since.days * DAY + since.seconds * 1_000 + since.microseconds // 1_000


def read_date(value: Any, now: int, *, is_ms: bool = False) -> int | None:
    """Unix milliseconds of a number or a text; None if it is no date. `now` decides a missing year.

    Small numbers are seconds, unless `is_ms`.
    """
    if isinstance(value, str):
        if len(value) > LONGEST:
            return None
        # With milliseconds they hardly repeat, and to remember one costs more than to read it.
        ms = _of_iso(value) if len(value) > _WHOLE_SECONDS and value[4] == "-" else None
        if ms is None:
            ms = _of_text(value, is_ms)
        if ms is None and value:
            return _without_year(value, now)
        return ms
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _of_number(value, is_ms)


def _of_number(value: float, is_ms: bool) -> int | None:
    """Seconds, milliseconds, microseconds or nanoseconds, told by the size."""
    size = abs(value)
    if not size < 1e20:  # also not a number, and infinity
        return None
    if size < 1e11:
        return round(value if is_ms else value * 1000)
    if size < 1e14:
        ms = round(value)
    elif size < 1e17:
        ms = round(value / 1000)
    else:
        ms = round(value / 1_000_000)
    return ms if EARLIEST <= ms <= LATEST else None


def _of_iso(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


@remembered(65536)
def _of_text(text: str, is_ms: bool) -> int | None:
    if (ms := _of_iso(text)) is not None:
        return ms
    text = text.strip()
    if _NUMBER.fullmatch(text):
        # Four to eight digits are rather a year or a basic date than the first weeks of 1970.
        return _of_number(float(text), is_ms) if len(text) >= 9 else None
    try:
        return _of_layout(text)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _of_layout(text: str) -> int | None:
    if found := _ISO_LIKE.fullmatch(text):
        year, month, day, hour, minute, second, fraction, zone = found.groups()
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
        return to_ms(moment) + _milliseconds(fraction) - _offset(zone)
    if (found := _ACCESS.fullmatch(text)) and found[2].lower() in _MONTHS:
        day, name, year, hour, minute, second, fraction, hours, minutes = found.groups()
        moment = datetime(int(year), _MONTHS[name.lower()], int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        return to_ms(moment) + _milliseconds(fraction) - _offset(f"{hours}{minutes}" if hours else None)
    if found := _C_TIME.fullmatch(text):
        return _syslog(found[1], int(found[2]))
    if found := _SYSLOG.fullmatch(text):
        return _syslog(text, int(found[7])) if found[7] else None
    if "," in text[:5] or text[:2].strip().isdecimal():  # Sun, 06 Nov 1994 08:49:37 GMT
        moment = parsedate_to_datetime(text)
        return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return None


def _milliseconds(fraction: str | None) -> int:
    return int(fraction[:3].ljust(3, "0")) if fraction else 0


def _offset(zone: str | None) -> int:
    """Milliseconds east of Greenwich of `+hh`, `+hhmm` or `+hh:mm`; other zones are UTC."""
    if not zone or zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:4])
    return (-minutes if zone[0] == "-" else minutes) * 60_000


@remembered(65536)
def _syslog(text: str, year: int) -> int | None:
    found = _SYSLOG.match(text)
    if found is None or found[1].lower() not in _MONTHS:
        return None
    try:
        moment = datetime(
            year, _MONTHS[found[1].lower()], int(found[2]), int(found[3]), int(found[4]), int(found[5]), tzinfo=UTC
        )
    except ValueError:  # 29 February
        return None
    return to_ms(moment) + _milliseconds(found[6])


def _without_year(text: str, now: int) -> int | None:
    text = text.strip()
    return with_year(lambda year: _syslog(text, year), now) if _SYSLOG.fullmatch(text) else None


def with_year(build: Callable[[int], int | None], now: int) -> int | None:
    """The last year in which `build(year)` is a moment that is not more than a day in the future."""
    year = (_EPOCH + timedelta(milliseconds=now + DAY)).year
    for candidate in range(year, max(year - 9, 0), -1):  # the next 29 February may be eight years away
        ms = build(candidate)
        if ms is not None and ms <= now + DAY:
            return ms
    return None
