"""What matching an event costs, beside what the store needs of it in any case."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from tocsin.event import Event
from tocsin.garbage import collect_all, collect_seldom
from tocsin.match import Matcher
from tocsin.query.values import flatten
from tocsin.rule import Rule

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
    collect_all()  # the matchers of earlier passes, which were set aside
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
