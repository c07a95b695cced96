"""When a scheduled rule runs: an RRULE in the local time of a zone, as moments (siem.md §2.22). Pure.

The rule is counted out in local time, and each time is then a moment of the zone, so that "daily at nine" is at nine
before and after clocks change. A time that clocks jump over is moved by the jump, one that comes twice is its first; of
rules that run within a day both count, so that an hourly one does not rest for two hours.
"""

import calendar
import re
from collections.abc import Iterator
from datetime import MAXYEAR, UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

from dateutil.rrule import rrule, rrulestr

from tocsin.errors import BadRequest
from tocsin.rule import Schedule

MIN_MINUTES = 5
"""Between two runs."""

MAX_COUNT = 100_000

PARTS = frozenset(
    (
        "FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYDAY",
        "BYHOUR", "BYMINUTE", "BYSECOND", "BYSETPOS",
    )
)  # fmt: skip
NOT_HERE = ("DTSTART", "DTEND", "DURATION")

_STEPS = {
    "MINUTELY": timedelta(minutes=1),
    "HOURLY": timedelta(hours=1),
    "DAILY": timedelta(days=1),
    "WEEKLY": timedelta(weeks=1),
}
_MONTHS = {"MONTHLY": 1, "YEARLY": 12}
_WITHIN_A_DAY = ("MINUTELY", "HOURLY")

_CYCLE = 400
"""Years after which all dates fall on the same weekdays again."""

_CHECKED = 1_000
"""Times that are looked at for whether they lie far enough apart."""

_DAY = timedelta(days=1)
_DAY_MS = 86_400_000
_HORIZON = 3_660
"""Days: a rule that does not run within ten years does not run."""

_LOOKS = (2, 40, 400, _HORIZON)
"""Days in which the next time is looked for."""


class ScheduleError(BadRequest):
    """`member` of the scheduling options is wrong."""

    def __init__(self, member: str, code: str, message: str) -> None:
        super().__init__(f"{member}: {message}")
        self.member = member
        self.code = code
        self.message = message


