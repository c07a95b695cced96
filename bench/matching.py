"""What matching an event costs, beside what the store needs of it in any case."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from bench.table import Row
from tocsin.event import Event
from tocsin.garbage import collect_seldom
from tocsin.match import Matcher
from tocsin.query.values import flatten
from tocsin.rule import Rule

TARGET_GROWTH = 1.5

BATCH = 100
"""Events that are formed just before they are matched, as in the pipeline: what was just made is in the cache."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of processor time an event. It is flattened and written as JSON before it is matched: the store needs
    both, and the matcher reads them."""

    matching: float
    forming: float

    @property
    def both(self) -> float:
        return self.matching + self.forming


def passes(rules: Sequence[Rule], sample: Sequence[Event]) -> tuple[Cost, Cost]:
    """What an event costs a matcher that has seen nothing yet, and when it sees them all again."""
    matcher = Matcher(rules)
    collect_seldom()  # as the workers do
    return _cost(matcher, sample), _cost(matcher, sample)


def _cost(matcher: Matcher, sample: Sequence[Event]) -> Cost:
    matching = forming = 0.0
    for start in range(0, len(sample), BATCH):
        batch = sample[start : start + BATCH]
        began = time.process_time()
        formed = [(event, flatten(event.attributes), orjson.dumps(event.attributes)) for event in batch]
        between = time.process_time()
        for event, found, document in formed:
            matcher.match(event, found, document)
        matching += time.process_time() - between
        forming += between - began
    return Cost(matching / len(sample), forming / len(sample))


def growth(name: str, many: Cost, few: Cost, note: str, note_of_matching: str = "") -> list[Row]:
    """What an event costs with many rules against what it costs with a few of them."""
    ratio = many.both / few.both
    return [
        Row(
            f"{name}, flattened, as JSON, and matched",
            f"{1e6 * many.both:.1f} us/event",
            f"{1e6 * few.both:.1f} us/event",
            ratio,
            f"<= {TARGET_GROWTH} times",
            note,
            ratio <= TARGET_GROWTH,
        ),
        Row(
            "the same, matched only",
            f"{1e6 * many.matching:.1f} us/event",
            f"{1e6 * few.matching:.1f} us/event",
            many.matching / few.matching,
            note=note_of_matching,
        ),
    ]
