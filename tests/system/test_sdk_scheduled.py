"""Scheduled rules and calculated fields through the released client (siem.md §2.22)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from api_server import MovableClock, as_model, client_for, run_what_is_due, sdk_for, serve_services
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi
from datadog_api_client.v2.model.security_monitoring_rule_update_payload import SecurityMonitoringRuleUpdatePayload
from datadog_api_client.v2.model.security_monitoring_standard_rule_create_payload import (
    SecurityMonitoringStandardRuleCreatePayload,
)

from tocsin.bootstrap import Services

pytestmark = pytest.mark.system

RULES = "/api/v2/security_monitoring/rules"
MINUTE = 60_000
WINDOWS = {"detectionMethod": "threshold", "evaluationWindow": 300, "keepAlive": 300, "maxSignalDuration": 3600}


def body(**changes: Any) -> dict[str, Any]:
    return {
        "type": "log_detection",
        "name": "Slow doors",
        "isEnabled": True,
        "message": "{{@usr.id}}",
        "queries": [
            {
                "query": "source:door #slow:true",
                "aggregation": "sum",
                "metrics": ["#total"],
                "groupByFields": ["@usr.id"],
                "distinctFields": [],
                "index": "main",
            }
        ],
        "cases": [{"status": "high", "condition": "a > 10", "notifications": []}],
        "options": WINDOWS,
        "schedulingOptions": {"rrule": "FREQ=HOURLY;INTERVAL=2", "start": "2025-06-17T12:00:00", "timezone": "UTC"},
        "calculatedFields": [
            {"name": "total", "expression": "@opening + @closing"},
            {"name": "slow", "expression": "#total > 5"},
        ],
        **changes,
    }


@pytest.fixture(scope="module")
def clock() -> MovableClock:
    """Stopped: otherwise a run could come due while a test does something else."""
    clock = MovableClock()
    clock.stop()
    return clock


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, clock: MovableClock) -> Iterator[tuple[str, Services]]:
    with serve_services(tmp_path_factory.mktemp("scheduled"), clock) as served:
        yield served


@pytest.fixture(scope="module")
def sdk(served: tuple[str, Services]) -> Iterator[SecurityMonitoringApi]:
    with sdk_for(served[0]) as client:
        yield SecurityMonitoringApi(client)


@pytest.fixture(scope="module")
def client(served: tuple[str, Services]) -> Iterator[httpx.Client]:
    with client_for(served[0]) as client:
        yield client


_created: list[str] = []


@pytest.fixture(autouse=True)
def gone_afterwards(client: httpx.Client) -> Iterator[None]:
    """The rules of each test: at a full hour those of another would be due as well, and find the same logs."""
    yield
    while _created:
        assert client.delete(f"{RULES}/{_created.pop()}").status_code in (204, 404)


def create(sdk: SecurityMonitoringApi, **changes: Any) -> Any:
    rule = sdk.create_security_monitoring_rule(
        body=as_model(SecurityMonitoringStandardRuleCreatePayload, body(**changes))
    )
    _created.append(rule.id)
    return rule


def attributes(client: httpx.Client, rule_id: str) -> dict[str, Any]:
    answer = client.get(f"{RULES}/{rule_id}/schedule")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]["attributes"]
    return found


def steps_of(client: httpx.Client, rule_id: str, at: int) -> dict[str, Any]:
    """The steps by which the rule explains why it did not fire, by name."""
    asked = {"entity": {"@usr.id": "eve"}, "from": str(at), "to": str(at + 10 * MINUTE)}
    answer = client.post(f"{RULES}/{rule_id}/explain", json=asked)
    assert answer.status_code == 200, answer.text
    return {step["name"]: step for step in answer.json()["data"]["attributes"]["steps"]}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_schedule_comes_back_as_it_was_sent_and_says_when_it_runs(
    sdk: SecurityMonitoringApi, client: httpx.Client, clock: MovableClock
) -> None:
    rule = create(sdk, isEnabled=False)
    for answer in (rule, sdk.get_security_monitoring_rule(rule.id)):
        assert answer.scheduling_options.to_dict() == body()["schedulingOptions"]
        assert [field.to_dict() for field in answer.calculated_fields] == body()["calculatedFields"]
        assert answer.queries[0].to_dict()["index"] == "main"
    assert attributes(client, rule.id)["next_runs"] == [], "it is off"
    sdk.update_security_monitoring_rule(rule.id, body=SecurityMonitoringRuleUpdatePayload(is_enabled=True))
    found = attributes(client, rule.id)
    times = [moment(text) for text in found["next_runs"]]
    now = datetime.fromtimestamp(clock() / 1000, UTC)
    assert len(times) == 5
    assert timedelta() < times[0] - now <= timedelta(hours=2)
    assert all(at.hour % 2 == at.minute == 0 for at in times)
    assert (found["last_run"], found["runs"]) == (None, [])
    sdk.delete_security_monitoring_rule(rule.id)
    assert client.get(f"{RULES}/{rule.id}/schedule").status_code == 404
    plain = client.post(RULES, json={**body(schedulingOptions=None, calculatedFields=[]), "queries": [{"query": "x"}]})
    assert plain.status_code == 200, plain.text
    assert "has no schedule" in client.get(f"{RULES}/{plain.json()['id']}/schedule").text


def test_null_takes_the_schedule_away_and_nothing_else(sdk: SecurityMonitoringApi, client: httpx.Client) -> None:
    rule = create(sdk, isEnabled=False)
    # what only scheduled rules may have is told, not dropped
    refused = client.put(f"{RULES}/{rule.id}", json={"schedulingOptions": None})
    assert refused.status_code == 400
    targets = {detail["target"] for detail in refused.json()["error"]["details"]}
    assert targets == {"queries[0].index", "calculatedFields"}
    queries = [{"query": "source:door", "groupByFields": ["@usr.id"]}]
    live = client.put(
        f"{RULES}/{rule.id}",
        json={"schedulingOptions": None, "calculatedFields": [], "queries": queries, "tags": None, "filters": None},
    )
    assert live.status_code == 200, live.text
    assert "schedulingOptions" not in live.json() and live.json()["name"] == "Slow doors"
    again = sdk.update_security_monitoring_rule(rule.id, body=SecurityMonitoringRuleUpdatePayload(name="Doors"))
    assert not again.get("scheduling_options")
    fields = {change["field"] for change in latest_changes(client, rule.id)}
    assert fields == {"name"}
    sdk.delete_security_monitoring_rule(rule.id)


def latest_changes(client: httpx.Client, rule_id: str) -> list[dict[str, Any]]:
    versions = client.get(f"{RULES}/{rule_id}/version_history").json()["data"]["attributes"]["data"]
    changes: list[dict[str, Any]] = versions[max(versions, key=int)]["changes"]
    return changes


def test_the_times_of_a_schedule_that_is_not_stored(client: httpx.Client, clock: MovableClock) -> None:
    asked = {"rrule": "FREQ=DAILY;BYHOUR=6,18", "start": "2025-06-17T00:30:00", "timezone": "Asia/Kathmandu"}
    answer = client.post(f"{RULES}/schedule", json=asked)
    assert answer.status_code == 200, answer.text
    times = [moment(text) for text in answer.json()["data"]["next_runs"]]
    now = datetime.fromtimestamp(clock() / 1000, UTC)
    assert {(at.hour, at.minute) for at in times} == {(0, 45), (12, 45)}
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(hours=12)}
    assert len(times) == 5 and now < times[0]
    for member in asked:
        assert client.post(f"{RULES}/schedule", json={**asked, member: "x"}).json()["errors"][0].startswith(member)


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({"schedulingOptions": {**body()["schedulingOptions"], "rrule": "DTSTART=1;FREQ=DAILY"}}, "rrule"),
        ({"schedulingOptions": {**body()["schedulingOptions"], "rrule": "FREQ=MINUTELY"}}, "rrule"),
        ({"schedulingOptions": {**body()["schedulingOptions"], "timezone": "Nowhere"}}, "timezone"),
    ],
)
def test_what_is_no_schedule_is_refused_at_its_member(
    sdk: SecurityMonitoringApi, client: httpx.Client, changes: dict[str, Any], target: str
) -> None:
    with pytest.raises(ApiException) as refused:
        create(sdk, **changes)
    assert refused.value.status == 400
    answer = client.post(f"{RULES}/validation", json=body(**changes))
    (detail,) = answer.json()["error"]["details"]
    assert detail["target"] == f"schedulingOptions.{target}"


def test_a_run_raises_signals_and_is_seen_in_schedule_coverage_preview_and_job(
    sdk: SecurityMonitoringApi, client: httpx.Client, clock: MovableClock, served: tuple[str, Services]
) -> None:
    _, services = served
    every_five = {"rrule": "FREQ=MINUTELY;INTERVAL=5", "start": "2025-06-17T12:00:00", "timezone": "Asia/Kathmandu"}
    rule = create(sdk, schedulingOptions=every_five)
    plain = {
        "queries": [{"query": "source:door"}],
        "calculatedFields": [],
        "cases": [{"status": "low", "condition": "a > 90"}],
    }
    other = create(sdk, schedulingOptions=every_five, **plain)
    began = clock() + 1
    slow = [{"opening": 4, "closing": n, "usr": {"id": "eve"}} for n in (2, 3, "1.5")]  # 6, 7 and 5.5
    quick = [{"opening": 1, "closing": n, "usr": {"id": "eve"}} for n in (2, 3)]
    door = {"message": "a door", "ddsource": "door"}
    logs = [{**door, "timestamp": began + n, **log} for n, log in enumerate((*slow, *quick))]
    assert client.post("/api/v2/logs", json=logs).status_code == 202
    while services.engine.step():
        pass
    assert sdk.list_security_monitoring_signals().data == [], "no live rule"
    run_what_is_due(services)
    asked = steps_of(client, rule.id, began)["query"]
    assert asked["message"] == "Query a finds 5 of them, leaving out what a search cannot tell: #slow:true"
    assert asked["data"]["terms"] == [{"term": "source:door", "events": 5}]
    waiting = steps_of(client, other.id, began)["match"]
    assert waiting["status"] == "failed", waiting
    assert "no run has looked at this time yet" in waiting["message"]
    clock.ahead += 8 * MINUTE
    run_what_is_due(services)
    looked = steps_of(client, other.id, began)["match"]
    assert looked["status"] == "passed", looked
    while services.engine.step():
        pass
    (signal,) = client.get("/api/v2/security_monitoring/signals", params={"filter[query]": "Slow"}).json()["data"]
    custom = signal["attributes"]["custom"]
    assert custom["usr"] == {"id": "eve"}
    assert custom["workflow"]["events_matched"] == 3
    assert custom["queries"][0]["aggregationDetails"]["value"] == 18.5
    run_what_is_due(services)
    found = attributes(client, rule.id)
    assert len(found["runs"]) == 1, "once"
    assert found["last_run"]["status"] == "completed"
    assert (found["last_run"]["matches"], found["last_run"]["version"]) == (3, 1)
    assert moment(found["analysed_until"]) == moment(found["last_run"]["until"])
    assert moment(found["next_runs"][0]) - moment(found["last_run"]["until"]) == timedelta(minutes=5)
    span = {"rule_id": rule.id, "from": str(began), "to": str(began + 5 * MINUTE), "interval": 1}
    (covered,) = client.get("/api/v2/security_monitoring/coverage", params=span).json()["data"]
    statuses = [cell["status"] for cell in covered["attributes"]["cells"]]
    assert set(statuses) <= {"evaluated", "no_data", "pending", "skipped", "late"}
    around = {"from": str(began - MINUTE), "to": str(clock())}
    preview = client.post(f"{RULES}/preview", json={"rule": body(schedulingOptions=every_five), **around})
    assert preview.status_code == 200, preview.text
    shown = preview.json()["data"]
    assert (shown["signals"]["total"], shown["queries"][0]["total"]) == (1, 3)
    assert shown["next_runs"][0] in found["next_runs"]
    assert len(shown["next_runs"]) == 5
    definition = {
        "name": "Slow doors of yesterday",
        "message": "m",
        "from": began - MINUTE,
        "to": clock(),
        "index": "main",
        "queries": [{"query": "source:door #slow:true", "groupByFields": ["#slow"]}],
        "cases": [{"status": "low", "condition": "a > 2", "notifications": []}],
        "options": {name: value for name, value in WINDOWS.items() if name != "detectionMethod"},
        "calculatedFields": body()["calculatedFields"],
    }
    asked = {"data": {"type": "historicalDetectionsJobCreate", "attributes": {"jobDefinition": definition}}}
    made = client.post("/api/v2/siem-historical-detections/jobs", json=asked)
    assert made.status_code == 201, made.text
    assert services.job_runner.step()
    results = client.get(f"/api/v2/siem-historical-detections/jobs/{made.json()['data']['id']}/histsignals").json()
    assert len(results["data"]) == 1
    assert results["data"][0]["attributes"]["custom"]["groupByValues"] == {"#slow": "true"}


def test_that_nothing_came_is_a_signal_that_says_so(
    sdk: SecurityMonitoringApi, client: httpx.Client, clock: MovableClock, served: tuple[str, Services]
) -> None:
    _, services = served
    changes = {
        "name": "The vault is silent",
        "queries": [{"query": "source:vault", "aggregation": "count"}],
        "calculatedFields": [],
        "cases": [{"status": "high", "condition": "a < 1"}],
        "schedulingOptions": {"rrule": "FREQ=MINUTELY;INTERVAL=5", "start": "2025-06-17T12:00:00", "timezone": "UTC"},
        "options": {**WINDOWS, "keepAlive": 600},  # one signal, whether one run ends meanwhile or two
    }
    rule = create(sdk, **changes)
    began = clock()
    clock.ahead += 8 * MINUTE
    run_what_is_due(services)
    while services.engine.step():
        pass
    listed = client.get("/api/v2/security_monitoring/signals", params={"filter[query]": "vault"}).json()["data"]
    (signal,) = listed
    run = attributes(client, rule.id)["last_run"]
    workflow = signal["attributes"]["custom"]["workflow"]
    assert (signal["attributes"]["status"], workflow["events_matched"], run["matches"]) == ("high", 0, 0)
    told = client.get(f"/api/v2/security_monitoring/signals/{signal['id']}/explain").json()["data"]["attributes"]
    opened = round(moment(signal["attributes"]["timestamp"]).timestamp() * 1000)
    assert told["case"]["event_id"] == f"run-{opened}"
    assert told["case"]["values"] == {"a": 0}
    assert told["events"]["matched"] == 0
    around = {"from": str(began - 10 * MINUTE), "to": str(clock())}
    preview = client.post(f"{RULES}/preview", json={"rule": body(**changes), **around}).json()["data"]
    assert preview["signals"]["total"] >= 1
    assert preview["queries"][0]["total"] == 0
    backtest = client.post(
        f"{RULES}/backtest", json={"ruleId": rule.id, "from": str(began), "to": str(clock()), "limit": 10}
    )
    assert backtest.is_success, backtest.text
    assert backtest.json()["data"]["signals"] == 1
    assert [one["id"] for one in backtest.json()["data"]["shown"]] == [signal["id"]]
    sdk.delete_security_monitoring_rule(rule.id)
