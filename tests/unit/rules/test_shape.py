"""Reading and writing a rule are inverse, so that a client sees back what it sent."""

import json
from pathlib import Path
from typing import Any

import pytest

from tocsin.rules.shape import rule_from_api, rule_to_api, writable

SHARED = Path(__file__).parents[4] / "shared/data/datadog-shapes/rules.jsonl"

BRUTE_FORCE: dict[str, Any] = {
    "type": "log_detection",
    "name": "Door rattled",
    "isEnabled": True,
    "message": "{{@usr.id}}",
    "tags": ["z:last", "a:first"],
    "queries": [
        {
            "name": "failed",
            "query": "source:sshd @evt.outcome:failure",
            "groupByFields": ["@network.client.ip", "host"],
        },
        {"query": "source:sshd @evt.outcome:success", "aggregation": "cardinality", "distinctFields": ["@usr.id"]},
    ],
    "cases": [
        {"name": "then success", "status": "high", "condition": "failed > 20 && b > 0", "notifications": ["@soc"]},
        {"status": "low", "condition": "failed > 20"},
    ],
    "options": {"detectionMethod": "threshold", "evaluationWindow": 300, "keepAlive": 3600},
}


def test_typed_fields_are_read() -> None:
    rule = rule_from_api(BRUTE_FORCE, rule_id="abc-def-123")
    assert rule.id == "abc-def-123"
    assert [query.label for query in rule.queries] == ["failed", "b"]
    assert rule.queries[0].group_by_fields == ("@network.client.ip", "host")
    assert [case.severity for case in rule.cases] == ["high", "low"]
    assert (rule.options.evaluation_window, rule.options.keep_alive, rule.options.max_signal_duration) == (
        300,
        3600,
        86400,
    )
    hash(rule.queries[0]), hash(rule.cases[0]), hash(rule.options)


def test_answer_fills_in_defaults_and_leaves_out_what_was_not_sent() -> None:
    answer = rule_to_api(rule_from_api(BRUTE_FORCE, rule_id="abc-def-123"))
    assert answer["tags"] == ["z:last", "a:first"]
    assert answer["filters"] == [] and answer["hasExtendedTitle"] is False
    assert answer["queries"][0] == {
        **BRUTE_FORCE["queries"][0],
        "aggregation": "count",
        "distinctFields": [],
        "hasOptionalGroupByFields": False,
        "dataSource": "logs",
    }
    assert answer["queries"][1]["name"] == ""
    assert answer["cases"][1] == {"name": "", "status": "low", "condition": "failed > 20", "notifications": []}
    assert answer["options"] == BRUTE_FORCE["options"]
    assert "groupSignalsBy" not in answer and "schedulingOptions" not in answer


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("groupSignalsBy", []),
        ("groupSignalsBy", ["host"]),
        ("customName", ""),
        ("referenceTables", [{"tableName": "t", "columnName": "c", "logFieldPath": "p", "checkPresence": True}]),
        ("filters", [{"action": "suppress", "query": "env:dev"}]),
        ("schedulingOptions", {"rrule": "FREQ=HOURLY;INTERVAL=2", "start": "2030-01-01T00:00:00", "timezone": "UTC"}),
        ("hasExtendedTitle", True),
        ("message", ""),
    ],
)
def test_member_comes_back_as_it_was_sent(member: str, value: Any) -> None:
    assert rule_to_api(rule_from_api({**BRUTE_FORCE, member: value}))[member] == value


@pytest.mark.parametrize(
    ("place", "member", "value"),
    [
        ("queries", "metrics", []),
        ("queries", "customQueryExtension", ""),
        ("queries", "index", "main"),
        ("cases", "condition", ""),
        ("cases", "customStatus", "critical"),
        ("cases", "actions", [{"type": "block_ip", "options": {"duration": 900}}]),
    ],
)
def test_member_of_an_item_comes_back_as_it_was_sent(place: str, member: str, value: Any) -> None:
    body = {**BRUTE_FORCE, place: [{**BRUTE_FORCE[place][0], member: value}]}
    assert rule_to_api(rule_from_api(body))[place][0][member] == value


def test_old_single_metric_is_read_as_a_list() -> None:
    body = {**BRUTE_FORCE, "queries": [{"query": "*", "aggregation": "sum", "metric": "@bytes"}]}
    rule = rule_from_api(body)
    assert rule.queries[0].metrics == ("@bytes",)
    assert rule_to_api(rule)["queries"][0]["metric"] == "@bytes"


def test_correlation_query_is_not_given_members_of_a_log_query() -> None:
    query = {"ruleId": "aaa-bbb-001", "aggregation": "event_count", "correlatedByFields": ["host"]}
    answer = rule_to_api(rule_from_api({**BRUTE_FORCE, "type": "signal_correlation", "queries": [query]}))
    assert answer["queries"] == [{**query, "name": ""}]


def test_unknown_members_are_ignored() -> None:
    assert writable({"name": "n", "surprise": 1, "id": "x", "version": 3}) == {"name": "n"}


def test_writing_is_stable() -> None:
    rule = rule_from_api(BRUTE_FORCE)
    assert rule_from_api(rule_to_api(rule)) == rule


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="the data sets are not beside the checkout")
def test_published_rules_survive_reading_and_writing() -> None:
    known_elsewhere = {"partnerRuleId", "partnerIntegrationId"}
    for line in SHARED.read_text().splitlines():
        sent = json.loads(line)["rule"]
        answer = rule_to_api(rule_from_api(sent))
        for name in sent.keys() - known_elsewhere - {"queries", "cases"}:
            assert answer[name] == sent[name], name
        for kind in ("queries", "cases"):
            for given, got in zip(sent[kind], answer[kind], strict=True):
                assert got == {**got, **given}
