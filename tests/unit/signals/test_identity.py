"""Ids of signals and their severity."""

import pytest

from tocsin.rule import Rule, RuleCase, RuleOptions, RuleQuery
from tocsin.signals.identity import scope_key, signal_id
from tocsin.signals.repository import timestamp_of
from tocsin.signals.severity import severity

BORN = 1_767_225_600_123


def test_same_decision_has_the_same_id_and_another_has_another() -> None:
    made = signal_id("aaa-bbb-ccc", 1, ("bob",), "e1", BORN)
    assert made == signal_id("aaa-bbb-ccc", 1, ("bob",), "e1", BORN)
    others = {
        signal_id("aaa-bbb-ccd", 1, ("bob",), "e1", BORN),
        signal_id("aaa-bbb-ccc", 2, ("bob",), "e1", BORN),
        signal_id("aaa-bbb-ccc", 1, ("eve",), "e1", BORN),
        signal_id("aaa-bbb-ccc", 1, ("bob", ""), "e1", BORN),
        signal_id("aaa-bbb-ccc", 1, (), "e1", BORN),
        signal_id("aaa-bbb-ccc", 1, ("bob",), "e2", BORN),
    }
    assert len(others) == 6
    assert made not in others


def test_order_of_ids_follows_time() -> None:
    ids = [signal_id("aaa-bbb-ccc", 1, (), "e", at) for at in (0, 999, BORN, BORN + 1)]
    assert ids == sorted(ids)
    assert [timestamp_of(made) for made in ids] == [0, 999, BORN, BORN + 1]


@pytest.mark.parametrize("text", ["", "AwAAA", "nonsense", "AwAAAzzzzzzzzzzzz" + "0" * 24])
def test_other_texts_are_no_ids(text: str) -> None:
    assert timestamp_of(text) is None


def test_groups_do_not_run_together() -> None:
    assert scope_key("r", 1, ("a", "b")) != scope_key("r", 1, ("a\x1fb",))
    assert scope_key("r", 1, ()) != scope_key("r", 1, ("",))


@pytest.mark.parametrize(
    ("status", "tags", "expected"),
    [
        ("high", ["env:staging"], "medium"),
        ("high", ["env:STAGING-eu"], "medium"),
        ("high", ["Env:test", "env:dev2"], "medium"),
        ("high", ["env:production"], "high"),
        ("high", ["env:dev", "env:prod"], "high"),
        ("high", ["team:dev"], "high"),
        ("high", [], "high"),
        ("info", ["env:dev"], "info"),
        ("critical", ["env:dev"], "high"),
    ],
)
def test_environment_lowers_severity(status: str, tags: list[str], expected: str) -> None:
    rule = Rule(
        "r", "n", "m", (RuleQuery("a", "*"),), (RuleCase(status, "a > 0"),),
        RuleOptions(decrease_criticality_based_on_env=True),
    )  # fmt: skip
    found, adjustments = severity(rule, 0, tags)
    assert found == expected
    assert [(change.before, change.after) for change in adjustments] == (
        [(status, expected)] if found != status else []
    )
