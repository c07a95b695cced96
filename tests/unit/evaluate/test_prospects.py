"""The bound of a threshold rule: what it asks for, and when it says nothing."""

import pytest

from tocsin.evaluate.methods import plan
from tocsin.evaluate.prospects import AtLeast, Every, Some, bound, holds, least
from tocsin.rule import Rule, RuleCase, RuleOptions, RuleQuery


def rule(*conditions: str, aggregation: str = "count", window: int = 300) -> Rule:
    return Rule(
        id="aaa-bbb-ccc",
        name="Test",
        message="",
        queries=(RuleQuery("a", "*", aggregation=aggregation, metrics=("@n",)), RuleQuery("b", "*")),
        cases=tuple(RuleCase("high", condition) for condition in conditions),
        options=RuleOptions(evaluation_window=window),
    )


@pytest.mark.parametrize(
    ("conditions", "numbers", "can_fire"),
    [
        (["a > 5"], [5, 9], False),
        (["a > 5"], [6, 0], True),
        (["a >= 5"], [5, 0], True),
        (["a == 5"], [7, 0], True),
        (["a > 5 && b > 2"], [6, 2], False),
        (["a > 5 && b < 2"], [6, 100], True),
        (["a > 5 || b > 2"], [0, 3], True),
        (["a > 5", "b > 9"], [0, 10], True),
        (["a > 5 then b > 2"], [6, 2], False),
        (["a > 5 then b > 2"], [6, 3], True),
    ],
)
def test_reached(conditions: list[str], numbers: list[float], can_fire: bool) -> None:
    needed = bound(plan(rule(*conditions)))
    assert needed is not None
    assert holds(needed, numbers) is can_fire


@pytest.mark.parametrize("conditions", [["a > 0"], ["a >= 1 && b < 5"], ["a > 9", "b != 3"]])
def test_one_match_may_be_enough(conditions: list[str]) -> None:
    assert bound(plan(rule(*conditions))) is None


def test_a_sum_has_no_bound_and_an_instant_no_buckets() -> None:
    assert bound(plan(rule("a > 1000", aggregation="sum"))) is None
    assert bound(plan(rule("a > 5", window=0))) is None


def test_the_least_number_of_a_query() -> None:
    five, nine = AtLeast(0, 5, is_strict=False), AtLeast(0, 9, is_strict=True)
    assert least(AtLeast(0, 5, is_strict=True), 0) == 6
    assert least(AtLeast(0, 5.5, is_strict=True), 0) == 6
    assert least(AtLeast(0, 5.5, is_strict=False), 0) == 6
    assert least(Every((five, nine)), 0) == 10
    assert least(Some((five, nine)), 0) == 5
    assert least(Some(()), 0) == float("inf")
    other = AtLeast(1, 3, is_strict=False)
    assert [least(Every((five, other)), index) for index in (0, 1)] == [5, 3]
    assert [least(Some((five, other)), index) for index in (0, 1)] == [0, 0], "the other is enough"
