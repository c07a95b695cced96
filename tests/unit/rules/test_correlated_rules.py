"""What keeps a rule over signals from being stored: each reason at its place, cycles by name."""

from dataclasses import replace
from typing import Any

import pytest

from tocsin.rule import Rule
from tocsin.rules.correlation import check_references
from tocsin.rules.shape import rule_from_api, rule_to_api
from tocsin.rules.terraform import to_terraform
from tocsin.rules.validation import check


def named(rule_id: str = "aaa-bbb-001", **more: Any) -> dict[str, Any]:
    return {"ruleId": rule_id, "aggregation": "event_count", "correlatedByFields": ["@usr.id"], **more}


DAILY = {"rrule": "FREQ=DAILY", "start": "2030-01-01T00:00:00", "timezone": "UTC"}


TABLE = {"tableName": "t", "columnName": "c", "logFieldPath": "host", "checkPresence": True}


def body(*queries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "signal_correlation",
        "name": "Two of a kind",
        "message": "",
        "isEnabled": True,
        "queries": list(queries),
        "cases": [{"status": "high", "condition": "a > 0"}],
        "options": {},
        **more,
    }


def rule(rule_id: str, *queries: dict[str, Any], **more: Any) -> Rule:
    return rule_from_api(body(*queries, **{"name": f"Rule {rule_id}", **more}), rule_id=rule_id)


def logs(**more: Any) -> dict[str, Any]:
    return {"query": "source:sshd", **more}


def signals(query: str) -> dict[str, Any]:
    return {"query": query, "dataSource": "security_signals"}


def test_a_rule_that_names_rules_is_written_as_it_was_sent() -> None:
    query = named(correlatedQueryIndex=1, name="door")
    assert check(body(query, cases=[{"status": "high", "condition": "door > 0"}])) == []
    (written,) = rule_to_api(rule_from_api(body(query)))["queries"]
    assert written == query


def test_correlation_and_searches_of_signals_can_be_scheduled() -> None:
    assert check(body(named(), schedulingOptions=DAILY)) == []
    assert check(body(signals("*"), type="log_detection", schedulingOptions=DAILY)) == []


def test_logs_and_signals_are_mixed_in_thresholds_and_sequences() -> None:
    assert check(body(logs(), signals("*"), type="log_detection")) == []
    assert (
        check(body(logs(), signals("*"), type="log_detection", referenceTables=[{**TABLE, "ruleQueryName": "a"}])) == []
    )
    steps = [{"name": name, "condition": f"{name} > 0", "evaluationWindow": 300} for name in "abc"]
    transitions = [{"parent": one, "child": other, "evaluationWindow": 300} for one, other in ("ab", "bc")]
    sequence: dict[str, Any] = {"detectionMethod": "sequence_detection"}
    sequence |= {"sequenceDetectionOptions": {"steps": steps, "stepTransitions": transitions}}
    queries = [logs(groupByFields=["@usr.id"]), {**signals("status:high"), "groupByFields": ["@usr.id"]}, named()]
    given = body(*queries, type="log_detection", options=sequence, cases=[{"status": "high", "condition": "c > 0"}])
    assert check(given) == []


def test_a_query_without_its_rule_is_told_of_once() -> None:
    problems = check(body(named(""), named()))
    assert [problem.target for problem in problems] == ["queries[0].ruleId"]


def test_as_terraform_it_asks_for_signals() -> None:
    text = to_terraform(rule_from_api(body(named(correlatedQueryIndex=1))))
    assert "\tsignal_query {\n" in text and "\tquery {" not in text
    assert '\t\trule_id = "aaa-bbb-001"\n' in text and "\t\tcorrelated_query_index = 1\n" in text


