"""Match only: what the matcher does on one core, against the plain predicate of each rule in turn (design §4.5)."""

import random
import sys
import time
from collections.abc import Callable, Sequence

from bench.events import normalised
from bench.matching import growth, passes
from bench.rules import rules
from bench.table import Row
from tocsin.event import Event
from tocsin.query.parser import parse
from tocsin.query.to_predicate import to_predicate
from tocsin.rule import Rule

EVENTS = 40_000
PLAIN_EVENTS = 400
FEW = 100
"""Rules, drawn from all: the shipped ones come first, and a hundred of these would be for two of the sources."""

TRIES = 3
"""Passes of matchers that have seen nothing yet, of which the fastest counts: other processes only ever add time."""

TARGET_TIMES = 20.0


def run(events: int = EVENTS) -> list[Row]:
    sample = normalised(events)
    many = rules(1000)
    few = random.Random(FEW).sample(many, FEW)
    tried = [[passes(each, sample)[0] for each in (many, few)] for _ in range(TRIES)]
    first, few_first = (min(costs, key=lambda cost: cost.both) for costs in zip(*tried, strict=True))
    fast = 1 / first.both
    plain = _rate(_in_turn(many), sample[:: max(1, len(sample) // PLAIN_EVENTS)])
    return [
        Row(
            "match, 1,000 rules",
            f"{fast:,.0f} events/s",
            f"{plain:,.0f} events/s plainly",
            fast / plain,
            f">= {TARGET_TIMES:.0f} times",
            f"{events:,} events, each seen for the first time",
            fast / plain >= TARGET_TIMES,
        ),
        *growth("1,000 rules against 100", first, few_first, "drawn from the same rules"),
    ]


def _rate(work: Callable[[Event], object], events: Sequence[Event]) -> float:
    """Events a second of this process's own time."""
    began = time.process_time()
    for event in events:
        work(event)
    return len(events) / (time.process_time() - began)


def _in_turn(all_rules: Sequence[Rule]) -> Callable[[Event], object]:
    predicates = [to_predicate(parse(query.full_query)) for rule in all_rules for query in rule.queries]
    return lambda event: [number for number, holds in enumerate(predicates) if holds(event)]


if __name__ == "__main__":
    from bench.table import show

    show(run(*map(int, sys.argv[1:2])), "match")
