"""What is remarked upon: ATT&CK tags that the map would not show, calculated fields that nothing uses."""

import json
from pathlib import Path

import pytest

from tocsin.rule import CalculatedField, Rule, RuleQuery
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
