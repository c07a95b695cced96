"""The whole story: a week before `end`, then what goes on happening."""

import heapq
import random
from collections.abc import Iterator
from datetime import UTC, datetime

from tocsin.demo import background
from tocsin.demo.formats import Record
from tocsin.demo.intrusions import MINUTE, SCHEDULE

DAY_MS = 24 * 60 * MINUTE
WEEK_MS = 7 * DAY_MS
BACKGROUND_EVENTS = 36_000
"""Background events of the week: enough for a full screen, few enough to be loaded within seconds."""

_HOURLY = (2, 2, 1, 1, 1, 2, 4, 8, 14, 18, 20, 19, 16, 18, 19, 18, 17, 14, 10, 8, 7, 5, 4, 3)
_WEEKEND = 0.35


def week(seed: int, end: int) -> Iterator[Record]:
    """All records of the seven days up to `end` (Unix milliseconds), in order of time. The same arguments give the
    same records, byte for byte.
    """
    streams: list[Iterator[Record]] = [_background(random.Random(seed), end)]
    for number, (minutes, intrusion) in enumerate(SCHEDULE):
        begin = end - minutes * MINUTE
        streams.append(iter(sorted(intrusion(begin, random.Random(seed * 1000 + number)), key=_when)))
    return (record for record in heapq.merge(*streams, key=_when) if record.at <= end)


def _when(record: Record) -> int:
    return record.at


def _background(rng: random.Random, end: int) -> Iterator[Record]:
    hours = [(start, _weight(start)) for start in range(end - WEEK_MS, end, 60 * MINUTE)]
    total = sum(weight for _, weight in hours)
    for start, weight in hours:
        count = round(BACKGROUND_EVENTS * weight / total)
        moments = sorted(start + rng.randrange(60 * MINUTE) for _ in range(count))
        for at in moments:
            yield background.draw(at, rng)


def _weight(at: int) -> float:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return _HOURLY[moment.hour] * (_WEEKEND if moment.weekday() >= 5 else 1)


def afterwards(seed: int, start: int) -> Iterator[Record]:
    """What goes on after the week, without end: some 3,000 events a minute for two minutes, then about one a second,
    and a new intrusion every half hour.
    """
    rng = random.Random(seed + 1)
    at, next_intrusion, chosen = start, start + 12 * MINUTE, 0
    pending: list[tuple[int, int, Record]] = []
    serial = 0
    while True:
        lively = at < start + 2 * MINUTE
        at += max(1, round(rng.expovariate(1 / 20 if lively else 1 / 1000)))
        if at >= next_intrusion:
            for record in SCHEDULE[chosen % len(SCHEDULE)][1](next_intrusion, rng):
                serial += 1
                heapq.heappush(pending, (record.at, serial, record))
            chosen += 1
            next_intrusion += 30 * MINUTE
        while pending and pending[0][0] <= at:
            yield heapq.heappop(pending)[2]
        yield background.draw(at, rng)
