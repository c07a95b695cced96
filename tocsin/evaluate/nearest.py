"""How near a rule came to firing: the moment at which its conditions lacked least, and what they lacked (design §9.5).

Each method is watched while its own machine decides: what is told is what the engine itself compared. A method without
an entry here says nothing about near misses, and `nearest` answers None. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from math import ceil, floor, inf
from typing import Any

from tocsin.evaluate.aggregates import SlidingTally
from tocsin.evaluate.anomaly import LIMITS, AnomalyMachine, AnomalyPlan
from tocsin.evaluate.condition import All, AnyOf, Comparison, Condition, Part
from tocsin.evaluate.content_anomaly import ContentAnomalyPlan
from tocsin.evaluate.decision import MatchRow, position
from tocsin.evaluate.method import Plan
from tocsin.evaluate.new_value import NewValueMachine, NewValuePlan
from tocsin.evaluate.sequence import SequencePlan, Step
from tocsin.evaluate.third_party import ThirdPartyPlan
from tocsin.evaluate.threshold import ThresholdMachine, ThresholdPlan
from tocsin.evaluate.travel import (
    MAX_SPEED_KMH,
    MIN_DISTANCE_KM,
    Access,
    TravelPlan,
    distance_km,
    is_impossible,
    speed_kmh,
)
from tocsin.evaluate.window import Window
from tocsin.event import Json

WHOLE = ("count", "cardinality")
"""Aggregations whose values are whole numbers: to be more than 5 takes 6."""


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison at a moment: `value` `operator` `wanted`. `missing` is what the value lacks, 0 if it holds."""

    name: str
    value: float | None
    operator: str
    wanted: float
    holds: bool
    missing: float | None


@dataclass(frozen=True, slots=True)
class Nearest:
    """The best moment (Unix milliseconds, at this event). `distance` is 0 where a case held, and rises with what
    lacked, relative to what was wanted. `reason` is one word of those that the documentation lists; `facts` what the
    method compared with."""

    at: int
    event_id: str
    group: tuple[str, ...]
    case_index: int
    checks: tuple[Check, ...]
    distance: float
    reason: str = "condition"
    window_events: int | None = None
    facts: Mapping[str, Json] | None = None


@singledispatch
def nearest(prepared: Plan, rows: Sequence[MatchRow], start: int, end: int) -> Nearest | None:
    """Of the moments in `[start, end)` (Unix milliseconds) the one at which the rule lacked least, the first of equals.

    `rows` are all matches of one signal group from `start - prepared.lookback_ms` on, in any order. None: there was no
    match in that time, or the method is not watched.
    """
    return None


class _Watch:
    """What is nearest of all that a machine looked at."""

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self.best: Nearest | None = None

    def look(self, seen: Nearest) -> None:
        if self.start <= seen.at < self.end and (self.best is None or seen.distance < self.best.distance):
            self.best = seen


# -- threshold, and what counts by its machine ------------------------------------------------------------------------


@nearest.register
def _(prepared: ThresholdPlan, rows: Sequence[MatchRow], start: int, end: int) -> Nearest | None:
    watch = _Watch(start, end)
    machine = prepared.machine(start)
    _watch_cases(prepared, machine, watch)
    machine.feed(sorted(rows, key=position))
    return watch.best


def _watch_cases(prepared: ThresholdPlan, machine: ThresholdMachine, watch: _Watch) -> None:

    def case(window: Window, values: tuple[float | None, ...]) -> None:
        at, event_id = machine.position or (0, "")
        for index, condition in enumerate(prepared.conditions):
            checks, distance = _lacking(prepared, condition, window, values, machine)
            events = len(window)
            watch.look(Nearest(at, event_id, window.group, index, checks, distance, window_events=events))

    machine.watch_case = case


def _lacking(
    prepared: ThresholdPlan,
    condition: Condition,
    window: Window,
    values: tuple[float | None, ...],
    machine: ThresholdMachine,
) -> tuple[tuple[Check, ...], float]:
    """Every comparison of a condition in a window, and how far the whole is from true."""
    labels = tuple(query.label for query in prepared.rule.queries)
    named = dict(zip(labels, values, strict=True))
    kinds = {query.label: query.aggregation for query in prepared.rule.queries}
    if not condition.is_sequence:
        checks = tuple(_check(one, named, kinds) for one in condition.comparisons)
        return checks, _distance(condition.stages[0], named, kinds)
    return _lacking_in_order(condition, window, machine, labels, kinds)


