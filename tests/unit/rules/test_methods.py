"""Rules of impossible travel, content anomaly, third party and sequence: read, answered, refused at their place."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tocsin.evaluate import methods
from tocsin.evaluate.content_anomaly import ContentAnomalyPlan
from tocsin.evaluate.sequence import SequencePlan
from tocsin.evaluate.third_party import ThirdPartyPlan
from tocsin.evaluate.travel import TravelPlan
from tocsin.rule import Rule
from tocsin.rules.executable import executable
from tocsin.rules.shape import rule_from_api, rule_to_api, writable
from tocsin.rules.terraform import to_terraform
from tocsin.rules.validation import check


def rule(method: str, **changes: Any) -> dict[str, Any]:
    options = {"detectionMethod": method, "keepAlive": 3600, "maxSignalDuration": 86400, **changes.pop("options", {})}
    body = {
        "name": "Strange",
        "message": "m",
        "isEnabled": True,
        "queries": [{"query": "source:okta", "groupByFields": ["@usr.id"], **changes.pop("query", {})}],
        "cases": [{"status": "high"}],
        "options": options,
        **changes,
    }
    return {name: value for name, value in body.items() if value is not ...}


def travel(**changes: Any) -> dict[str, Any]:
    query = {"aggregation": "geo_data", "metrics": ["@network.client.geoip"], **changes.pop("query", {})}
    return rule("impossible_travel", query=query, **changes)


def content(method: str = "content_anomaly", **changes: Any) -> dict[str, Any]:
    cases = changes.pop("cases", [{"status": "high", "condition": "a >= 3"}])
    options = {"evaluationWindow": 3600, "contentAnomalyOptions": changes.pop("content", {})}
    query = {"metrics": ["@cmd"], **changes.pop("query", {})}
    return rule(method, query=query, cases=cases, options=options, **changes)


def third_party(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "defaultStatus": "info",
        "rootQueries": [{"query": "source:vendor", "groupByFields": ["@device.id"]}],
        **changes.pop("given", {}),
    }
    options = {"keepAlive": 0, "maxSignalDuration": 600, "thirdPartyRuleOptions": given}
    cases = changes.pop(
        "third_party_cases",
        [
            {"name": "urgent", "query": "@vendor.level:>=8", "status": "high"},
            {"query": "@vendor.level:>=5", "status": "medium"},
        ],
    )
    return rule("third_party", queries=[], cases=[], thirdPartyCases=cases, options=options, **changes)


def sequence(**changes: Any) -> dict[str, Any]:
    given = {
        "steps": [
            {"name": "recon", "condition": "a > 10", "evaluationWindow": 300},
            {"name": "create", "condition": "b > 0", "evaluationWindow": 300},
        ],
        "stepTransitions": [{"parent": "recon", "child": "create", "evaluationWindow": 3600}],
        **changes.pop("given", {}),
    }
    queries = [{"query": "a", "groupByFields": ["@usr.id"]}, {"query": "b", "groupByFields": ["@usr.id"]}]
    cases = changes.pop("cases", [{"status": "high", "condition": "create > 0"}])
    options = {"evaluationWindow": 0, "sequenceDetectionOptions": given}
    return rule("sequence_detection", queries=queries, cases=cases, options=options, **changes)


@pytest.mark.parametrize(
    ("body", "plan"),
    [
        (travel(), TravelPlan),
        (travel(options={"impossibleTravelOptions": {"baselineUserLocations": True}}), TravelPlan),
        (content(), ContentAnomalyPlan),
        (content("anomaly_threshold", content={"similarityThreshold": 35}), ContentAnomalyPlan),
        (third_party(), ThirdPartyPlan),
        (third_party(third_party_cases=[]), ThirdPartyPlan),
        (sequence(), SequencePlan),
    ],
)
def test_what_can_be_stored_can_be_run_and_comes_back(body: dict[str, Any], plan: type) -> None:
    assert check(body) == []
    read = rule_from_api(body, rule_id="abc-def-123")
    assert isinstance(methods.plan(executable(read)), plan)
    answer = rule_to_api(read)
    assert {name: answer["options"][name] for name in body["options"]} == body["options"]
    assert rule_to_api(rule_from_api(writable(answer), rule_id="abc-def-123")) == answer


def test_the_alias_is_read_as_the_method_and_answered_as_it_was_given() -> None:
    read = rule_from_api(content("anomaly_threshold"))
    assert read.options.detection_method == "content_anomaly"
    assert rule_to_api(read)["options"]["detectionMethod"] == "anomaly_threshold"


def test_a_third_party_answer_shows_its_cases_as_queries() -> None:
    answer = rule_to_api(rule_from_api(third_party()))
    assert [(query["query"], query["aggregation"]) for query in answer["queries"]] == [
        ("@vendor.level:>=8", "none"),
        ("@vendor.level:>=5", "none"),
    ]
    assert answer["cases"] == [
        {"name": "urgent", "status": "high", "notifications": []},
        {"name": "", "status": "medium", "notifications": []},
    ]
    assert answer["options"]["evaluationWindow"] == 0
    without = third_party()
    del without["options"]["keepAlive"]
    assert rule_to_api(rule_from_api(without))["options"].get("keepAlive", 0) == 0


def test_an_event_meets_exactly_one_query_of_a_third_party_rule() -> None:
    roots = [{"query": "source:one", "groupByFields": ["host"]}, {"query": "source:two OR source:one"}]
    compiled: Rule = executable(rule_from_api(third_party(given={"rootQueries": roots})))
    assert [(query.label, query.query) for query in compiled.queries] == [
        ("urgent of root 1", "(source:one) AND (@vendor.level:>=8)"),
        ("case 2 of root 1", "(source:one) AND (@vendor.level:>=5) AND NOT (@vendor.level:>=8)"),
        ("default of root 1", "(source:one) AND NOT (@vendor.level:>=8) AND NOT (@vendor.level:>=5)"),
        ("urgent of root 2", "(source:two OR source:one) AND NOT (source:one) AND (@vendor.level:>=8)"),
        (
            "case 2 of root 2",
            "(source:two OR source:one) AND NOT (source:one) AND (@vendor.level:>=5) AND NOT (@vendor.level:>=8)",
        ),
        (
            "default of root 2",
            "(source:two OR source:one) AND NOT (source:one) AND NOT (@vendor.level:>=8) AND NOT (@vendor.level:>=5)",
        ),
    ]
    assert [query.group_by_fields for query in compiled.queries] == [("host",)] * 3 + [()] * 3
    assert [case.severity for case in compiled.cases] == ["high", "medium", "info"]


@pytest.mark.parametrize(
    ("body", "target", "said"),
    [
        (travel(query={"metrics": ["@geo"]}), "queries[0].metrics", "exactly the metric @network.client.geoip"),
        (travel(query={"groupByFields": []}), "queries[0].groupByFields", "needs the account"),
        (travel(query={"aggregation": "count"}), "queries[0].aggregation", "use geo_data"),
        (travel(cases=[{"status": "low"}] * 2), "cases", "exactly one case"),
        (travel(cases=[{"status": "low", "condition": "a > 0"}]), "cases[0].condition", "has no condition"),
        (
            travel(options={"impossibleTravelOptions": {"baselineUserLocationsDuration": 31}}),
            "options.impossibleTravelOptions.baselineUserLocationsDuration",
            "less than or equal to 30",
        ),
        (content(query={"metrics": []}), "queries[0].metrics", "1 to 10 metrics"),
        (content(query={"aggregation": "sum"}), "queries[0].aggregation", "use count"),
        (content(cases=[{"status": "low"}]), "cases[0].condition", "cannot be empty"),
        (
            content(content={"similarityThreshold": 34}),
            "options.contentAnomalyOptions.similarityThreshold",
            "greater than or equal to 35",
        ),
        (third_party(given={"rootQueries": []}), "options.thirdPartyRuleOptions.rootQueries", "1 to 10 rootQueries"),
        (
            third_party(given={"rootQueries": [{"query": "a AND"}]}),
            "options.thirdPartyRuleOptions.rootQueries[0].query",
            "Invalid query",
        ),
        (
            third_party(given={"rootQueries": [{"query": "*", "groupByFields": ["@a", "@a"]}]}),
            "options.thirdPartyRuleOptions.rootQueries[0].groupByFields[1]",
            "listed twice",
        ),
        (third_party(given={"defaultStatus": None}), "options.thirdPartyRuleOptions.defaultStatus", "is missing"),
        (third_party(third_party_cases=[{"status": "low"}]), "thirdPartyCases[0].query", "cannot be empty"),
        (
            third_party(third_party_cases=[{"status": "low", "query": "*"}] * 11),
            "thirdPartyCases",
            "11 thirdPartyCases given",
        ),
        (third_party(groupSignalsBy=["@device.id"]), "groupSignalsBy", "does not go with third-party"),
        (travel(thirdPartyCases=[{"status": "low", "query": "*"}]), "thirdPartyCases", "go with detection method"),
        (
            sequence(cases=[{"status": "high", "condition": "recon > 0"}]),
            "cases[0].condition",
            "write create > 0",
        ),
        (
            sequence(given={"stepTransitions": []}),
            "options.sequenceDetectionOptions.stepTransitions",
            "need 1 transitions",
        ),
        (
            sequence(given={"stepTransitions": [{"parent": "recon", "child": "create", "evaluationWindow": 61}]}),
            "options.sequenceDetectionOptions.stepTransitions[0].evaluationWindow",
            "must be one of",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(body: dict[str, Any], target: str, said: str) -> None:
    (found, *_) = [problem for problem in check(body) if problem.target == target]
    assert said in found.message


def test_terraform_writes_options_as_blocks_and_vendors_cases_by_themselves() -> None:
    text = to_terraform(rule_from_api(third_party()))
    assert "\n\tcase {" not in text and "\n\tquery {" not in text
    assert (
        "\t\tthird_party_rule_options {\n"
        '\t\t\tdefault_status = "info"\n'
        "\t\t\troot_query {\n"
        '\t\t\t\tquery = "source:vendor"\n'
        '\t\t\t\tgroup_by_fields = ["@device.id"]\n'
        "\t\t\t}\n"
        "\t\t}\n"
    ) in text
    assert text.count("\tthird_party_case {") == 2
    assert "\t\t\tstep_transitions {\n\t\t\t\tparent = " in to_terraform(rule_from_api(sequence()))


def test_rules_of_the_manual_can_be_stored_and_run() -> None:
    text = (Path(__file__).parents[3] / "docs/write-a-rule.md").read_text(encoding="utf-8")
    rules = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    bodies = [{"name": "n", "message": "m", "isEnabled": True, **body} for body in rules if "options" in body]
    assert {body["options"]["detectionMethod"] for body in bodies} >= {
        "threshold",
        "impossible_travel",
        "content_anomaly",
        "third_party",
        "sequence_detection",
    }
    for body in bodies:
        assert check(body) == [], body
        methods.plan(executable(rule_from_api(body, rule_id="abc-def-123")))
