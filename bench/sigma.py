"""All of SigmaHQ's rules that can be imported, over recorded Windows events, on one core (issue 3, §6)."""

import gzip
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

import orjson

from bench.table import Row
from tocsin.bootstrap import event_from_record
from tocsin.event import Event
from tocsin.match import Matcher
from tocsin.query.parser import parse
from tocsin.query.to_predicate import to_predicate
from tocsin.query.values import Scalar, flatten
from tocsin.rule import Rule
from tocsin.rules.shape import rule_from_api
from tocsin.rules.sigma.collection import import_sigma
from tocsin.rules.sigma.files import read_files

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

PLAIN_EVENTS = 60
"""Events for the plain predicates; each takes all rules in turn, a fraction of a second."""

OTRF_STEP = 4
"""Of the larger set every fourth event: all of them take minutes to normalise, and repeat one another."""

TARGET_RATE = 15_000
TARGET_TIMES = 100
TARGET_GROWTH = 1.5
TARGET_LOAD = 10.0
TARGET_SWAP = 0.2

T = TypeVar("T")

Flattened = tuple[Event, dict[str, list[Scalar]]]


def run() -> list[Row]:
    if not SHARED.is_dir():
        return [Row("Sigma", "not measured", note="needs the data sets beside the checkout")]
    imported = import_sigma(read_files(SHARED / "sigma" / "sigma-rules.tar.gz"))
    rules = [rule_from_api(made.body) for made in imported.rules]
    few = rules[:: len(rules) // 300]
    sample = [(event, flatten(event.attributes)) for event in _events()]
    matcher, load = _timed(lambda: Matcher(rules))
    first = _rate(matcher, sample)
    again = _rate(matcher, sample)
    small = Matcher(few)
    few_first, few_again = _rate(small, sample), _rate(small, sample)
    chosen = sample[:: max(1, len(sample) // PLAIN_EVENTS)]
    plain, agrees = _plain(rules, matcher, [event for event, _ in chosen])
    swap = _swap(matcher, rules, sample)
    return [
        Row(
            f"{len(rules):,} Sigma rules",
            f"{again:,.0f} events/s",
            f"{plain:,.1f} events/s plainly",
            again / plain,
            f">= {TARGET_RATE:,}/s, >= {TARGET_TIMES} times",
            f"{len(sample):,} events; matches of {len(chosen)} {'the same' if agrees else 'DIFFER'}",
            again >= TARGET_RATE and again / plain >= TARGET_TIMES and agrees,
        ),
        Row("the same, each value seen for the first time", f"{first:,.0f} events/s", note="the first pass"),
        Row(
            f"{len(rules):,} rules against {len(few)}",
            f"{1e6 / again:.1f} us/event",
            f"{1e6 / few_again:.1f} us/event",
            few_again / again,
            f"<= {TARGET_GROWTH} times",
            f"first pass {1e6 / first:.1f} against {1e6 / few_first:.1f} us/event",
            few_again / again <= TARGET_GROWTH,
        ),
        Row(
            "load them", f"{load:.1f} s", "", None, f"<= {TARGET_LOAD:.0f} s", "parse and compile", load <= TARGET_LOAD
        ),
        Row("swap a changed rule", f"{swap:.3f} s", "", None, f"<= {TARGET_SWAP} s", "", swap <= TARGET_SWAP),
    ]


def _events() -> Iterator[Event]:
    for name, step in (("evtx-mitre", 1), ("otrf", OTRF_STEP)):
        with gzip.open(SHARED / "windows" / f"{name}.jsonl.gz") as lines:
            for line in islice(lines, 0, None, step):
                yield event_from_record(orjson.loads(line)["event"])


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.process_time()
    return work(), time.process_time() - began


def _rate(matcher: Matcher, sample: Sequence[Flattened]) -> float:
    """Events a second of this process's own time; they are flattened, as the store needs them anyhow."""
    began = time.process_time()
    for event, found in sample:
        matcher.match(event, found)
    return len(sample) / (time.process_time() - began)


def _plain(rules: Sequence[Rule], matcher: Matcher, events: Sequence[Event]) -> tuple[float, bool]:
    """Events a second by each rule's predicate in turn, and whether the matcher finds the same."""
    predicates = [(rule.id, to_predicate(parse(rule.queries[0].full_query))) for rule in rules]
    began = time.process_time()
    plainly = [[rule_id for rule_id, holds in predicates if holds(event)] for event in events]
    rate = len(events) / (time.process_time() - began)
    matched = [list(dict.fromkeys(match.rule_id for match in matcher.match(event))) for event in events]
    return rate, plainly == matched


def _swap(matcher: Matcher, rules: Sequence[Rule], sample: Sequence[Flattened]) -> float:
    """Seconds until the first event has been matched by the changed rules."""
    query = replace(rules[0].queries[0], query="source:windows ANYCASE(@process.command_line, *swapped*)")
    changed = [replace(rules[0], version=2, queries=(query,)), *rules[1:]]
    _, seconds = _timed(lambda: matcher.with_rules(changed).match(*sample[0]))
    return seconds


if __name__ == "__main__":
    from bench.table import show

    show(run(), "sigma")
