"""A whole server in this process: what suppressions keep from rules and people, and why a rule did or did not fire."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from api_server import client_for, config_in, serve
from waiting import until

from tocsin.api.app import create_app
from tocsin.bootstrap import build
from tocsin.workers.threads import Workers

pytestmark = pytest.mark.system

RULES = "/api/v2/security_monitoring/rules"
SUPPRESSIONS = "/api/v2/security_monitoring/configuration/suppressions"
SIGNALS = "/api/v2/security_monitoring/signals"

RULE: dict[str, Any] = {
    "type": "log_detection",
    "name": "Door rattled",
    "isEnabled": True,
    "message": "m",
    "tags": ["source:door"],
    "queries": [
        {"query": "source:door @outcome:failure -@test:true", "aggregation": "count", "groupByFields": ["@usr.id"]}
    ],
    "cases": [
        {"name": "much", "status": "high", "condition": "a > 7"},
        {"name": "some", "status": "low", "condition": "a > 5"},
    ],
    "options": {"detectionMethod": "threshold", "evaluationWindow": 300, "keepAlive": 300, "maxSignalDuration": 3600},
}


class Door:
    """The server, its rule and its two suppressions; times are in milliseconds."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.rule = self.post(RULES, RULE)["id"]
        rattled = {"name": "a", "ruleId": self.rule, "aggregation": "event_count", "correlatedByFields": ["@usr.id"]}
        self.twice = self.over_signals("rattled twice", rattled, condition="a > 1")
        self.severe = self.over_signals(
            "severe",
            {"query": "@workflow.rule.name:Door* status:critical", "dataSource": "security_signals"},
            condition="a > 0",
            type="log_detection",
        )
        named = {"name": "a", "query": f"@workflow.rule.id:{self.rule}", "dataSource": "security_signals"}
        opened = {"name": "b", "query": "source:door @outcome:success", "groupByFields": ["@usr.id"]}
        self.opened = self.over_signals(
            "rattled, then open",
            {**named, "groupByFields": ["@usr.id"]},
            opened,
            condition="a > 0 && b > 0",
            type="log_detection",
        )
        scope = {"enabled": True, "rule_query": f"ruleId:{self.rule}"}
        self.hiding = self.suppress(name="agreed with dan", suppression_query="@usr.id:dan", **scope)
        self.excluding = self.suppress(name="load test", data_exclusion_query="@usr.id:sue", **scope)
        self.start = int(time.time() * 1000) - 120_000
        self.logs: list[dict[str, Any]] = []

    def over_signals(self, name: str, *queries: Any, condition: str, **more: Any) -> str:
        cases = [{"name": "", "status": "high", "condition": condition}]
        body = {**RULE, "name": name, "type": "signal_correlation", "queries": list(queries), "cases": cases, **more}
        return str(self.post(RULES, body)["id"])

    def suppress(self, **attributes: Any) -> str:
        answer = self.post(SUPPRESSIONS, {"data": {"type": "suppressions", "attributes": attributes}})
        return str(answer["data"]["id"])

    def post(self, path: str, body: Any) -> Any:
        answer = self.http.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, path: str, **params: Any) -> Any:
        answer = self.http.get(path, params=params)
        assert answer.is_success, answer.text
        return answer.json()

    def add(self, count: int, outcome: str = "failure", **attributes: Any) -> None:
        for _ in range(count):
            at = datetime.fromtimestamp((self.start + 100 * len(self.logs)) / 1000, UTC).isoformat()
            log = {"ddsource": "door", "message": "rattle", "timestamp": at, "outcome": outcome, **attributes}
            self.logs.append({**log, "number": len(self.logs)})

    def why(self, rule: str | None = None, at: int | None = None, **entity: str) -> Any:
        body = {"entity": {name.replace("__", ".").replace("usr", "@usr"): value for name, value in entity.items()}}
        answer = self.post(f"{RULES}/{rule or self.rule}/explain", {**body, "at": at or self.start})
        return answer["data"]["attributes"]

    def search(self, track: str, query: str) -> list[Any]:
        body = {"filter": {"query": query, "from": "now-1h", "to": "now+1h"}}
        found: list[Any] = self.post(f"/api/v2/explore/{track}/events", body)["data"]
        return found


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    services = build(replace(config_in(tmp_path_factory.mktemp("explain")), intake_workers=-1))
    services.access.bootstrap()
    with serve(create_app(services)) as url:
        workers = Workers(services, url)
        workers.start()
        with client_for(url) as http:
            door = Door(http)
            door.add(9, usr={"id": "bob"})
            door.add(4, usr={"id": "eve"})
            door.add(6, "success", usr={"id": "kim"})
            door.add(8, usr={"id": "sue"})
            door.add(8, usr={"id": "dan"})
            door.add(8, hostname="gate-1")
            assert http.post("/api/v2/logs", json=door.logs).status_code == 202
            until(lambda: door.search("signals", "@usr.id:bob") and door.search("suppressed", "@usr.id:dan"))
            yield door
        workers.stop()


