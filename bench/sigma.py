"""All of SigmaHQ's rules that can be imported, over recorded Windows events, on one core (issue 3, §6)."""

import gzip
import operator
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import orjson

from bench.matching import Cost, growth, passes
from bench.rsigma import HOW_TO_BUILD, Raced, race
from bench.table import Row
from tocsin.bootstrap import event_from_record
from tocsin.event import Event
from tocsin.match import Matcher
from tocsin.query.parser import parse
from tocsin.query.to_predicate import to_predicate
from tocsin.rule import Rule
from tocsin.rules.shape import rule_from_api
from tocsin.rules.sigma.collection import Imported, import_sigma
from tocsin.rules.sigma.files import read_files

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

PLAIN_EVENTS = 60
"""Events for the plain predicates; each takes all rules in turn, a fraction of a second."""

OTRF_STEP = 4
"""Of the larger set every fourth event: all of them take minutes to normalise, and repeat one another."""

MANY, FEW = 3_000, 300
DRAWS = 3
"""So many rules are drawn from all, and few of these, so many times: the draw that differs most counts. One rule that
is about every word of every event weighs as much as a thousand others, and not each draw has it."""

TRIES = 3
"""Passes of which the fastest counts: other processes only ever add time."""

MOST_SHOWN = 3
"""Rules that are named where the other engine finds something else."""

TARGET_RATE = 15_000
TARGET_TIMES = 100
TARGET_LOAD = 10.0
TARGET_SWAP = 0.2

T = TypeVar("T")


