"""The new value method: examples of each rule of siem.md §2.14, and the plain reference that holds it."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from agreement import agrees
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.errors import BadRequest
from tocsin.evaluate.decision import Decision, MatchRow, position
from tocsin.evaluate.history import baseline
from tocsin.evaluate.method import decide
from tocsin.evaluate.new_value import plan
from tocsin.rule import Rule, RuleCase, RuleOptions, RuleQuery

DAY = 86_400_000
HOUR = 3_600_000


def rule(*, keep_alive: int = 0, maximum: int = 86400, group_signals_by: tuple[str, ...] = (), **options: Any) -> Rule:
    query = RuleQuery("a", "*", aggregation="new_value", group_by_fields=("@usr.id", "host"), metrics=("@country",))
    return Rule(
        id="aaa-bbb-ccc",
        name="New country",
        message="",
        queries=(query,),
        cases=(RuleCase("low"),),
        options=RuleOptions(
            detection_method="new_value",
            evaluation_window=0,
            keep_alive=keep_alive,
            max_signal_duration=maximum,
            method_options={"newValueOptions": {"forgetAfter": 7, **options}},
        ),
        group_signals_by=group_signals_by,
    )


AT_ONCE = {"learningMethod": "threshold"}


def at(day: float, country: str, user: str = "bob", **more: Any) -> MatchRow:
    timestamp = round(day * DAY)
    return MatchRow(timestamp, more.pop("id", f"e{timestamp:011d}"), (user, "web"), 0, country, **more)


def new(a_rule: Rule, *rows: MatchRow) -> list[tuple[float, tuple[str, ...]]]:
    return [(found.timestamp / DAY, found.queries[0].distinct_values) for found in decide(plan(a_rule), rows)]


def test_learns_silently_for_the_learning_duration() -> None:
    rows = [at(0, "DE"), at(1.5, "FR"), at(2, "US"), at(3, "US"), at(3.5, "FR")]
    assert new(rule(learningDuration=2), *rows) == [(2, ("US",))]
    assert new(rule(), *rows) == [(1.5, ("FR",)), (2, ("US",))]  # one day is the default


def test_duration_of_zero_learns_from_the_first_event_only() -> None:
    rows = [at(0, "DE", id="a"), at(0, "FR", id="b"), at(0.1, "DE")]
    assert new(rule(learningDuration=0), *rows) == [(0, ("FR",))]


def test_threshold_zero_tells_every_value_and_one_all_but_the_first() -> None:
    rows = [at(0, "DE"), at(0.5, "FR"), at(0.6, "DE")]
    assert new(rule(**AT_ONCE), *rows) == [(0, ("DE",)), (0.5, ("FR",))]
    assert new(rule(learningThreshold=1, **AT_ONCE), *rows) == [(0.5, ("FR",))]


def test_forgotten_value_is_new_again() -> None:
    rows = [at(0, "DE"), at(6.99, "DE"), at(13.98, "DE"), at(20.98, "DE")]
    assert new(rule(**AT_ONCE), *rows) == [(0, ("DE",)), (20.98, ("DE",))]


def test_scope_that_was_silent_for_30_days_learns_anew() -> None:
    rows = [at(0, "DE"), at(2, "FR"), at(32, "US"), at(32.5, "IT"), at(33, "PL")]
    assert new(rule(), *rows) == [(2, ("FR",)), (33, ("PL",))]


def test_each_scope_learns_by_itself_unless_all_learn_together() -> None:
    bob, eve = [at(0, "DE"), at(5, "US")], [at(4, "DE", "eve"), at(4.5, "US", "eve")]
    assert new(rule(), *bob, *eve) == [(5, ("US",))]
    together = replace(rule(learnPerGroup=False), updated_at=2 * DAY)
    assert new(together, *bob) == [(5, ("US",))]
    assert new(together, *eve) == [(4, ("DE",)), (4.5, ("US",))]
    assert new(replace(together, updated_at=4 * DAY), *bob, *eve) == [(5, ("US",))]
    assert decide(plan(together).learning_since(4 * DAY), eve) == []  # an earlier version with the same queries


def test_tuple_of_several_metrics_is_one_value_and_an_event_may_have_several() -> None:
    rows = [
        at(0, "DE\x1fBerlin"),
        at(2, "DE\x1fBonn"),
        at(3, "FR", id="x"),
        at(3, "IT", id="x"),
        at(3, "DE\x1fBonn", id="x"),
    ]
    found = decide(plan(rule()), rows)
    assert [signal.facts["new_value"]["values"] for signal in found] == [["DE, Bonn"], ["FR", "IT"]]
    assert [signal.facts["new_value"]["recent_values"] for signal in found] == [
        ["DE, Berlin"],
        ["DE, Bonn", "DE, Berlin"],
    ]
    assert found[1].verdict.values == (2.0,)
    assert found[1].events_matched == 1


def test_keep_alive_gathers_new_values_in_one_signal() -> None:
    rows = [at(0, "DE"), at(2, "FR"), at(2.01, "IT"), at(2.02, "FR"), at(2.5, "PL")]
    found = decide(plan(rule(keep_alive=3600)), rows)
    assert [(signal.hits, signal.queries[0].distinct_values) for signal in found] == [(2, ("FR", "IT")), (1, ("PL",))]


def test_history_of_an_earlier_version_teaches_and_opens_nothing() -> None:
    rows = [at(0, "DE", is_history=True), at(2, "FR", is_history=True), at(3, "FR"), at(4, "US")]
    assert new(rule(), *rows) == [(4, ("US",))]
    # The same event under both versions is the newer one's.
    assert new(rule(), at(0, "DE"), at(2, "FR", is_history=True), at(2, "FR")) == [(2, ("FR",))]


def test_memory_forgets_what_it_need_not_know() -> None:
    machine = plan(rule()).machine()
    machine.feed([at(number / 100, f"v{number}") for number in range(2_500)])
    assert machine.entries < 2_000
    twin = machine.copy()
    twin.feed([at(25.5, "another")])
    told = twin.decisions()[-1].facts["new_value"]
    assert (told["known_values"], "recent_values" in told) == (100, False)  # of 649: told up to 100


def test_baseline_is_the_queries_and_not_the_message() -> None:
    a_rule = rule()
    assert baseline(a_rule) == baseline(replace(a_rule, message="other", name="other", cases=(RuleCase("high"),)))
    query = a_rule.queries[0]
    changed = ({"query": "a:b"}, {"metrics": ("@city",)}, {"group_by_fields": ()}, {"custom_query_extension": "a:b"})
    for change in changed:
        assert baseline(a_rule) != baseline(replace(a_rule, queries=(replace(query, **change),)))


def test_what_cannot_be_decided_is_refused() -> None:
    a_rule = rule()
    with pytest.raises(BadRequest, match="forgetAfter is missing"):
        plan(replace(a_rule, options=replace(a_rule.options, method_options={})))
    with pytest.raises(BadRequest, match="exactly one"):
        plan(replace(a_rule, cases=()))
    with pytest.raises(BadRequest, match="1 to 5 metrics"):
        plan(replace(a_rule, queries=(replace(a_rule.queries[0], metrics=()),)))


# The plain reference


def hits(a_rule: Rule, rows: list[MatchRow]) -> list[tuple[int, str, set[str]]]:
    """The words of the specification, one event after the other: (time, event, new values)."""
    options = a_rule.options.method_options["newValueOptions"]
    found: dict[tuple[int, str], set[str]] = {}
    for at in sorted({position(row) for row in rows}):
        now = at[0]
        for scope in {row.group for row in rows if position(row) == at}:
            of_scope = [row for row in rows if row.group == scope]
            before = [row for row in of_scope if position(row) < at]
            times = [*sorted(row.timestamp for row in before), now]
            began = max([times[0], *(late for early, late in pairwise(times) if late - early >= 30 * DAY)])
            is_first = not [row for row in before if row.timestamp > now - 30 * DAY]
            if options["learningMethod"] == "threshold":
                learning = options["learningThreshold"] == 1 and is_first
            elif options["learningDuration"] == 0:
                learning = is_first
            elif options["learnPerGroup"]:
                learning = now - began < options["learningDuration"] * DAY
            else:
                learning = now < a_rule.updated_at + options["learningDuration"] * DAY
            known = {row.distinct for row in before if now - row.timestamp < options["forgetAfter"] * DAY}
            fresh = {row.distinct or "" for row in of_scope if position(row) == at and not row.is_history} - known
            if fresh and not learning:
                found.setdefault(at, set()).update(fresh)
    return [(*at, values) for at, values in sorted(found.items())]


def reference(a_rule: Rule, rows: list[MatchRow]) -> list[tuple[str, int, int, set[str]]]:
    signals: list[tuple[str, int, int, set[str]]] = []
    for now, event_id, values in hits(a_rule, rows):
        opened_by, opened_at, last_hit, gathered = signals[-1] if signals else ("", 0, 0, set())
        is_open = (
            bool(signals)
            and now - last_hit < a_rule.keep_alive_ms
            and now - opened_at // 1000 * 1000 <= a_rule.max_signal_duration_ms
        )
        if is_open:
            signals[-1] = (opened_by, opened_at, now, gathered | values)
        else:
            signals.append((event_id, now, now, values))
    return signals


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    keep_alive, maximum = draw(st.sampled_from([(0, 0), (0, 86400), (3600, 86400), (86400, 86400)]))
    a_rule = rule(
        keep_alive=keep_alive,
        maximum=maximum,
        group_signals_by=draw(st.sampled_from([(), ("host",)])),
        learningMethod=draw(st.sampled_from(["duration", "duration", "threshold"])),
        learningDuration=draw(st.sampled_from([0, 1, 7, 30])),
        learningThreshold=draw(st.sampled_from([0, 1])),
        learnPerGroup=draw(st.sampled_from([True, True, False])),
        forgetAfter=draw(st.sampled_from([1, 7, 30])),
    )
    return replace(a_rule, updated_at=20 * DAY)


@st.composite
def matches(draw: st.DrawFn) -> list[MatchRow]:
    """Matches of two users on one host, gaps about the lengths that matter, several values, some of other versions."""
    rows = []
    now = 10 * DAY + draw(st.integers(0, 5_000))
    gaps = [0, 1, HOUR - 1, HOUR, 6 * HOUR, DAY - 1, DAY, 7 * DAY - 1, 7 * DAY, 29 * DAY, 30 * DAY - 1, 30 * DAY]
    for number in range(draw(st.integers(0, 20))):
        now += draw(st.sampled_from(gaps))
        event_id = f"{draw(st.integers(0, 3))}-{number}"
        is_history = draw(st.sampled_from([False, False, False, True]))
        for user in draw(st.sampled_from([("ann",), ("bob",), ("ann", "bob")])):
            for value in draw(st.sampled_from(["x", "y", "z", "xy"])):
                rows.append(MatchRow(now, event_id, (user, "web"), 0, value, None, is_history))
    return rows


@settings(max_examples=70, deadline=None)
@given(rules(), matches(), st.data())
def test_agrees_with_the_reference_whatever_happens(a_rule: Rule, rows: list[MatchRow], data: st.DataObject) -> None:
    if not a_rule.group_signals_by:
        rows = [row for row in rows if row.group[0] == "ann"]

    def view(decision: Decision) -> tuple[str, int, int, set[str]]:
        values = set(decision.queries[0].distinct_values)
        assert decision.queries[0].value == len(values)
        assert decision.events_matched == decision.hits
        return (decision.opened_by, decision.timestamp, decision.last_hit, values)

    agrees(plan(a_rule), rows, data, lambda rows: reference(a_rule, rows), view)