def _lacking_in_order(
    condition: Condition,
    window: Window,
    machine: ThresholdMachine,
    labels: tuple[str, ...],
    kinds: Mapping[str, str],
) -> tuple[tuple[Check, ...], float]:
    """Of a "then": the stages that became true one after the other, and what the next one lacked at its best."""
    entries = iter(window)
    after: int | None = None
    checks: list[Check] = []
    for number, stage in enumerate(condition.stages):
        tallies = [SlidingTally(query.aggregation) for query in machine.plan.rule.queries]
        best: tuple[float, dict[str, float | None]] = (inf, dict.fromkeys(labels))
        for entry in entries:
            if after is not None and entry.timestamp <= after:
                continue
            for part in entry.parts:
                tallies[part.query_index].enter(entry.serial, part.distinct, part.value)
            named = dict(zip(labels, machine._values(window.group, tallies), strict=True))
            if (distance := _distance(stage, named, kinds)) < best[0]:
                best = (distance, named)
            if stage.holds(named):
                after = entry.timestamp
                break
        if best[0] == inf:  # nothing came after the stage before
            best = (_distance(stage, dict.fromkeys(labels, 0.0), kinds), dict.fromkeys(labels, 0.0))
        checks += [_check(one, best[1], kinds) for one in _comparisons(stage)]
        if best[0] > 0:
            return tuple(checks), best[0] + len(condition.stages) - 1 - number
    return tuple(checks), 0.0


def _comparisons(part: Part) -> list[Comparison]:
    return [part] if isinstance(part, Comparison) else [one for inner in part.parts for one in _comparisons(inner)]


def _check(one: Comparison, named: Mapping[str, float | None], kinds: Mapping[str, str]) -> Check:
    value = named.get(one.label)
    holds = one.holds(named)
    missing = 0.0 if holds else _missing(one, value, is_whole=kinds.get(one.label) in WHOLE)
    return Check(one.label, value, one.operator, one.number, holds, missing)


def _missing(one: Comparison, value: float | None, *, is_whole: bool) -> float | None:
    """By how much the value has to change for the comparison to hold; None if there is no value."""
    if value is None:
        return None
    wanted = one.number
    if is_whole:
        wanted = {">": floor(wanted) + 1, ">=": ceil(wanted), "<": ceil(wanted) - 1, "<=": floor(wanted)}.get(
            one.operator, wanted
        )
    return abs(wanted - value) or 1.0


def _distance(part: Part, named: Mapping[str, float | None], kinds: Mapping[str, str]) -> float:
    """0 if it holds; one comparison lacks its share of what is wanted, `&&` adds, `||` takes the least."""
    if isinstance(part, All):
        return sum(_distance(inner, named, kinds) for inner in part.parts)
    if isinstance(part, AnyOf):
        return min(_distance(inner, named, kinds) for inner in part.parts)
    check = _check(part, named, kinds)
    if check.holds:
        return 0.0
    return 1.0 if check.missing is None else check.missing / max(abs(part.number), 1.0)


# -- anomaly ----------------------------------------------------------------------------------------------------------


@nearest.register
def _(prepared: AnomalyPlan, rows: Sequence[MatchRow], start: int, end: int) -> Nearest | None:
    watch = _Watch(start, end)
    machine = prepared.machine(start)

    def case(group: tuple[str, ...], timestamp: int) -> None:
        for index in range(len(prepared.cases)):
            if (seen := _excess(prepared, machine, group, timestamp, index)) is not None:
                watch.look(seen)

    machine.watch_case = case
    machine.feed(sorted(rows, key=position))
    return watch.best