def test_a_suppressed_signal_is_searchable_only_where_it_is_hidden(door: Door) -> None:
    assert [door.search("signals", f"@usr.id:{who}") for who in ("dan", "sue", "eve")] == [[], [], []]
    (hidden,) = door.search("suppressed", f"@workflow.suppression.id:{door.hiding}")
    assert hidden["attributes"]["custom"]["usr"] == {"id": "dan"}
    assert door.http.get(f"{SIGNALS}/{hidden['id']}").status_code == 404
    told = door.get(f"{SUPPRESSIONS}/{door.hiding}/hidden")["data"]["attributes"]
    assert (told["signals"], told["updates"]) == (1, 0)
    assert [(hour["rule_id"], hour["signals"]) for hour in told["hours"]] == [(door.rule, 1)]
    facets = door.post(
        "/api/v2/explore/suppressed/facets",
        {
            "filter": {"query": "*", "from": "now-1h", "to": "now+1h"},
            "facets": ["@workflow.suppression.name", "@workflow.rule.name"],
        },
    )
    assert "agreed with dan" in str(facets) and "Door rattled" in str(facets)


def test_a_preview_says_what_would_be_hidden(door: Door) -> None:
    attributes = {"rule_query": f"ruleId:{door.rule}", "suppression_query": "@usr.id:bob"}
    body = {"data": {"type": "suppressions", "attributes": attributes}}
    preview = door.post(f"{SUPPRESSIONS}/preview", body)["data"]["attributes"]
    assert preview["signals"] == {"hidden": 1, "total": 1, "true_positives": 0, "archived": {}}
    assert [example["attributes"]["custom"]["usr"]["id"] for example in preview["examples"]] == ["bob"]
    assert [warning["code"] for warning in preview["warnings"]] == ["nearly_all", "no_expiry"]
    stored = door.get(f"{SUPPRESSIONS}/{door.excluding}/preview", days=1)["data"]["attributes"]
    assert stored["events"] == {"excluded": 0, "matched": 17 + 4}  # what it kept away was never matched
    attributes["suppression_query"] = "a:("
    assert door.http.post(f"{SUPPRESSIONS}/preview", json=body).status_code == 400


def test_a_signal_explains_itself(door: Door) -> None:
    (signal,) = door.search("signals", "@usr.id:bob")
    told = door.get(f"{SIGNALS}/{signal['id']}/explain")["data"]["attributes"]
    assert "Rule 'Door rattled' (version 1) fired for @usr.id bob." in told["summary"]
    assert "a was 8 in the 300 s: the case 'much' (a > 7) held." in told["summary"]
    assert "its severity rose from low to high" in told["summary"]
    assert told["case"]["condition"] == "a > 7" and told["opened"]["condition"] == "a > 5"
    assert told["severity"]["signal"] == "high"
    assert told["suppression"] == {"state": "shown"} and told["closing"]["is_open"]
    assert told["rule"]["is_current"] and told["events"]["matched"] == 9
    (hidden,) = door.search("suppressed", "@usr.id:dan")
    told = door.get(f"{SIGNALS}/{hidden['id']}/explain")["data"]["attributes"]
    assert told["suppression"]["state"] == "hidden"
    assert told["suppression"]["suppressions"] == [{"id": door.hiding, "name": "agreed with dan", "version": 1}]
    assert door.http.get(f"{SIGNALS}/AwAAA000/explain").status_code == 404