def run() -> list[Row]:
    if not SHARED.is_dir():
        return [Row("Sigma", "not measured", note="needs the data sets beside the checkout")]
    files = list(read_files(SHARED / "sigma" / "sigma-rules.tar.gz"))
    imported = import_sigma(files)
    rules = [rule_from_api(made.body) for made in imported.rules]
    records = list(_records())
    sample = list(map(event_from_record, records))
    matcher, load = _timed(lambda: Matcher(rules))
    swap = _swap(matcher, rules, sample)
    first, again = _fastest(rules, sample, lambda cost: cost.matching)
    many, few = _growth(rules, sample)
    chosen = sample[:: max(1, len(sample) // PLAIN_EVENTS)]
    plain, agrees = _plain(rules, matcher, chosen)
    rate = 1 / first.matching
    raced = race([file for file in files if file.path in {made.path for made in imported.rules}], records)
    return [
        Row(
            f"{len(rules):,} Sigma rules, events not seen before",
            f"{rate:,.0f} events/s",
            f"{plain:,.1f} events/s plainly",
            rate / plain,
            f">= {TARGET_RATE:,}/s, >= {TARGET_TIMES} times",
            f"{len(sample):,} events; matches of {len(chosen)} {'the same' if agrees else 'DIFFER'}",
            rate >= TARGET_RATE and rate / plain >= TARGET_TIMES and agrees,
        ),
        Row("the same events again", f"{1 / again.matching:,.0f} events/s", note="all their values are remembered"),
        *growth(
            f"{MANY:,} rules against {FEW} of them",
            many,
            few,
            f"events not seen before; of {DRAWS} draws the one that differs most",
            f"all {len(rules):,} rules: {1e6 * first.matching:.1f} us beside {1e6 * first.forming:.1f}",
        ),
        Row(
            "load them", f"{load:.1f} s", "", None, f"<= {TARGET_LOAD:.0f} s", "parse and compile", load <= TARGET_LOAD
        ),
        Row("swap a changed rule", f"{swap:.3f} s", "", None, f"<= {TARGET_SWAP} s", "", swap <= TARGET_SWAP),
        *_against(raced, rate, _by_rule(imported, matcher, sample)),
    ]


def _against(raced: Raced | None, rate: float, ours: dict[str, frozenset[int]]) -> list[Row]:
    """Our rate and matches against rsigma's; both match what is in memory, theirs as JSON that was parsed before."""
    if raced is None:
        return [Row("rsigma (Rust), the same rules", "not measured", note=HOW_TO_BUILD)]
    theirs = raced.matches
    unlike = {rule_id for rule_id in ours | theirs if ours.get(rule_id) != theirs.get(rule_id)}
    nothing = frozenset[int]()
    more, less = (
        sum(len(some.get(rule_id, nothing) - others.get(rule_id, nothing)) for rule_id in unlike)
        for some, others in ((ours, theirs), (theirs, ours))
    )
    return [
        Row(
            f"against rsigma (Rust), {raced.rules:,} of the same rules",
            f"{rate:,.0f} events/s",
            f"{raced.rate:,.0f} events/s",
            rate / raced.rate,
            note=f"{len(ours | theirs) - len(unlike)} of {len(ours | theirs)} rules that matched match the same events",
        ),
        Row(
            "its matches and ours",
            f"{sum(map(len, ours.values())):,} matches",
            f"{sum(map(len, theirs.values())):,} matches",
            note=f"{more} only ours, {less} only theirs (decision 0153); most by {', '.join(_most(ours, theirs))}",
        ),
    ]


def _most(ours: dict[str, frozenset[int]], theirs: dict[str, frozenset[int]]) -> list[str]:
    """The rules with the most matches of one side only."""
    apart = {
        rule_id: len(ours.get(rule_id, frozenset()) ^ theirs.get(rule_id, frozenset())) for rule_id in ours | theirs
    }
    return [f"{rule_id} ({apart[rule_id]})" for rule_id in sorted(apart, key=lambda each: -apart[each])[:MOST_SHOWN]]


def _by_rule(imported: Imported, matcher: Matcher, sample: Sequence[Event]) -> dict[str, frozenset[int]]:
    """The numbers of the events that each rule matches, by the id that it has in Sigma."""
    sigma_ids = {made.body["id"]: made.sigma_id for made in imported.rules}
    found: dict[str, set[int]] = {}
    for number, event in enumerate(sample):
        for match in matcher.match(event):
            found.setdefault(sigma_ids[match.rule_id], set()).add(number)
    return {rule_id: frozenset(numbers) for rule_id, numbers in found.items()}


def _records() -> Iterator[dict[str, Any]]:
    for name, step in (("evtx-mitre", 1), ("otrf", OTRF_STEP)):
        with gzip.open(SHARED / "windows" / f"{name}.jsonl.gz") as lines:
            for line in islice(lines, 0, None, step):
                yield orjson.loads(line)["event"]


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.process_time()
    return work(), time.process_time() - began


def _fastest(rules: Sequence[Rule], sample: Sequence[Event], by: Callable[[Cost], float]) -> tuple[Cost, Cost]:
    tried = [passes(rules, sample) for _ in range(TRIES)]
    first, again = (min(each, key=by) for each in zip(*tried, strict=True))
    return first, again


def _growth(rules: Sequence[Rule], sample: Sequence[Event]) -> tuple[Cost, Cost]:
    """What an event costs with many rules and with few of them."""
    drawn = [random.Random(draw).sample(rules, MANY) for draw in range(DRAWS)]
    both = operator.attrgetter("both")
    pairs = [(_fastest(many, sample, both)[0], _fastest(many[:FEW], sample, both)[0]) for many in drawn]
    return max(pairs, key=lambda pair: pair[0].both / pair[1].both)


def _plain(rules: Sequence[Rule], matcher: Matcher, events: Sequence[Event]) -> tuple[float, bool]:
    """Events a second by each rule's predicate in turn, and whether the matcher finds the same."""
    predicates = [(rule.id, to_predicate(parse(rule.queries[0].full_query))) for rule in rules]
    began = time.process_time()
    plainly = [[rule_id for rule_id, holds in predicates if holds(event)] for event in events]
    rate = len(events) / (time.process_time() - began)
    matched = [list(dict.fromkeys(match.rule_id for match in matcher.match(event))) for event in events]
    return rate, plainly == matched


def _swap(matcher: Matcher, rules: Sequence[Rule], sample: Sequence[Event]) -> float:
    """Seconds until the first event has been matched by the changed rules."""
    query = replace(rules[0].queries[0], query="source:windows ANYCASE(@process.command_line, *swapped*)")
    changed = [replace(rules[0], version=2, queries=(query,)), *rules[1:]]
    _, seconds = _timed(lambda: matcher.with_rules(changed).match(sample[0]))
    return seconds


if __name__ == "__main__":
    from bench.table import show

    show(run(), "sigma")
