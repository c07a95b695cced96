"""The whole story: a week before `end`, then what goes on happening."""

import heapq
import itertools
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from tocsin.demo import background
from tocsin.demo.formats import Record
from tocsin.demo.happening import MINUTE, Happening
from tocsin.demo.intrusions import SCHEDULE
from tocsin.demo.routine import ROUTINES

HOUR = 60 * MINUTE
WEEK_MS = 7 * 24 * HOUR
BACKGROUND_EVENTS = 36_000
"""Background events of the week: enough for a full screen, few enough to be loaded within seconds."""

_HOURLY = (2, 2, 1, 1, 1, 2, 4, 8, 14, 18, 20, 19, 16, 18, 19, 18, 17, 14, 10, 8, 7, 5, 4, 3)
_WEEKEND = 0.35


def week(seed: int, end: int) -> Iterator[Record]:
    """All records of the seven days up to `end` (Unix milliseconds), in order of time. The same arguments give the
    same records, byte for byte.
    """
    return heapq.merge(usual_week(seed, end), intrusions_of_week(seed, end), routines_of_week(seed, end), key=_when)


def usual_week(seed: int, end: int) -> Iterator[Record]:
    """What happens in the week without anybody's ill will, in order of time."""
    rng = random.Random(seed)
    measure = _measure(end)
    hours = range(end - WEEK_MS, end, HOUR)
    return (record for hour in hours for record in _within_hour(rng, hour, measure) if record.at <= end)


def intrusions_of_week(seed: int, end: int) -> Iterator[Record]:
    """The attacks in the week, in order of time: at the same minutes before `end` whatever the day and the hour."""
    return _of_schedule(SCHEDULE, seed * 1000, end)


def routines_of_week(seed: int, end: int) -> Iterator[Record]:
    """What looks like attacks in the week and is none, in order of time."""
    return _of_schedule(ROUTINES, seed * 1000 + 500, end)


def _of_schedule(schedule: Sequence[tuple[int, Happening]], seed: int, end: int) -> Iterator[Record]:
    streams = []
    for number, (minutes, happening) in enumerate(schedule):
        begin = end - minutes * MINUTE
        streams.append(sorted(happening(begin, random.Random(seed + number)), key=_when))
    return (record for record in heapq.merge(*streams, key=_when) if record.at <= end)


def _when(record: Record) -> int:
    return record.at


def _within_hour(rng: random.Random, start: int, measure: float) -> Iterator[Record]:
    for at in sorted(start + rng.randrange(HOUR) for _ in range(round(measure * _weight(start)))):
        yield background.draw(at, rng)


def _measure(end: int) -> float:
    """Background events of an hour of weight 1, so that the week up to `end` has as many as it shall."""
    return BACKGROUND_EVENTS / sum(_weight(hour) for hour in range(end - WEEK_MS, end, HOUR))


def _weight(at: int) -> float:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return _HOURLY[moment.hour] * (_WEEKEND if moment.weekday() >= 5 else 1)


def afterwards(seed: int, start: int) -> Iterator[Record]:
    """What goes on after the week, without end: people do as much as in the week, since rules have learned how much
    that is. Visitors and machines keep the screen alive, with some 3,000 events a minute for two minutes, then about
    one a second; there is a new intrusion every half hour, and something that only looks like one every four hours.
    """
    streams = (
        _usual(random.Random(seed + 1), start),
        _crowd(random.Random(seed + 2), start),
        _intrusions(random.Random(seed + 3), start),
        _routines(random.Random(seed + 4), start),
    )
    return heapq.merge(*streams, key=_when)


def _usual(rng: random.Random, start: int) -> Iterator[Record]:
    measure = _measure(start)
    for hour in itertools.count(start, HOUR):
        yield from _within_hour(rng, hour, measure)


def _crowd(rng: random.Random, start: int) -> Iterator[Record]:
    at = start
    while True:
        at += max(1, round(rng.expovariate(1 / 20 if at < start + 2 * MINUTE else 1 / 1000)))
        yield background.draw_of_crowd(at, rng)


def _intrusions(rng: random.Random, start: int) -> Iterator[Record]:
    pending: list[tuple[int, int, Record]] = []
    serial = itertools.count()
    for number, begin in enumerate(itertools.count(start + 12 * MINUTE, 30 * MINUTE)):
        _, intrusion = SCHEDULE[number % len(SCHEDULE)]
        for record in intrusion(begin, rng):
            heapq.heappush(pending, (record.at, next(serial), record))
        while pending and pending[0][0] < begin + 30 * MINUTE:
            yield heapq.heappop(pending)[2]


def _routines(rng: random.Random, start: int) -> Iterator[Record]:
    for number, begin in enumerate(itertools.count(start + 2 * HOUR, 4 * HOUR)):
        _, routine = ROUTINES[number % len(ROUTINES)]
        yield from routine(begin, rng)