def test_it_fired(door: Door) -> None:
    told = door.why(usr__id="bob")
    (signal,) = door.search("signals", "@usr.id:bob")
    assert (told["outcome"], told["because"]) == ("fired", "signal")
    assert [found["id"] for found in told["signals"]] == [signal["id"]]
    assert [step["status"] for step in told["steps"]] == ["passed"] * len(told["steps"])


def test_the_condition_lacked_some(door: Door) -> None:
    told = door.why(usr__id="eve")
    assert (told["outcome"], told["because"]) == ("not_fired", "condition")
    assert "count of a was 4 of > 5 (lacks 2) in the 300 s window" in told["answer"]
    best = told["best_moment"]
    assert (best["case"]["name"], best["group"], best["window_events"]) == ("some", ["eve"], 4)
    assert best["checks"] == [
        {"name": "a", "value": 4.0, "operator": ">", "wanted": 5.0, "holds": False, "missing": 2.0}
    ]
    assert best["event_id"] in {log["id"] for log in door.search("logs", "@usr.id:eve")}


def test_a_term_of_the_query_excluded_the_nearest_events(door: Door) -> None:
    told = door.why(usr__id="kim")
    assert (told["outcome"], told["because"]) == ("not_fired", "query")
    assert "is excluded by '@outcome:failure' (@outcome is success)" in told["answer"]
    (step,) = [step for step in told["steps"] if step["name"] == "query"]
    assert {term["term"]: term["events"] for term in step["data"]["terms"]} == {
        "source:door": 6,
        "@outcome:failure": 0,
        "-@test:true": 6,
    }


@pytest.mark.parametrize(
    ("entity", "outcome", "because", "answer"),
    [
        ({"usr__id": "nobody"}, "not_fired", "events", "There is no log of @usr.id nobody"),
        ({"host": "gate-1"}, "not_fired", "grouping", "@usr.id is missing in 8"),
        ({"usr__id": "sue"}, "not_fired", "exclusion", "8 of the 8 events are kept from the rule by the suppression"),
        ({"usr__id": "dan"}, "hidden", "suppression", "is hidden by a suppression"),
    ],
)
def test_which_step_failed(door: Door, entity: dict[str, str], outcome: str, because: str, answer: str) -> None:
    told = door.why(**entity)
    assert (told["outcome"], told["because"]) == (outcome, because), told
    assert answer in told["answer"]


def test_of_several_queries_none_found_any(door: Door) -> None:
    grouped = {"aggregation": "count", "groupByFields": ["@usr.id"]}
    queries = [{"name": name, "query": f"source:door @outcome:{name}", **grouped} for name in ("success", "never")]
    rule = {**RULE, "name": "both", "isEnabled": True, "queries": queries}
    rule["cases"] = [{"name": "", "status": "low", "condition": "success > 1 || never > 1"}]
    both = door.post(RULES, rule)["id"]
    told = door.why(both, usr__id="bob")
    assert (told["because"], [step["status"] for step in told["steps"] if step["name"] == "query"]) == (
        "query",
        ["failed", "failed"],
    )
    told = door.why(both, usr__id="kim")
    assert [step["status"] for step in told["steps"] if step["name"] == "query"] == ["passed", "passed"]
    assert door.http.delete(f"{RULES}/{both}").is_success


def test_a_rule_over_signals_is_followed_from_the_signals(door: Door) -> None:
    told = door.why(door.twice, usr__id="bob")
    assert (told["outcome"], told["because"]) == ("not_fired", "condition"), told
    assert "event_count of a was 1 of > 1 (lacks 1)" in told["answer"]
    (signal,) = door.search("signals", "@usr.id:bob")
    assert told["best_moment"]["event_id"] == signal["id"]
    assert [step["name"] for step in told["steps"]] == ["rule", "events", "query", "match", "condition", "signal"]
    assert told["steps"][1]["message"] == "There is 1 signal of @usr.id bob"
    query = told["steps"][2]["data"]
    assert (query["track"], query["text"]) == ("signals", f"@workflow.rule.id:{door.rule}")