def _excess(
    prepared: AnomalyPlan, machine: AnomalyMachine, group: tuple[str, ...], timestamp: int, index: int
) -> Nearest | None:
    """The excess over the bounds that the machine has just compared for a case."""
    query_index, percentile = prepared.cases[index]
    buckets = machine._buckets.get((group, query_index))
    if buckets is None or machine.position is None:
        return None
    limit = LIMITS[prepared.tolerance] / 100
    is_learning = timestamp < buckets.first + prepared.learning_ms
    bounds = buckets.bounds.get((percentile, is_learning)) or machine._bounds(buckets, percentile, is_learning)
    if bounds is None:
        until = max(buckets.first + prepared.learning_ms, timestamp + 1)
        facts = {"learning_until": until, "known_since": buckets.first}
        return Nearest(timestamp, machine.position[1], group, index, (), inf, "learning", facts=facts)
    count = buckets.counts[buckets.current]
    excess = (bounds.excess + max(0, count - bounds.last)) / bounds.total
    check = Check("excess", round(excess, 4), ">=", limit, excess >= limit, round(max(limit - excess, 0.0), 4))
    facts = machine._facts(bounds, count, bounds.excess + max(0, count - bounds.last), percentile)["anomaly"]
    distance = 0.0 if check.holds else (limit - excess) / limit
    return Nearest(timestamp, machine.position[1], group, index, (check,), distance, facts=facts)


# -- new value --------------------------------------------------------------------------------------------------------


@nearest.register
def _(prepared: NewValuePlan, rows: Sequence[MatchRow], start: int, end: int) -> Nearest | None:
    watch = _Watch(start, end)
    machine = prepared.machine()

    def learning(memory: Any, timestamp: int) -> None:
        watch.look(_learning(prepared, machine, memory, timestamp))

    def looked_up(memory: Any, met: list[MatchRow], found: tuple[str, ...]) -> None:
        for row in met:
            if not row.is_history:
                watch.look(_known(prepared, memory, row, is_new=(row.distinct or "") in found))

    machine.watch_learning, machine.watch_news = learning, looked_up
    machine.feed(sorted(rows, key=position))
    return watch.best


def _learning(prepared: NewValuePlan, machine: NewValueMachine, memory: Any, timestamp: int) -> Nearest:
    event_id = machine.position[1] if machine.position else ""
    since = prepared.began_at if prepared.began_at is not None else memory.first
    facts = {"learning_until": since + (prepared.learning_ms or 1), "known_since": since}
    return Nearest(timestamp, event_id, (), 0, (), inf, "learning", facts=facts)


def _known(prepared: NewValuePlan, memory: Any, row: MatchRow, *, is_new: bool) -> Nearest:
    """A value that was known is the nearer to news the longer ago it was last seen."""
    seen = memory.last_seen(row.distinct or "")
    if is_new or seen is None:
        return Nearest(row.timestamp, row.event_id, row.group, 0, (), 0.0, "new")
    left = seen + prepared.forget_ms - row.timestamp
    facts = {
        "value": (row.distinct or "").replace("\x1f", ", "),
        "last_seen": seen,
        "forgotten_at": seen + prepared.forget_ms,
    }
    distance = 1.0 + max(left, 0) / prepared.forget_ms
    return Nearest(row.timestamp, row.event_id, row.group, 0, (), distance, "known_value", facts=facts)


# -- content anomaly --------------------------------------------------------------------------------------------------


@nearest.register
def _(prepared: ContentAnomalyPlan, rows: Sequence[MatchRow], start: int, end: int) -> Nearest | None:
    """Logs that are unlike the others are counted as by a threshold; before that, how many a log was like."""
    watch = _Watch(start, end)
    machine = prepared.machine(start)
    _watch_cases(prepared, machine, watch)

    def compared(row: MatchRow, found: int) -> None:
        wanted = prepared.similar_items
        check = Check("similar_items", found, "<", wanted, found < wanted, max(found - wanted + 1, 0))
        distance = 1_000.0 + (check.missing or 0.0)  # any log that counts is nearer
        watch.look(Nearest(row.timestamp, row.event_id, row.group, 0, (check,), distance, "similar"))

    def learned(memory: Any, timestamp: int) -> None:
        if timestamp < memory.first + prepared.learning_ms and machine.position is not None:
            facts = {"learning_until": memory.first + prepared.learning_ms, "known_since": memory.first}
            watch.look(Nearest(timestamp, machine.position[1], (), 0, (), inf, "learning", facts=facts))

    machine.watch_similar, machine.watch_learned = compared, learned
    machine.feed(sorted(rows, key=position))
    return watch.best


