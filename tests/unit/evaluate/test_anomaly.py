"""The anomaly method: examples of each rule of siem.md §2.15, and the plain reference that holds it."""

import math
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from agreement import agrees
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.errors import BadRequest
from tocsin.evaluate.anomaly import plan, read_percentile
from tocsin.evaluate.decision import Decision, MatchRow, position
from tocsin.evaluate.method import decide
from tocsin.rule import SEVERITIES, Rule, RuleCase, RuleOptions, RuleQuery

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MONDAY = 1_767_571_200_000  # 2026-01-05


def rule(
    *cases: tuple[str, str],
    aggregation: str = "count",
    window: int = 1800,
    keep_alive: int = 3600,
    maximum: int = 86400,
    group_signals_by: tuple[str, ...] = (),
    **options: Any,
) -> Rule:
    query = RuleQuery(
        "a", "*", aggregation=aggregation, group_by_fields=("@usr.id", "host"), distinct_fields=("@network.client.ip",)
    )
    return Rule(
        id="aaa-bbb-ccc",
        name="More than usual",
        message="",
        queries=(query,),
        cases=tuple(RuleCase(status, condition) for status, condition in cases or [("high", "a > 0.995")]),
        options=RuleOptions(
            detection_method="anomaly_detection",
            evaluation_window=window,
            keep_alive=keep_alive,
            max_signal_duration=maximum,
            method_options={"anomalyDetectionOptions": options},
        ),
        group_signals_by=group_signals_by,
    )


def events(at: float, number: int, user: str = "bob", **more: Any) -> list[MatchRow]:
    """So many events, a second apart, from this time on (ms after the Monday)."""
    start = MONDAY + round(at)
    times = range(start, start + number * 1000, 1000)
    return [MatchRow(time, f"{user}{time}", (user, "web"), 0, **more) for time in times]


def usual(days: float, each: int = 2, every: int = 30 * MINUTE) -> list[MatchRow]:
    """Two events each half hour."""
    return [row for at in range(0, round(days * DAY), every) for row in events(at, each)]


def signals(a_rule: Rule, rows: list[MatchRow], since: float = 0) -> list[Decision]:
    """The signals from this time (ms after the Monday) on."""
    return [signal for signal in decide(plan(a_rule), rows) if signal.timestamp >= MONDAY + since]


def test_spike_over_what_is_usual() -> None:
    (signal,) = signals(rule(), [*usual(2), *events(2 * DAY, 20)])
    told = signal.facts["anomaly"]
    # 2 in each of the six buckets of the window make 12; half of that over the bound of the spike's bucket is too much.
    assert told["bound"] == 12
    assert told["value"] == 8
    assert told["excess"] == 0.5
    assert (told["percentile"], told["history_buckets"], told["is_seasonal"]) == (0.995, 571, False)
    assert signal.timestamp == MONDAY + 2 * DAY + 7_000
    assert signal.events_matched == 20
    assert signals(rule(), [*usual(2), *events(2 * DAY, 7)]) == []


@pytest.mark.parametrize(("tolerance", "needed"), [(1, 4), (2, 5), (3, 8), (4, 14), (5, 26)])
def test_higher_tolerance_needs_more(tolerance: int, needed: int) -> None:
    a_rule = rule(detectionTolerance=tolerance)
    assert len(signals(a_rule, [*usual(2), *events(2 * DAY, needed)])) == 1
    assert signals(a_rule, [*usual(2), *events(2 * DAY, needed - 1)]) == []


def test_drop_is_no_anomaly() -> None:
    assert signals(rule(), [*usual(2), *events(3 * DAY, 1)]) == []