@pytest.mark.parametrize(
    ("user", "because", "answer"),
    [
        ("eve", "events", "There is no signal of @usr.id eve"),
        ("dan", "suppression", "1 signal would be found, but suppressions hide it: it does not count"),
    ],
)
def test_what_is_no_signal_to_a_rule_over_signals(door: Door, user: str, because: str, answer: str) -> None:
    told = door.why(door.twice, usr__id=user)
    assert (told["outcome"], told["because"]) == ("not_fired", because), told
    assert answer in told["answer"]


def test_a_term_of_a_query_over_signals_excluded_the_nearest(door: Door) -> None:
    told = door.why(door.severe, usr__id="bob")
    assert (told["because"], "is excluded by 'status:critical' (status is high)" in told["answer"]) == ("query", True)


def test_a_rule_over_logs_and_signals_says_which_of_them_lacked(door: Door) -> None:
    told = door.why(door.opened, usr__id="bob")
    assert told["because"] == "condition", told
    assert told["steps"][1]["message"] == "There is 1 signal and 9 logs of @usr.id bob"
    assert [(step["data"]["track"], step["data"]["found"]) for step in told["steps"] if step["name"] == "query"] == [
        ("signals", 1),
        ("logs", 0),
    ]
    assert [check["holds"] for check in told["best_moment"]["checks"]] == [True, False]


def test_a_rule_with_calculated_fields_is_followed_too(door: Door) -> None:
    fields = [{"name": "twice", "expression": "@number * 2"}]
    schedule = {"rrule": "FREQ=HOURLY;INTERVAL=2", "start": "2026-01-01T00:00:00", "timezone": "UTC"}
    body = {**RULE, "name": "numbered", "calculatedFields": fields, "schedulingOptions": schedule}
    for asked, last in (("#twice:<4", "count of a was 2 of > 5 (lacks 4)"), ("#twice:>1000000", None)):
        query = {"query": f"source:door {asked}", "aggregation": "count", "groupByFields": ["@usr.id"]}
        rule = door.post(RULES, {**body, "queries": [query]})["id"]
        steps = {step["name"]: step for step in door.why(rule, usr__id="bob")["steps"]}
        assert steps["query"]["data"]["found"] == 9  # as far as a search can tell
        assert (last in steps["condition"]["message"]) if last else ("condition" not in steps)
        assert ("calculated" in steps) == (last is None)
        assert door.http.delete(f"{RULES}/{rule}").is_success


def test_the_rule_was_not_there_or_not_enabled(door: Door) -> None:
    assert door.why(usr__id="bob", at=door.start - 86_400_000)["because"] == "rule"
    disabled = door.post(RULES, {**RULE, "name": "asleep", "isEnabled": False})["id"]
    told = door.why(disabled, usr__id="bob")
    assert (told["because"], told["answer"]) == ("rule", "The rule was disabled (version 1).")
    later = door.post(RULES, {**RULE, "name": "later"})["id"]
    told = door.why(later, usr__id="bob")
    assert told["because"] == "match" and "was not enabled then" in told["answer"]


def test_questions_that_make_no_sense(door: Door) -> None:
    path = f"{RULES}/{door.rule}/explain"
    for body in (
        {"entity": {"@usr.id": "bob"}},
        {"entity": {}, "at": "now"},
        {"entity": {"@usr.id": "bob"}, "from": "now", "to": "now-1h"},
        {"entity": {"@usr.id": "bob"}, "from": "now-30d", "to": "now"},
        {"entity": {"a:(": "bob"}, "at": "now"},
    ):
        assert door.http.post(path, json=body).status_code == 400, body
    assert door.http.post(f"{RULES}/aaa-aaa-aaa/explain", json={"entity": {"a": "b"}, "at": "now"}).status_code == 404


def test_an_exclusion_ends_with_its_suppression(door: Door) -> None:
    patch = {"data": {"type": "suppressions", "attributes": {"enabled": False}}}
    assert door.http.patch(f"{SUPPRESSIONS}/{door.excluding}", json=patch).status_code == 200
    before = len(door.logs)
    door.add(8, usr={"id": "sue"})
    assert door.http.post("/api/v2/logs", json=door.logs[before:]).status_code == 202
    (signal,) = until(lambda: door.search("signals", f"@usr.id:sue @workflow.rule.id:{door.rule}"))
    assert signal["attributes"]["custom"]["workflow"]["events_matched"] == 8
