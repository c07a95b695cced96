"""Times as the API takes them: RFC 3339, Unix milliseconds, date maths such as `now-1d/d` (api.md §1)."""

import re
from datetime import UTC, datetime, timedelta

from tocsin.errors import BadRequest

EARLIEST = -2_208_988_800_000
LATEST = 10_413_791_999_999
"""What the event store can hold: 1900 to 2299."""

_MATHS = re.compile(r"now((?:[+-]\d{1,9}[smhdwMy])*)(?:/([smhdwMy]))?")
_STEP = re.compile(r"([+-]\d+)([smhdwMy])")
_INTERVAL = re.compile(r"(\d{1,9})(ms|s|m|h|d|w)?")

_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}


def parse_time(text: str | int, now: int) -> int:
    """Unix milliseconds. A text without a zone is UTC; months and years are those of the calendar.

    Raises `BadRequest` that says what is understood.
    """
    if isinstance(text, int):
        return _in_range(text, str(text))
    given = text.strip()
    if re.fullmatch(r"-?\d{5,}", given):
        return _in_range(int(given), given)
    if maths := _MATHS.fullmatch(given):
        return _in_range(_calculate(maths, now), given)
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise BadRequest(
            f"'{given[:60]}' is no time: write 2026-01-31T12:00:00Z, Unix milliseconds, or date maths such as now-15m"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return _in_range((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1), given)


def parse_interval(text: str) -> int:
    """Milliseconds of an interval such as `5m`; a bare number is milliseconds. Raises `BadRequest`."""
    found = _INTERVAL.fullmatch(text.strip())
    if not found or not int(found[1]):
        raise BadRequest(f"'{text[:60]}' is no interval: write a number and a unit, such as 30s, 5m, 1h or 1d")
    return int(found[1]) * _UNITS_MS[found[2] or "ms"]


def _calculate(maths: re.Match[str], now: int) -> int:
    moment = datetime.fromtimestamp(now // 1000, UTC) + timedelta(milliseconds=now % 1000)
    try:
        for amount, unit in _STEP.findall(maths[1]):
            moment = _moved(moment, int(amount), unit)
    except (OverflowError, ValueError):
        raise BadRequest(f"'{maths[0]}' is out of the calendar") from None
    if maths[2]:
        moment = _start_of(moment, maths[2])
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _moved(moment: datetime, amount: int, unit: str) -> datetime:
    if unit not in "My":
        return moment + timedelta(milliseconds=amount * _UNITS_MS[unit])
    months = moment.year * 12 + moment.month - 1 + amount * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    first = moment.replace(year=year, month=month + 1, day=1)
    following = first.replace(year=year + (month == 11), month=(month + 1) % 12 + 1)
    return first.replace(day=min(moment.day, (following - first).days))


def _start_of(moment: datetime, unit: str) -> datetime:
    if unit == "w":
        moment -= timedelta(days=moment.weekday())
        unit = "d"
    zeros: dict[str, int] = {"microsecond": 0}
    for name, units in (("second", "mhdMy"), ("minute", "hdMy"), ("hour", "dMy")):
        if unit in units:
            zeros[name] = 0
    if unit in "My":
        zeros["day"] = 1
    if unit == "y":
        zeros["month"] = 1
    return moment.replace(**zeros)  # type: ignore[arg-type]  # tzinfo is not among them


def _in_range(ms: int, given: str) -> int:
    if not EARLIEST <= ms <= LATEST:
        raise BadRequest(f"'{given[:60]}' is not between the years 1900 and 2299")
    return ms