@pytest.mark.parametrize(
    ("given", "target", "said"),
    [
        (body(logs()), "queries", "must name a rule"),
        (body(named(), logs()), "queries", "must name a rule"),
        (body(named(), type="log_detection"), "queries[0]", "go with type 'signal_correlation'"),
        (
            body(logs(), signals("*"), type="log_detection", referenceTables=[TABLE]),
            "referenceTables",
            "the query 'b' reads signals",
        ),
        (body(named(), options={"detectionMethod": "anomaly_detection"}), "options.detectionMethod", "cannot read"),
        (body(named(aggregation="count")), "queries[0].aggregation", "event_count"),
        (body(named(hasOptionalGroupByFields=True)), "queries[0].hasOptionalGroupByFields", "not available"),
        (body(named(correlatedByFields=list("abcd"))), "queries[0].correlatedByFields", "3 are allowed"),
        (body(named(), named(correlatedByFields=[])), "queries[1].correlatedByFields", "same number of fields"),
        (body({**named(), "index": "main"}, schedulingOptions=DAILY), "queries[0].index", "signals have no indexes"),
        (
            body(named(), schedulingOptions=DAILY, calculatedFields=[{"name": "x", "expression": "1"}]),
            "calculatedFields",
            "made of logs",
        ),
        (body(named('x" OR *')), "queries[0].ruleId", "not the id of a rule"),
        (body(named(defaultRuleId="aaa-bbb-001")), "queries[0]", "not both"),
        (body(named(correlatedQueryIndex=10)), "queries[0].correlatedQueryIndex", "less than or equal to 9"),
        (
            body(signals("@workflow.triage.state:open"), type="log_detection"),
            "queries[0].query",
            "changes after a signal was raised",
        ),
    ],
)
def test_problem_is_said_at_its_place(given: dict[str, Any], target: str, said: str) -> None:
    found = [problem.message for problem in check(given) if problem.target == target]
    assert any(said in message for message in found), check(given)


def problems(saved: Rule, *others: Rule) -> list[tuple[str, str]]:
    return [(problem.code, problem.message) for problem in check_references(saved, {o.id: o for o in others})]


A, B, C = "aaa-aaa-aaa", "bbb-bbb-bbb", "ccc-ccc-ccc"


def test_a_named_rule_must_be_there_with_its_queries() -> None:
    source = rule(A, logs(), type="log_detection")
    assert problems(rule(B, named(A))) == [("unknown_rule", f"There is no rule {A}")]
    assert problems(rule(B, named(A, correlatedQueryIndex=0)), source) == []
    ((code, message),) = problems(rule(B, named(A, correlatedQueryIndex=1)), source)
    assert (code, message) == ("unknown_query", f"The rule 'Rule {A}' has 1 queries, none with the index 1")


def test_a_rule_may_not_read_itself() -> None:
    before = rule(A, logs(), type="log_detection")
    ((code, message),) = problems(rule(A, named(A)), before)
    assert code == "cycle"
    assert message == f"The rule would read its own signals without end: 'Rule {A}' ({A}) → 'Rule {A}' ({A})"


def test_a_cycle_is_named() -> None:
    second, third = rule(B, named(A)), rule(C, named(B))
    ((code, message),) = problems(rule(A, named(C)), rule(A, logs(), type="log_detection"), second, third)
    assert code == "cycle"
    assert message.endswith(f"'Rule {A}' ({A}) → 'Rule {C}' ({C}) → 'Rule {B}' ({B}) → 'Rule {A}' ({A})")
    assert problems(third, second, rule(A, logs(), type="log_detection")) == []


def test_a_search_of_signals_reads_those_that_it_names() -> None:
    search = rule(A, signals(f"@workflow.rule.id:({B} OR {C})"), type="log_detection")
    assert problems(search, rule(B, named(C)), rule(C, logs(), type="log_detection")) == []
    assert [code for code, _ in problems(search, rule(B, named(A)), rule(C, logs(), type="log_detection"))] == ["cycle"]
    without = rule(A, signals(f"-@workflow.rule.id:{B}"), type="log_detection")
    assert problems(without, rule(B, named(A))) == []
    everything = replace(search, queries=rule(A, signals("*")).queries)
    assert problems(everything, rule(B, named(A))) == []
