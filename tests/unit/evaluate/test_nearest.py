"""How near a rule came to firing, held to what the engine itself decides."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.method import decide
from tocsin.evaluate.methods import plan
from tocsin.evaluate.nearest import nearest
from tocsin.rule import Rule, RuleCase, RuleOptions, RuleQuery

HOUR = 3_600_000
DAY = 24 * HOUR


def threshold(*conditions: str, window: int = 60) -> Rule:
    return Rule(
        id="r",
        name="n",
        message="m",
        queries=(
            RuleQuery("a", "*", group_by_fields=("@u",)),
            RuleQuery("b", "*", group_by_fields=("@u",), aggregation="max", metrics=("@x",)),
        ),
        cases=tuple(RuleCase("low", condition) for condition in conditions),
        options=RuleOptions(evaluation_window=window, keep_alive=300, max_signal_duration=3600),
    )


def match(second: float, index: int = 0, value: float | None = None, user: str = "bob", **more: str) -> MatchRow:
    return MatchRow(int(second * 1000), f"e{second:08.3f}", (user,), index, more.get("text"), value)


def test_the_best_moment_and_what_lacked() -> None:
    rows = [*(match(second) for second in (0, 10, 20, 30)), match(200), match(230)]
    found = nearest(plan(threshold("a > 5")), rows, 0, HOUR)
    assert found is not None
    (check,) = found.checks
    assert (found.at, found.event_id, found.window_events) == (30_000, "e0030.000", 4)
    assert (check.name, check.value, check.operator, check.wanted, check.holds, check.missing) == (
        "a",
        4.0,
        ">",
        5.0,
        False,
        2.0,
    )
    later = nearest(plan(threshold("a > 5")), rows, 100_000, HOUR)
    assert later is not None and (later.at, later.checks[0].value) == (230_000, 2.0)


def test_and_or_and_a_query_without_a_value() -> None:
    rows = [match(0), match(1), match(2, 1, value=7.0)]
    found = nearest(plan(threshold("a > 1 && b >= 10")), rows, 0, HOUR)
    assert found is not None
    assert [(check.holds, check.missing) for check in found.checks] == [(True, 0.0), (False, 3.0)]
    either = nearest(plan(threshold("a > 100 || b >= 7.5")), rows, 0, HOUR)
    assert either is not None and math.isclose(either.distance, 0.5 / 7.5)
    without = nearest(plan(threshold("b > 1")), rows[:2], 0, HOUR)
    assert without is not None and without.checks[0].value is None and without.checks[0].missing is None


def test_the_nearest_of_several_cases_and_of_none() -> None:
    found = nearest(plan(threshold("a > 100", "a > 3")), [match(0), match(1)], 0, HOUR)
    assert found is not None and found.case_index == 1
    assert nearest(plan(threshold("a > 3")), [], 0, HOUR) is None
    assert nearest(plan(threshold("a > 3")), [match(1)], 2_000, HOUR) is None


def test_then_tells_which_stage_did_not_come() -> None:
    rows = [match(0, 1, value=5.0), match(1), match(2)]
    found = nearest(plan(threshold("a > 1 then b > 0")), rows, 0, HOUR)
    assert found is not None
    assert [(check.name, check.holds) for check in found.checks] == [("a", True), ("b", False)]
    first = nearest(plan(threshold("a > 5 then b > 0")), rows, 0, HOUR)
    assert first is not None and [check.name for check in first.checks] == ["a"]
    assert first.distance > found.distance


seconds = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 1), st.sampled_from([1.0, 5.0, 9.0])), max_size=25)
conditions = st.sampled_from(
    ["a > 2", "a >= 3 && b > 4", "a < 1 || b == 5", "(a > 1 || b > 8) && b != 1", "a > 1 then b > 4", "a <= 0 && b > 0"]
)


@settings(max_examples=150, deadline=None)
@given(found=seconds, condition=conditions, window=st.sampled_from([0, 60, 300]))
def test_nothing_lacks_exactly_where_the_rule_fires(
    found: list[tuple[int, int, float]], condition: str, window: int
) -> None:
    rows = [match(second, index, value if index else None) for second, index, value in dict.fromkeys(found)]
    prepared = plan(threshold(condition, window=window))
    best = nearest(prepared, rows, 0, HOUR)
    decisions = decide(prepared, rows)
    assert (best is not None and best.distance == 0) == bool(decisions)
    if decisions and best is not None:
        assert best.at == decisions[0].timestamp
        assert all(check.missing is None or check.missing >= 0 for check in best.checks)


def learning(method: str, aggregation: str, condition: str, **options: object) -> Rule:
    return Rule(
        id="r",
        name="n",
        message="m",
        queries=(RuleQuery("a", "*", group_by_fields=("@u",), aggregation=aggregation, metrics=("@v",)),),
        cases=(RuleCase("low", condition),),
        options=RuleOptions(detection_method=method, evaluation_window=300, keep_alive=300, method_options=options),
    )


def test_anomaly_tells_the_excess_that_lacked() -> None:
    rule = learning("anomaly_detection", "count", "a > 0.995", anomalyDetectionOptions={"learningDuration": 1})
    usual = [match(60 * minute + offset) for minute in range(0, 360, 5) for offset in range(10)]
    many = [match(21_600 + offset / 10) for offset in range(12)]
    prepared = plan(rule)
    assert not decide(prepared, [*usual, *many])
    found = nearest(prepared, [*usual, *many], 21_600_000, 21_900_000)
    assert found is not None and found.facts is not None
    (check,) = found.checks
    assert (check.name, check.value, check.wanted) == ("excess", 0.2, 0.5)
    assert (found.facts["bound"], found.facts["value"]) == (10, 12)
    young = nearest(prepared, usual[:30], 0, HOUR)
    assert young is not None and young.reason == "learning" and young.facts is not None
    assert young.facts["learning_until"] == HOUR


def test_new_value_tells_that_it_was_known_or_learning() -> None:
    options = {"learningMethod": "duration", "learningDuration": 1, "forgetAfter": 2}
    rule = learning("new_value", "new_value", "", newValueOptions=options)
    rows = [match(0, text="x"), match(2 * 86_400, text="x"), match(2.5 * 86_400, text="x")]
    found = nearest(plan(rule), rows, 2 * DAY + 1, 3 * DAY)
    assert found is not None and found.facts is not None
    assert (found.reason, found.facts["value"], found.facts["last_seen"]) == ("known_value", "x", 2 * DAY)
    assert found.facts["forgotten_at"] == 4 * DAY
    young = nearest(plan(rule), rows[:1], 0, HOUR)
    assert young is not None and young.reason == "learning" and young.facts is not None
    assert young.facts["learning_until"] == DAY
    news = nearest(plan(rule), [*rows, match(2.6 * 86_400, text="y")], 2 * DAY + 1, 3 * DAY)
    assert news is not None and (news.reason, news.distance) == ("new", 0.0)
