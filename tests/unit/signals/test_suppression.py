"""What is in force when, whom it is about, and what it hides (siem.md §5.2)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.event import Event
from tocsin.match import Matcher
from tocsin.rule import Rule, RuleCase, RuleQuery
from tocsin.rules.executable import excluding, executable
from tocsin.signal import Signal
from tocsin.signals.suppression import Suppression, Suppressions, selects, with_suppression

RULE = Rule(
    id="abc-def-ghi",
    name="Door rattled",
    message="m",
    queries=(RuleQuery("a", "source:door"), RuleQuery("b", "source:gate", custom_query_extension="-@test:true")),
    cases=(RuleCase("high", "a > 1"), RuleCase("low", "a > 0")),
    tags=("source:door", "team:soc"),
    version=3,
)

SIGNAL = Signal(
    id="s",
    rule_id=RULE.id,
    rule_version=3,
    group=("bob",),
    timestamp=1000,
    first_seen=1000,
    last_seen=1000,
    closes_at=2000,
    severity="low",
    case_index=1,
    title="Door rattled - some",
    message="bob rattled the door",
    events_matched=1,
    tags=("env:prod", "team:soc"),
    host=("gate-1", "gate-2"),
    custom={"usr": {"id": ["bob", "eve"]}, "title": "Door rattled - some", "workflow": {"rule": {"name": "Door"}}},
)


def suppression(**changes: Any) -> Suppression:
    made = Suppression(
        id="sup",
        version=1,
        name="agreed",
        is_enabled=True,
        rule_query="*",
        suppression_query="*",
        data_exclusion_query="",
        start=None,
        expires=None,
    )
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("query", "is_selected"),
    [
        ("*", True),
        ("ruleId:abc-def-ghi", True),
        ("ruleId:other", False),
        ("type:log_detection source:door", True),
        ("source:okta OR team:soc", True),
        ("severity:high", True),
        ("severity:low", False),
        ("-team:soc", False),
        ("rattled", True),
        ("source:(", False),
    ],
)
def test_which_rules_it_is_about(query: str, is_selected: bool) -> None:
    assert selects(query, RULE) is is_selected


@pytest.mark.parametrize(
    ("query", "is_hidden"),
    [
        ("@usr.id:bob", True),
        ("@usr.id:eve", True),
        ("-@usr.id:eve", False),
        ("host:gate-2", True),
        ("status:low env:prod", True),
        ("status:high", False),
        ('"rattled the door"', True),
        ("@workflow.rule.name:Door", True),
        ("@workflow.triage.state:open", True),
        ("some", True),
        ("@usr.id:(", False),
        ("", False),
    ],
)
def test_which_signals_it_hides(query: str, is_hidden: bool) -> None:
    found = Suppressions([suppression(suppression_query=query)]).hiding(RULE, SIGNAL, 5)
    assert bool(found) is is_hidden


def test_in_force_only_within_its_dates_and_until_it_is_replaced() -> None:
    bounded = suppression(start=10, expires=20, since=5, until=18)
    assert [at for at in range(25) if bounded.is_in_force(at)] == list(range(10, 18))
    assert not suppression(is_enabled=False).is_in_force(0)
    history = Suppressions([bounded, replace(bounded, version=2, is_enabled=False, since=18, until=None)])
    assert [at for at in range(25) if history.hiding(RULE, SIGNAL, at)] == list(range(10, 19))


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans(), st.integers(0, 50)), max_size=6), st.integers(0, 60))
def test_later_versions_change_nothing_about_the_past(saved: list[tuple[int, bool, int]], at: int) -> None:
    """What hid a signal at a moment is the same, whatever was saved after it."""
    ordered = sorted(saved)
    versions = [
        suppression(
            version=number,
            since=since,
            until=ordered[number + 1][0] if number + 1 < len(ordered) else None,
            is_enabled=is_enabled,
            expires=expires,
        )
        for number, (since, is_enabled, expires) in enumerate(ordered)
    ]
    known_then = [
        replace(version, until=None if version.until is None or version.until > at else version.until)
        for version in versions
        if version.since <= at
    ]
    now, then = Suppressions(versions), Suppressions(known_then)
    assert [v.version for v in now.hiding(RULE, SIGNAL, at)] == [v.version for v in then.hiding(RULE, SIGNAL, at)]


def test_any_of_several_hides_and_all_are_told() -> None:
    several = Suppressions([suppression(id=name, suppression_query=query) for name, query in (("b", "*"), ("a", "*"))])
    found = several.hiding(RULE, SIGNAL, 0)
    custom = with_suppression(SIGNAL.custom, found, 1_000, is_update=True)
    assert custom["workflow"]["suppression"] == {
        "id": ["a", "b"],
        "name": ["agreed", "agreed"],
        "version": [1, 1],
        "hides": "update",
        "since": "1970-01-01T00:00:01.000Z",
    }
    assert custom["workflow"]["rule"] == {"name": "Door"}
    assert "suppression" not in SIGNAL.custom["workflow"]


def test_excluded_events_are_not_seen_by_the_rules_it_is_about() -> None:
    history = Suppressions(
        [
            suppression(rule_query="team:soc", suppression_query="", data_exclusion_query="env:test", expires=100),
            suppression(rule_query="team:other", suppression_query="", data_exclusion_query="env:prod"),
            suppression(rule_query="source:door", suppression_query="", data_exclusion_query="@usr.id:bob OR host:x"),
        ]
    )
    assert history.exclusions(RULE, 0) == ("@usr.id:bob OR host:x", "env:test")
    assert history.exclusions(RULE, 100) == ("@usr.id:bob OR host:x",)
    assert history.excluding(0) != history.excluding(100)
    assert not history.may_have_hidden and Suppressions([suppression()]).may_have_hidden
    matcher = Matcher([excluding(RULE, history.exclusions(RULE, 0))])

    def seen(source: str, **more: Any) -> int:
        tags, attributes = more.get("tags", []), more.get("attributes", {})
        return len(matcher.match(Event("e", 0, source=source, tags=tags, attributes=attributes)))

    assert (seen("door"), seen("gate")) == (1, 1)
    assert seen("door", tags=["env:test"]) == seen("gate", tags=["env:test"]) == 0
    assert seen("door", attributes={"usr": {"id": "bob"}}) == 0
    assert seen("gate", attributes={"test": True}) == 0


def test_legacy_filters_of_a_rule_still_narrow_it() -> None:
    filters = [{"action": "require", "query": "env:prod"}, {"action": "suppress", "query": "@usr.id:bob"}]
    matcher = Matcher([excluding(executable(replace(RULE, extra={"filters": filters})), ["host:x"])])

    def seen(**more: Any) -> int:
        return len(matcher.match(Event("e", 0, source="door", **more)))

    assert seen(tags=["env:prod"]) == 1
    assert seen() == 0
    assert seen(tags=["env:prod"], attributes={"usr": {"id": "bob"}}) == 0
    assert seen(tags=["env:prod"], host="x") == 0
