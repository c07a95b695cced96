"""What a historical job is asked to run, and what it refuses."""

from typing import Any

import pytest

from tocsin.errors import BadRequest, NotFound
from tocsin.event import Event
from tocsin.rule import CalculatedField, Rule, RuleCase, RuleQuery
from tocsin.rules.jobs.definition import read
from tocsin.rules.rehearsal import Rehearsal
from tocsin.rules.shape import rule_from_api, rule_to_api

STORED = Rule(
    id="aaa-bbb-ccc",
    name="Stored",
    message="",
    queries=(RuleQuery("a", "*"),),
    cases=(RuleCase("high", "a > 9", notifications=("@x",)), RuleCase("low", "a > 0")),
)


def stored(rule_id: str) -> Rule:
    if rule_id != STORED.id:
        raise NotFound("no such rule")
    return STORED


def from_rule(**more: Any) -> dict[str, Any]:
    return {"fromRule": {"id": STORED.id, "from": 1000, "to": 2000, "index": "main", **more}}


def defined(**more: Any) -> dict[str, Any]:
    body = {"name": "Once", "message": "", "from": 1000, "to": 2000, "index": "main"}
    queries = [{"query": "source:door"}]
    return {"jobDefinition": {**body, "queries": queries, "cases": [{"status": "low", "condition": "a > 0"}], **more}}


def test_a_rule_as_it_is() -> None:
    asked = read(from_rule(), stored)
    assert (asked.rule, asked.start, asked.end, asked.rule_id) == (STORED, 1000, 2000, STORED.id)


def test_one_of_its_cases_with_other_targets() -> None:
    asked = read(from_rule(caseIndex=1, notifications=["@y"]), stored)
    assert [(case.status, case.notifications) for case in asked.rule.cases] == [("low", ("@y",))]


def test_a_definition_is_a_rule_with_defaults() -> None:
    asked = read(defined(queries=[{"query": "source:door", "additionalFilters": "host:web"}]), stored)
    assert asked.rule_id is None
    assert asked.rule.options.detection_method == "threshold"
    assert asked.rule.queries[0].full_query == "(source:door) AND (host:web)"


def test_a_job_may_calculate() -> None:
    asked = read(defined(calculatedFields=[{"name": "x", "expression": "@a * 2"}]), stored)
    assert asked.rule.calculated_fields == (CalculatedField("x", "@a * 2"),)


@pytest.mark.parametrize(
    ("case_index", "expected"),
    [(None, {"8": "high", "5": "medium", "1": "info"}), (0, {"8": "high"}), (1, {"5": "medium"})],
)
def test_one_case_of_a_third_party_rule(case_index: int | None, expected: dict[str, str]) -> None:
    body = {
        "id": STORED.id,
        "name": "Alerts",
        "message": "",
        "thirdPartyCases": [
            {"name": "urgent", "query": "@level:>=8", "status": "high"},
            {"name": "soon", "query": "@level:>=5", "status": "medium"},
        ],
        "options": {
            "detectionMethod": "third_party",
            "thirdPartyRuleOptions": {"defaultStatus": "info", "rootQueries": [{"query": "source:vendor"}]},
        },
    }
    asked = read(from_rule(caseIndex=case_index, notifications=["@y"]), lambda _: rule_from_api(body))
    # As the job keeps it.
    rule = rule_from_api(rule_to_api(asked.rule))
    assert {target for case in rule.cases for target in case.notifications} == {"@y"}
    events = [
        Event(f"AwAAA{level}", 1_000 + level, source="vendor", attributes={"level": level}) for level in (8, 5, 1)
    ]
    raised = Rehearsal([rule], 0).run(events).raised[STORED.id]
    assert {one.decision.opened_by[-1]: one.signal.severity for one in raised} == expected


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({}, "either fromRule or jobDefinition"),
        ({**from_rule(), **defined()}, "either fromRule or jobDefinition"),
        ({"fromRule": "x"}, "must be an object"),
        (from_rule(index="cold"), "index 'cold' does not exist"),
        (from_rule(index=None), "fromRule.index is missing; there is: main"),
        (from_rule(to=1000), "later than"),
        (from_rule(to=True), "Unix milliseconds"),
        (from_rule(caseIndex=2), "0 to 1"),
        (from_rule(notifications="@y"), "list of texts"),
        (defined(queries=[{"query": "a", "indexes": ["cold"]}]), "index 'cold' does not exist"),
        (defined(queries=[{"query": "a", "indexes": 7}]), "list of names"),
        (defined(queries=[{"query": "a", "datasetIds": ["d"]}]), "datasets"),
        (defined(queries=[{"query": "("}]), "Invalid"),
        (defined(cases=[]), "case"),
        (defined(calculatedFields=[{"name": "x", "expression": "1 +"}]), "Expression of #x: found the end"),
    ],
)
def test_refused(attributes: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(attributes, stored)
    assert reason in str(refused.value)
