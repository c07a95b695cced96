"""What is remarked upon: ATT&CK tags that the map would not show, calculated fields that nothing uses, signals as
short as the window."""

import json
from pathlib import Path

import pytest

from tocsin.rule import CalculatedField, Rule, RuleOptions, RuleQuery
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
