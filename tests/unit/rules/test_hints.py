"""What is remarked upon: ATT&CK tags that the map would not show, calculated fields that nothing uses, signals as
short as the window, cases that no event can fulfil."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tocsin.rule import CalculatedField, Rule, RuleCase, RuleOptions, RuleQuery, Schedule
from tocsin.rules.attack import TACTICS, tactics_of, techniques
from tocsin.rules.hints import hints

SHARED = Path(__file__).parents[4] / "shared/data/attack"


def codes(*tags: str) -> list[str]:
    return [hint.code for hint in hints(Rule("id", "name", "", (), (), tags=tags))]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["tactic:TA0001-initial-access", "technique:T1566-phishing"], []),
        (["tactic:ta0001_initial_access", "technique:t1566_phishing"], []),
        (["tactic:TA0006-credential-access", "technique:T1552.001-credentials-in-files"], []),
        (["tactic:TA0006-credential-access", "technique:T1566-phishing"], ["wrong_pair"]),
        (["technique:T1566-phishing"], ["wrong_pair"]),
        (["Tactic:TA0001-initial-access"], ["upper_case"]),
        (["tactic:initial-access"], ["unknown_tactic"]),
        (["tactic:TA0001", "technique:T9999-nothing"], ["unknown_technique"]),
        (["source:sshd", "team:blue", "bare"], []),
    ],
)
def test_hints(tags: list[str], expected: list[str]) -> None:
    assert codes(*tags) == expected


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="the data sets are not beside the checkout")
def test_techniques_belong_where_mitre_says() -> None:
    tactics = json.loads((SHARED / "tactics.json").read_text())
    assert list(TACTICS.items()) == [(tactic["id"], tactic["name"]) for tactic in tactics]
    active = [t for t in json.loads((SHARED / "techniques.json").read_text()) if t["status"] == "active"]
    assert {t["id"]: t["name"] for t in active} == {name: technique.name for name, technique in techniques().items()}
    assert [t["id"] for t in active if set(tactics_of(t["id"])) != set(t["tactics"])] == []


def test_calculated_fields_that_nothing_uses_or_that_every_log_makes() -> None:
    rule = Rule(
        id="aaa-bbb-ccc",
        name="n",
        message="m",
        queries=(
            RuleQuery("a", "source:x #slow:true"),
            RuleQuery("b", "#slow:true OR source:y"),
            RuleQuery("c", "*", group_by_fields=("#zone",)),
        ),
        cases=(),
        calculated_fields=(
            CalculatedField("ms", "@duration / 1000"),
            CalculatedField("slow", "#ms > 5"),
            CalculatedField("zone", "prefix(host, 2)"),
            CalculatedField("idle", '"#ms"'),
        ),
    )
    assert [(found.target, found.code) for found in hints(rule)] == [
        ("calculatedFields[3]", "unused"),
        ("queries[1].query", "reads_all"),
        ("queries[2].query", "reads_all"),
    ]


@pytest.mark.parametrize(
    ("window", "keep_alive", "duration", "expected"),
    [
        (86400, 86400, 86400, ["options.maxSignalDuration"]),
        (3600, 3600, 3600, ["options.maxSignalDuration"]),
        (43200, 86400, 86400, []),
        (0, 0, 0, []),  # each event is a signal of its own
        (0, 3600, 86400, []),
    ],
)
def test_a_signal_that_may_last_no_longer_than_the_window(
    window: int, keep_alive: int, duration: int, expected: list[str]
) -> None:
    options = RuleOptions(evaluation_window=window, keep_alive=keep_alive, max_signal_duration=duration)
    assert [hint.target for hint in hints(Rule("id", "name", "", (), (), options))] == expected


def test_options_that_the_method_does_not_read() -> None:
    given = {"newValueOptions": {"forgetAfter": 3}, "impossibleTravelOptions": {"baselineUserLocations": True}}
    options = RuleOptions(detection_method="impossible_travel", method_options=given)
    assert [hint.target for hint in hints(Rule("id", "name", "", (), (), options))] == ["options.newValueOptions"]


@pytest.mark.parametrize(
    ("method", "has_cities", "expected"),
    [("impossible_travel", False, ["no_cities"]), ("impossible_travel", True, []), ("threshold", False, [])],
)
def test_travel_needs_a_city_database(method: str, has_cities: bool, expected: list[str]) -> None:
    rule = Rule("id", "name", "", (), (), RuleOptions(detection_method=method))
    assert [hint.code for hint in hints(rule, has_cities=has_cities)] == expected


@pytest.mark.parametrize(
    ("condition", "window", "expected"),
    [
        ("a > 0", 0, []),
        ("a > 0 && b > 0", 0, []),  # one event may meet both
        ("a > 1", 0, ["no_window"]),
        ("a > 1", 60, []),
        ("a > 5 || b > 0", 0, []),
        ("a >= 1.5", 0, ["no_window"]),
        ("c > 5", 0, []),  # different values of one event's list
        ("a > 0 then b > 0", 0, ["no_window"]),
        ("a > 0 then b > 0", 60, []),
        ("a < 1 && b < 1 && c < 9", 3600, []),  # asked at an event of c
        ("a < 1", 3600, []),  # asked at one of the others
        ("a > -1", 0, []),
        ("a >", 0, []),
    ],
)
def test_cases_that_no_event_can_fulfil(condition: str, window: int, expected: list[str]) -> None:
    queries = (RuleQuery("a", "x"), RuleQuery("b", "y"), RuleQuery("c", "z", aggregation="cardinality"))
    options = RuleOptions(evaluation_window=window, keep_alive=3600)
    rule = Rule("id", "name", "", queries, (RuleCase("low", "a > 0"), RuleCase("high", condition)), options)
    found = hints(rule)
    assert [hint.code for hint in found] == expected
    assert {hint.target for hint in found} <= {"cases[1].condition"}


def test_that_nothing_comes_is_no_case_of_a_single_query() -> None:
    cases = tuple(RuleCase("high", condition) for condition in ("a < 1", "a <= 0", "a == 0", "a < 2", "a != 1"))
    rule = Rule("id", "name", "", (RuleQuery("a", "x"),), cases, RuleOptions(evaluation_window=900))
    assert [(hint.target, hint.code) for hint in hints(rule)] == [
        (f"cases[{i}].condition", "absence") for i in range(3)
    ]


def test_that_nothing_comes_is_a_case_of_a_scheduled_rule_that_groups_by_nothing() -> None:
    daily = Schedule("FREQ=DAILY", "2026-01-01T00:00:00", "UTC")
    query, case, options = RuleQuery("a", "x"), RuleCase("high", "a < 1"), RuleOptions(evaluation_window=900)
    assert hints(Rule("id", "name", "", (query,), (case,), options, schedule=daily)) == []
    by_host = replace(query, group_by_fields=("host",))
    assert [hint.code for hint in hints(Rule("id", "name", "", (by_host,), (case,), options, schedule=daily))] == [
        "absence"
    ]


def test_steps_without_a_window_that_count() -> None:
    steps = [{"name": "guess", "condition": "a > 5"}, {"name": "enter", "condition": "b > 0"}]
    options = RuleOptions("sequence_detection", 0, method_options={"sequenceDetectionOptions": {"steps": steps}})
    rule = Rule("id", "name", "", (RuleQuery("a", "x"), RuleQuery("b", "y")), (RuleCase("high", "enter > 0"),), options)
    assert [(hint.target, hint.code) for hint in hints(rule)] == [
        ("options.sequenceDetectionOptions.steps[0].condition", "no_window")
    ]
