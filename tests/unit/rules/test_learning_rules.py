"""What a new value or anomaly rule must say to be stored (siem.md §2.14, §2.15, §2.28)."""

from typing import Any

import pytest

from tocsin.evaluate import methods
from tocsin.rules.shape import rule_from_api, rule_to_api
from tocsin.rules.validation import check


def new_value(
    case: dict[str, Any] | None = None, query: dict[str, Any] | None = None, **options: Any
) -> dict[str, Any]:
    """The example of api.md §4."""
    return {
        "name": "New country",
        "message": "",
        "isEnabled": True,
        "queries": [
            {
                "query": "source:okta",
                "aggregation": "new_value",
                "groupByFields": ["@usr.id"],
                "metrics": ["@network.client.geoip.country.iso_code"],
                **(query or {}),
            }
        ],
        "cases": [{"status": "medium", **(case or {})}],
        "options": {
            "detectionMethod": "new_value",
            "keepAlive": 3600,
            "maxSignalDuration": 86400,
            "newValueOptions": {"learningMethod": "duration", "learningDuration": 7, "forgetAfter": 28, **options},
        },
    }


def anomaly(condition: str = "a > 0.995", query: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    return {
        "name": "More than usual",
        "message": "",
        "isEnabled": True,
        "queries": [{"query": "source:okta", "aggregation": "count", **(query or {})}],
        "cases": [{"status": "medium", "condition": condition}],
        "options": {
            "detectionMethod": "anomaly_detection",
            "evaluationWindow": 1800,
            "keepAlive": 3600,
            "maxSignalDuration": 86400,
            "anomalyDetectionOptions": {
                "bucketDuration": 300,
                "learningDuration": 24,
                "detectionTolerance": 3,
                **options,
            },
        },
    }


def every(recipient: str, attribute: str) -> dict[str, Any]:
    return {
        "notifications": ["@slack-sec"],
        "everyNewValue": [{"recipient": recipient, "attribute": attribute}],
    }


@pytest.mark.parametrize(
    "body",
    [
        new_value(),
        new_value(learningMethod="threshold", learningThreshold=1),
        new_value(learnPerGroup=False, instantaneousBaseline=True),
        new_value(every("@slack-sec", "@usr.id")),
        anomaly(),
        anomaly(""),
        anomaly(learningPeriodBaseline=0, instantaneousBaseline=True),
        anomaly(query={"aggregation": "cardinality", "distinctFields": ["@usr.id"]}),
    ],
)
def test_good_rules_can_be_stored_and_run_and_come_back_as_they_were(body: dict[str, Any]) -> None:
    assert check(body) == []
    rule = rule_from_api(body)
    methods.plan(rule)
    shown = rule_to_api(rule)
    assert shown["options"] == body["options"]
    assert rule_to_api(rule_from_api(shown)) == shown
    assert shown["cases"][0].get("everyNewValue") == body["cases"][0].get("everyNewValue")


@pytest.mark.parametrize(
    ("body", "target", "said"),
    [
        (new_value(learningMethod="never"), "options.newValueOptions.learningMethod", "'duration' or 'threshold'"),
        (new_value(learningDuration=31), "options.newValueOptions.learningDuration", "less than or equal to 30"),
        (new_value(learningThreshold=2), "options.newValueOptions.learningThreshold", "must be one of 0 or 1"),
        (new_value(forgetAfter=0), "options.newValueOptions.forgetAfter", "greater than or equal to 1"),
        (new_value(forgetAfter=31), "options.newValueOptions.forgetAfter", "less than or equal to 30"),
        (new_value(forgetAfter=None), "options.newValueOptions.forgetAfter", "forgetAfter is missing"),
        (new_value(instantaneousBaseline="no"), "options.newValueOptions.instantaneousBaseline", "true or false"),
        (
            new_value(learnPerGroup=False, learningMethod="threshold"),
            "options.newValueOptions.learnPerGroup",
            "learnPerGroup goes with the learningMethod 'duration'",
        ),
        (new_value(query={"metrics": []}), "queries[0].metrics", "needs 1 to 5 metrics, 0 given"),
        (
            new_value(query={"metrics": [f"@m{n}" for n in range(6)]}),
            "queries[0].metrics",
            "needs 1 to 5 metrics, 6 given",
        ),
        (new_value(query={"aggregation": "count"}), "queries[0].aggregation", "use new_value"),
        (new_value({"condition": "a > 0"}), "cases[0].condition", "has no condition; leave 'a > 0' out"),
        (new_value() | {"cases": [{"status": "low"}] * 2}, "cases", "exactly one case, 2 given"),
        (new_value(every("@other", "@usr.id")), "cases[0].everyNewValue[0].recipient", "'@other' is no recipient"),
        (new_value(every("@slack-sec", "")), "cases[0].everyNewValue[0].attribute", "Invalid attribute ''"),
        (
            anomaly(bucketDuration=60),
            "options.anomalyDetectionOptions.bucketDuration",
            "300, 600, 900, 1800, 3600 or 10800",
        ),
        (
            anomaly(learningDuration=2),
            "options.anomalyDetectionOptions.learningDuration",
            "1, 6, 12, 24, 48, 168 or 336",
        ),
        (
            anomaly(detectionTolerance=6),
            "options.anomalyDetectionOptions.detectionTolerance",
            "less than or equal to 5",
        ),
        (anomaly(learningPeriodBaseline=-1), "options.anomalyDetectionOptions.learningPeriodBaseline", "or equal to 0"),
        (anomaly("a > 5"), "cases[0].condition", "no percentile; write a > 0.995"),
        (anomaly("b > 0.9"), "cases[0].condition", "no query is labelled 'b'"),
        (anomaly(query={"aggregation": "sum", "metrics": ["@n"]}), "queries[0].aggregation", "use count, cardinality"),
    ],
)
def test_what_is_wrong_is_told_by_its_member(body: dict[str, Any], target: str, said: str) -> None:
    (problem,) = check(body)
    assert problem.target == target
    assert said in problem.message
    assert problem.message.partition(" ")[0] != ""


def test_evaluation_window_has_no_meaning_for_new_values() -> None:
    body = new_value()
    body["options"] |= {"keepAlive": 0, "evaluationWindow": 900}
    assert check(body) == []
    assert rule_from_api(new_value()).options.evaluation_window == 0