def test_stays_open_while_anomalous_and_closes_after() -> None:
    busy = [row for at in range(0, HOUR // 2, 5 * MINUTE) for row in events(2 * DAY + at, 20)]
    (signal,) = signals(rule(), [*usual(2), *busy])
    assert signal.events_matched == len(busy)
    assert signal.closes_at == signal.last_seen + HOUR


def test_new_scope_is_silent_while_it_learns() -> None:
    spike = events(23 * HOUR, 50)
    assert signals(rule(), [*events(0, 1), *spike]) == []
    assert len(signals(rule(learningDuration=12), [*events(0, 1), *spike])) == 1
    assert len(signals(rule(), [*events(0, 1), *events(24 * HOUR, 50)])) == 1


def test_baseline_bounds_while_learning() -> None:
    a_rule = rule(learningPeriodBaseline=10)
    (signal,) = signals(a_rule, [*events(0, 1), *events(HOUR, 50)])
    assert (signal.facts["anomaly"]["bound"], signal.facts["anomaly"]["value"]) == (60, 40)
    assert signal.facts["anomaly"]["history_buckets"] == 0


def test_silence_of_14_days_makes_a_scope_new() -> None:
    assert signals(rule(), [*usual(2), *events(16 * DAY, 50)]) == []
    assert len(signals(rule(), [*usual(2), *events(15 * DAY, 50)])) == 1


def test_time_of_day_counts_after_a_week() -> None:
    nightly = [row for day in range(12) for row in events(day * DAY + 2 * HOUR, 30)]
    quiet = [row for day in range(12) for row in events(day * DAY + 14 * HOUR, 1)]
    a_rule = rule()
    # From the eighth day on, thirty events at two o'clock are no surprise, though 99.6 % of all buckets have none. On
    # the second Saturday (12) it is the last weekend that counts.
    assert signals(a_rule, [*nightly, *quiet, *events(12 * DAY + 2 * HOUR, 30)], 9 * DAY) == []
    (signal,) = signals(a_rule, [*nightly, *quiet, *events(12 * DAY + 14 * HOUR, 30)], 9 * DAY)
    assert signal.facts["anomaly"]["is_seasonal"]
    assert signal.facts["anomaly"]["history_buckets"] == 12 * 288 + 14 * 12 - 24 - 5
    workdays = [row for row in nightly if (row.timestamp - MONDAY) // DAY % 7 < 5]
    assert len(signals(a_rule, [*workdays, *quiet, *events(12 * DAY + 2 * HOUR, 30)], 9 * DAY)) == 1


def test_different_values_are_counted() -> None:
    spread = [row._replace(distinct=f"ip{number}") for number, row in enumerate(events(2 * DAY, 20))]
    before = [row._replace(distinct="ip") for row in usual(2)]
    same = [row._replace(distinct="ip") for row in events(2 * DAY, 20)]
    assert signals(rule(aggregation="cardinality"), [*before, *same]) == []
    (signal,) = signals(rule(aggregation="cardinality"), [*before, *spread])
    assert (signal.facts["anomaly"]["bound"], signal.facts["anomaly"]["value"]) == (6, 4)


def test_first_case_that_holds_decides() -> None:
    nightly = [row for day in range(3) for row in events(day * DAY, 30)]
    a_rule = rule(("high", "a > 0.9999"), ("low", "a > 0.99"))
    (signal,) = signals(a_rule, [*usual(3), *nightly, *events(3 * DAY, 25)], 3 * DAY)
    assert signal.verdict.case_index == 1
    (signal,) = signals(a_rule, [*usual(3), *nightly, *events(3 * DAY, 130)], 3 * DAY)
    assert [verdict.case_index for verdict in signal.verdicts] == [1, 0]
    assert signal.facts["anomaly"]["percentile"] == 0.9999


def test_conditions_are_percentiles() -> None:
    assert read_percentile("", ("a",)) == (0, Fraction(995, 1000))
    assert read_percentile("b > 0.9", ("a", "b")) == (1, Fraction(9, 10))
    for wrong in ("a > 1", "a >= 0.9", "a > 0.9 || b > 0.9", "a > 0.9 then b > 0.9"):
        with pytest.raises(BadRequest, match=r"is no percentile; write a > 0\.995"):
            read_percentile(wrong, ("a", "b"))
    with pytest.raises(BadRequest, match="anomaly rules know count, cardinality"):
        plan(rule(aggregation="sum"))


# The plain reference: the words of the specification, one event after the other


def fires(a_rule: Rule, rows: list[MatchRow], at: tuple[int, str], scope: tuple[str, ...], case: str) -> bool:
    options = a_rule.options.method_options["anomalyDetectionOptions"]
    bucket_ms = options["bucketDuration"] * 1000
    seen = [row for row in rows if row.group == scope and position(row) <= at]
    times = sorted({row.timestamp for row in seen})
    first = max([times[0], *(late for early, late in pairwise(times) if late - early >= 14 * DAY)])
    now = at[0] // bucket_ms
    buckets = max(1, math.ceil(a_rule.window_ms / bucket_ms))
    window = range(now - buckets + 1, now + 1)
    history = [b for b in range(window[0] - 14 * DAY // bucket_ms, window[0]) if b >= first // bucket_ms]

    def value(bucket: int) -> int:
        inside = [row for row in seen if row.timestamp // bucket_ms == bucket]
        if a_rule.queries[0].aggregation == "cardinality":
            return len({row.distinct for row in inside})
        return len({row.event_id for row in inside})

    def near(one: int, other: int) -> bool:
        apart = abs(one - other) * bucket_ms % DAY
        same_kind = [(b * bucket_ms // DAY + 3) % 7 >= 5 for b in (one, other)]
        return min(apart, DAY - apart) <= HOUR and same_kind[0] == same_kind[1]

    values = {bucket: value(bucket) for bucket in {row.timestamp // bucket_ms for row in seen}}

    def bound(bucket: int) -> int:
        if at[0] - first < options["learningDuration"] * HOUR or not history:
            return max(1, options["learningPeriodBaseline"])
        among = [b for b in history if len(history) * bucket_ms < 7 * DAY or near(b, bucket)]
        counts = sorted(values.get(b, 0) for b in among)
        share = Fraction(case.removeprefix("a > "))
        return max(1, next(v for i, v in enumerate(counts, 1) if Fraction(i, len(counts)) >= share))

    is_new = at[0] - first < options["learningDuration"] * HOUR or not history
    if is_new and options.get("learningPeriodBaseline") is None:
        return False
    bounds = [bound(bucket) for bucket in window]
    over = sum(max(0, values.get(bucket, 0) - high) for bucket, high in zip(window, bounds, strict=True))
    limit = {1: "0.10", 2: "0.25", 3: "0.5", 4: "1", 5: "2"}[options["detectionTolerance"]]
    return over >= Fraction(limit) * sum(bounds)


def reference(a_rule: Rule, rows: list[MatchRow]) -> list[tuple[str, int, int, int, int]]:
    signals: list[dict[str, Any]] = []
    bucket_ms = plan(a_rule).bucket_ms
    buckets = plan(a_rule).window_buckets
    for at in sorted({position(row) for row in rows}):
        hits = []
        for scope in {row.group for row in rows if position(row) == at and not row.is_history}:
            for index, case in enumerate(a_rule.cases):
                if fires(a_rule, rows, at, scope, case.condition):
                    start = (at[0] // bucket_ms - buckets + 1) * bucket_ms
                    inside = {position(row) for row in rows if row.group == scope and row.timestamp >= start}
                    hits.append((index, {event for event in inside if event <= at}))
                    break
        if not hits:
            continue
        now = signals[-1] if signals else None
        if now is not None:
            began = max(min(now["evidence"])[0], now["at"] - a_rule.window_ms) // 1000 * 1000
            if at[0] - now["last"] >= a_rule.keep_alive_ms or at[0] - began > a_rule.max_signal_duration_ms:
                now = None
        if now is None:
            now = {"by": at[1], "at": at[0], "case": -1, "evidence": set()}
            signals.append(now)
        now["last"] = at[0]
        for _, evidence in hits:
            now["evidence"] |= evidence
        case = max((index for index, _ in hits), key=lambda i: (SEVERITIES.index(a_rule.cases[i].severity), -i))
        levels = [SEVERITIES.index(a_rule.cases[i].severity) for i in (case, now["case"])]
        if now["case"] < 0 or levels[0] > levels[1]:
            now["case"] = case
    return [(s["by"], s["at"], s["last"], s["case"], len(s["evidence"])) for s in signals]


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    window, keep_alive, maximum = draw(st.sampled_from([(0, 0, 0), (3600, 3600, 86400), (21600, 21600, 86400)]))
    baseline = draw(st.sampled_from([{}, {"learningPeriodBaseline": 0}, {"learningPeriodBaseline": 3}]))
    return rule(
        *draw(st.sampled_from([[("low", "a > 0.9")], [("low", "a > 0.6"), ("high", "a > 0.3")]])),
        aggregation=draw(st.sampled_from(["count", "cardinality"])),
        window=window,
        keep_alive=keep_alive,
        maximum=maximum,
        group_signals_by=draw(st.sampled_from([(), ("host",)])),
        bucketDuration=draw(st.sampled_from([3600, 10800])),
        learningDuration=draw(st.sampled_from([1, 24, 336])),
        detectionTolerance=draw(st.integers(1, 5)),
        **baseline,
    )


@st.composite
def matches(draw: st.DrawFn) -> list[MatchRow]:
    """Matches of two users on one host: bursts, and silences about the lengths that matter."""
    rows = []
    now = MONDAY + draw(st.integers(0, 5_000))
    gaps = [0, 1, 1000, 1000, MINUTE, MINUTE, HOUR - 1, HOUR, 3 * HOUR, 22 * HOUR, DAY, DAY, 6 * DAY, 7 * DAY]
    for number in range(draw(st.integers(0, 25))):
        now += draw(st.sampled_from([*gaps, 14 * DAY - 1, 14 * DAY]))
        event_id = f"{draw(st.integers(0, 3))}-{number}"
        is_history = draw(st.sampled_from([False, False, False, True]))
        value = draw(st.sampled_from("xyz"))
        for user in draw(st.sampled_from([("ann",), ("ann",), ("bob",), ("ann", "bob")])):
            rows.append(MatchRow(now, event_id, (user, "web"), 0, value, None, is_history))
    return rows


@settings(max_examples=35, deadline=None)
@given(rules(), matches(), st.data())
def test_agrees_with_the_reference_whatever_happens(a_rule: Rule, rows: list[MatchRow], data: st.DataObject) -> None:
    if not a_rule.group_signals_by:
        rows = [row for row in rows if row.group[0] == "ann"]

    def view(found: Decision) -> tuple[str, int, int, int, int]:
        return (found.opened_by, found.timestamp, found.last_hit, found.verdict.case_index, found.events_matched)

    agrees(plan(a_rule), rows, data, lambda rows: reference(a_rule, rows), view)


def test_bounds_are_computed_once_a_bucket() -> None:
    machine = plan(rule()).machine()
    machine.feed(usual(10))
    assert machine.entries < 600
    twin = machine.copy()
    twin.feed(events(10 * DAY, 20))
    assert machine.decisions() == []
    assert twin.decisions() == signals(replace(rule()), [*usual(10), *events(10 * DAY, 20)])