# -- impossible travel ------------------------------------------------------------------------------------------------


@nearest.register
def _(prepared: TravelPlan, rows: Sequence[MatchRow], start: int, end: int) -> Nearest | None:
    watch = _Watch(start, end)
    machine = prepared.machine(start)

    def compared(group: tuple[str, ...], account: Any, before: Access, access: Access) -> None:
        watch.look(_travel(prepared, group, account, before, access))

    machine.watch_travel = compared
    machine.feed(sorted(rows, key=position))
    return watch.best


def _travel(prepared: TravelPlan, group: tuple[str, ...], account: Any, before: Access, access: Access) -> Nearest:
    elapsed = access.entry.timestamp - before.entry.timestamp
    kilometres = distance_km(before.place, access.place)
    checks = tuple(
        Check(name, round(value, 1), ">", wanted, value > wanted, round(max(wanted - value, 0.0), 1))
        for name, value, wanted in (
            ("distance_km", kilometres, float(MIN_DISTANCE_KM)),
            ("speed_kmh", speed_kmh(kilometres, elapsed), float(MAX_SPEED_KMH)),
        )
    )
    facts: dict[str, Json] = {
        "from": {"city": before.place.city, "country": before.place.country, "ip": before.place.ip},
        "to": {"city": access.place.city, "country": access.place.country, "ip": access.place.ip},
        "elapsed_seconds": elapsed / 1000,
    }
    distance, reason = sum((check.missing or 0.0) / check.wanted for check in checks), "possible"
    if is_impossible(kilometres, elapsed):
        is_expected = prepared.learning_ms is not None and account.is_expected(access, before, prepared.learning_ms)
        # What the baseline explains was nearer than anything that was possible.
        distance, reason = (1e-9, "expected") if is_expected else (0.0, "condition")
    at, event_id = access.entry.timestamp, access.entry.event_id
    return Nearest(at, event_id, group, 0, checks, distance, reason, facts=facts)


# -- third party ------------------------------------------------------------------------------------------------------


@nearest.register
def _(prepared: ThirdPartyPlan, rows: Sequence[MatchRow], start: int, end: int) -> Nearest | None:
    """An alert has no condition: each one that a query finds raises a signal, or joins one."""
    for row in sorted(rows, key=position):
        if start <= row.timestamp < end:
            case = row.query_index % len(prepared.rule.cases)
            return Nearest(row.timestamp, row.event_id, row.group, case, (), 0.0, "alert")
    return None


# -- sequence ---------------------------------------------------------------------------------------------------------


@nearest.register
def _(prepared: SequencePlan, rows: Sequence[MatchRow], start: int, end: int) -> Nearest | None:
    """How many steps were taken, and what the next one lacked. Where steps are linked by different fields the matches
    of all entities are one group, and nothing can be said about one of them."""
    if prepared.is_linked:
        return None
    watch = _Watch(start, end)
    machine = prepared.machine(start)
    labels = tuple(query.label for query in prepared.rule.queries)
    kinds = {query.label: query.aggregation for query in prepared.rule.queries}
    numbers = {step.name: number for number, step in enumerate(prepared.steps)}

    def held(step: Step, values: Sequence[float | None], found: bool) -> None:
        number, last = numbers[step.name], len(prepared.steps) - 1
        named = dict(zip(labels, values, strict=True))
        checks = tuple(_check(one, named, kinds) for one in step.condition.comparisons)
        lacks = 0.0 if found else min(_distance(step.condition.stages[0], named, kinds), 1.0)
        facts: dict[str, Json] = {"step": step.name, "number": number + 1, "steps": last + 1}
        reason = "condition"
        if found and number < last:
            following = prepared.steps[number + 1]
            facts |= {"next_step": following.name, "within_seconds": following.wait_ms // 1000}
            reason = "next_step"
        at, event_id = machine.position or (0, "")
        watch.look(Nearest(at, event_id, (), 0, checks, last - number + lacks, reason, facts=facts))

    machine.watch_step = held
    machine.feed(sorted(rows, key=position))
    return watch.best