class Recurrence:
    """Moments in Unix milliseconds. Raises `ScheduleError` for what is no schedule, or one that runs too often."""

    def __init__(self, schedule: Schedule) -> None:
        self._start = _start(schedule.start)
        self._zone = _zone(schedule.timezone)
        self._parts = _parts(schedule.rrule)
        until = self._parts.pop("UNTIL", None)
        self._until = None if until is None else self._last(until)
        self._freq = self._parts["FREQ"]
        self._interval = _number(self._parts, "INTERVAL", 1, 1_000_000)
        self._count = _number(self._parts, "COUNT", 1, MAX_COUNT) if "COUNT" in self._parts else None
        self._parts.pop("COUNT", None)
        text = ";".join(f"{name}={value}" for name, value in self._parts.items())
        try:
            read = rrulestr(text, dtstart=self._start)
        except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
            raise ScheduleError("rrule", "invalid", f"the RRULE cannot be read: {error}") from error
        if not isinstance(read, rrule):
            raise ScheduleError("rrule", "invalid", "the RRULE must be one rule")
        self._rule = read
        self._check()

    def following(self, after: int, count: int = 1) -> list[int]:
        """The next times later than `after`: so many, or fewer where the rule ends."""
        found: list[int] = []
        for days in _LOOKS:
            found = self.between(after, after + days * _DAY_MS)
            if len(found) >= count:
                break
        return found[:count]

    def between(self, after: int, until: int) -> list[int]:
        """All times later than `after` and not later than `until`, in order."""
        if self._until is not None:
            until = min(until, self._until)
        if until <= after:
            return []
        moments: set[int] = set()
        for local in self._locals(self._local(after) - _DAY, self._local(until) + _DAY):
            moments.update(moment for moment in self._moments(local) if after < moment <= until)
        return sorted(moments)

    def _check(self) -> None:
        times = list(islice(self._locals(self._start, self._start + _HORIZON * _DAY), _CHECKED))
        if not times or (self._until is not None and self._moments(times[0])[0] > self._until):
            raise ScheduleError("rrule", "never", "the RRULE never comes true within ten years of the start")
        if any(later - earlier < timedelta(minutes=MIN_MINUTES) for earlier, later in pairwise(times)):
            message = f"the RRULE runs more often than every {MIN_MINUTES} minutes, the least time between two runs"
            raise ScheduleError("rrule", "too_often", message)

    def _locals(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """Local times from `since` on, perhaps with some before, up to `until`.

        They are counted out at the end of the calendar and brought back: `dateutil` notices `until` only at a time that
        comes true, and goes on to the last year of the calendar, for minutes, if none does.
        """
        until = max(until, self._start)
        years = (MAXYEAR - until.year) // _CYCLE * _CYCLE
        first = self._anchor(since)
        found = iter(
            self._rule.replace(
                dtstart=first.replace(year=first.year + years), until=until.replace(year=until.year + years)
            )
        )
        yield from (local.replace(year=local.year - years) for local in islice(found, self._count))

    def _anchor(self, since: datetime) -> datetime:
        """The start, moved by whole intervals to shortly before `since`: counting from years ago takes long."""
        if self._count is not None or since <= self._start:
            return self._start
        if self._freq in _STEPS:
            step = _STEPS[self._freq] * self._interval
            return self._start + (since - self._start) // step * step
        months = _MONTHS[self._freq] * self._interval
        passed = (since.year - self._start.year) * 12 + since.month - self._start.month
        for steps in range(passed // months - 1, 0, -1):
            year, month = divmod(self._start.year * 12 + self._start.month - 1 + steps * months, 12)
            if self._start.day <= calendar.monthrange(year, month + 1)[1]:
                return self._start.replace(year=year, month=month + 1)
        return self._start

    def _moments(self, local: datetime) -> list[int]:
        first, second = (_milliseconds(local.replace(tzinfo=self._zone, fold=fold)) for fold in (0, 1))
        return [first, second] if first < second and self._freq in _WITHIN_A_DAY else [first]

    def _local(self, moment: int) -> datetime:
        return datetime.fromtimestamp(moment / 1000, self._zone).replace(tzinfo=None)

    def _last(self, text: str) -> int:
        """The moment of `UNTIL`: a date is its whole day."""
        for shape, length in (("%Y%m%dT%H%M%SZ", 16), ("%Y%m%dT%H%M%S", 15), ("%Y%m%d", 8)):
            if len(text) == length:
                try:
                    found = datetime.strptime(text, shape)  # noqa: DTZ007 - the zone follows
                except ValueError:
                    break
                if shape.endswith("Z"):
                    return _milliseconds(found.replace(tzinfo=UTC))
                whole = timedelta(days=1, microseconds=-1) if length == 8 else timedelta()
                return _milliseconds((found + whole).replace(tzinfo=self._zone))
        raise ScheduleError("rrule", "invalid", f"UNTIL must be like 20300131 or 20300131T120000Z, not {text[:40]}")


@lru_cache(maxsize=4_096)
def recurrence(schedule: Schedule) -> Recurrence:
    """The same schedule is asked for again and again. Raises `ScheduleError`."""
    return Recurrence(schedule)


def _parts(text: str) -> dict[str, str]:
    if not text.strip():
        raise ScheduleError("rrule", "missing", "the RRULE is missing; write for example FREQ=DAILY;INTERVAL=1")
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").rstrip(";").split(";"):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if (kind := re.split("[:;\\s]", name, maxsplit=1)[0]) in NOT_HERE:
            raise ScheduleError("rrule", "not_here", f"an RRULE here has no {kind}; give start and timezone beside it")
        if name not in PARTS or not equals or not value:
            raise ScheduleError("rrule", "invalid", f"'{part[:60]}' is no part of an RRULE such as FREQ=DAILY")
        if name in parts:
            raise ScheduleError("rrule", "invalid", f"{name} stands twice")
        parts[name] = value
    if parts.get("FREQ") not in (*_STEPS, *_MONTHS):
        if parts.get("FREQ") == "SECONDLY":
            raise ScheduleError("rrule", "too_often", f"{MIN_MINUTES} minutes is the least time between two runs")
        raise ScheduleError("rrule", "invalid", f"FREQ must be one of {', '.join((*_STEPS, *_MONTHS))}")
    if "BYSETPOS" in parts and parts["FREQ"] in _WITHIN_A_DAY:
        raise ScheduleError("rrule", "invalid", f"BYSETPOS does not go with {' or '.join(_WITHIN_A_DAY)}")
    if "COUNT" in parts and "UNTIL" in parts:
        raise ScheduleError("rrule", "invalid", "COUNT and UNTIL exclude one another")
    return parts


def _number(parts: dict[str, str], name: str, least: int, most: int) -> int:
    text = parts.get(name, str(least))
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not least <= int(text) <= most:
        raise ScheduleError("rrule", "invalid", f"{name} must be a number of {least} to {most}, not {text[:40]}")
    return int(text)


def _start(text: str) -> datetime:
    if not text.strip():
        raise ScheduleError("start", "missing", "the start is missing; write for example 2030-01-31T09:00:00")
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ScheduleError("start", "invalid", "the start must be ISO 8601, such as 2030-01-31T09:00:00") from None
    if found.tzinfo is not None:
        raise ScheduleError("start", "has_zone", "the start is a local time of the timezone: leave out its own zone")
    if not 1970 <= found.year <= 2200:
        raise ScheduleError("start", "invalid", "the start must be in a year of 1970 to 2200")
    return found.replace(microsecond=0)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(name: str) -> ZoneInfo:
    if name not in _zones():
        missing = "the timezone is missing" if not name.strip() else f"there is no timezone '{name[:60]}'"
        raise ScheduleError("timezone", "unknown_zone", f"{missing}; write for example Europe/Paris or UTC")
    return ZoneInfo(name)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
