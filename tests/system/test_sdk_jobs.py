"""Historical jobs through the released client, on a server that is killed while one runs (siem.md §2.24, api.md §8)."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi
from datadog_api_client.v2.model.convert_job_results_to_signals_attributes import ConvertJobResultsToSignalsAttributes
from datadog_api_client.v2.model.convert_job_results_to_signals_data import ConvertJobResultsToSignalsData
from datadog_api_client.v2.model.convert_job_results_to_signals_data_type import ConvertJobResultsToSignalsDataType
from datadog_api_client.v2.model.convert_job_results_to_signals_request import ConvertJobResultsToSignalsRequest
from datadog_api_client.v2.model.historical_job_options import HistoricalJobOptions
from datadog_api_client.v2.model.historical_job_query import HistoricalJobQuery
from datadog_api_client.v2.model.job_definition import JobDefinition
from datadog_api_client.v2.model.job_definition_from_rule import JobDefinitionFromRule
from datadog_api_client.v2.model.run_historical_job_request import RunHistoricalJobRequest
from datadog_api_client.v2.model.run_historical_job_request_attributes import RunHistoricalJobRequestAttributes
from datadog_api_client.v2.model.run_historical_job_request_data import RunHistoricalJobRequestData
from datadog_api_client.v2.model.run_historical_job_request_data_type import RunHistoricalJobRequestDataType
from datadog_api_client.v2.model.security_monitoring_rule_case_create import SecurityMonitoringRuleCaseCreate
from datadog_api_client.v2.model.security_monitoring_rule_severity import SecurityMonitoringRuleSeverity
from server import API_KEY, APP_KEY, Server
from waiting import until

pytestmark = [
    pytest.mark.system,
    pytest.mark.filterwarnings("ignore:Using unstable operation"),
]

DAY = 86_400_000
OPERATIONS = (
    "run_historical_job",
    "get_historical_job",
    "list_historical_jobs",
    "cancel_historical_job",
    "delete_historical_job",
    "convert_job_result_to_signal",
    "get_security_monitoring_histsignal",
    "get_security_monitoring_histsignals_by_job_id",
)
"""The client wants to be asked twice for these."""

OLD = 40
"""Days back: live detection does not look at these, jobs do."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("jobs") / "data", logs_retention_days="0").running() as running:
        yield running


@pytest.fixture(scope="module")
def began(server: Server) -> int:
    """Thirty attempts of eve, five of bob, forty days ago."""
    at = int(time.time() * 1000) - OLD * DAY
    logs = [
        {"message": f"knock {n} at the cellar", "timestamp": at + n * 1000, "ddsource": "door", "usr": {"id": user}}
        for user, count in (("eve", 30), ("bob", 5))
        for n in range(count)
    ]
    server.post("/api/v2/logs", logs)
    search = {"filter": {"query": "source:door", "from": str(at - DAY), "to": str(at + DAY)}, "page": {"limit": 100}}
    until(lambda: server.post("/api/v2/logs/events/search", search)["data"], lambda found: len(found) == 35)
    return at


@pytest.fixture
def client(server: Server) -> Iterator[SecurityMonitoringApi]:
    configuration = Configuration(host=server.url)
    configuration.api_key["apiKeyAuth"] = API_KEY
    configuration.api_key["appKeyAuth"] = APP_KEY
    for operation in OPERATIONS:
        configuration.unstable_operations[operation] = True
    with ApiClient(configuration) as connection:
        yield SecurityMonitoringApi(connection)


def request(**attributes: Any) -> RunHistoricalJobRequest:
    return RunHistoricalJobRequest(
        data=RunHistoricalJobRequestData(
            type=RunHistoricalJobRequestDataType.HISTORICALDETECTIONSJOBCREATE,
            attributes=RunHistoricalJobRequestAttributes(**attributes),
        )
    )


def definition(began: int, threshold: int = 3, **more: Any) -> JobDefinition:
    return JobDefinition(
        name="Knocks at the cellar",
        message="{{@usr.id}} knocked",
        _from=began - DAY,
        to=began + DAY,
        index="main",
        queries=[HistoricalJobQuery(query="source:door knock", group_by_fields=["@usr.id"])],
        cases=[
            SecurityMonitoringRuleCaseCreate(
                status=SecurityMonitoringRuleSeverity.LOW, condition=f"a > {threshold}", notifications=["@night@x.org"]
            )
        ],
        options=HistoricalJobOptions(),
        tags=["team:night"],
        **more,
    )


def status_of(client: SecurityMonitoringApi, job_id: str) -> str:
    return str(client.get_historical_job(job_id).data.attributes.job_status)


def finished(client: SecurityMonitoringApi, job_id: str) -> Any:
    until(lambda: status_of(client, job_id), lambda status: status not in ("pending", "running"))
    return client.get_historical_job(job_id).data.attributes


def test_a_job_finds_what_live_detection_did_not_look_at(
    server: Server, client: SecurityMonitoringApi, began: int
) -> None:
    job_id = client.run_historical_job(request(job_definition=definition(began))).data.id
    job = finished(client, job_id)
    assert (job.job_status, job.progress_rate, job.job_name) == ("completed", 1.0, "Knocks at the cellar")
    assert (job.created_by_handle, job.signal_output) == ("admin@example.com", True)
    assert (job.job_definition._from, job.job_definition.index) == (began - DAY, "main")
    found = client.get_security_monitoring_histsignals_by_job_id(job_id).data
    assert sorted(signal.attributes.message for signal in found) == ["bob knocked", "eve knocked"]
    eve = next(signal for signal in found if signal.attributes.message == "eve knocked")
    assert eve.attributes.custom["workflow"]["events_matched"] == 30
    only = client.get_security_monitoring_histsignals_by_job_id(job_id, filter_query="@usr.id:bob").data
    assert [signal.attributes.message for signal in only] == ["bob knocked"]
    with pytest.raises(ApiException, match="parenthesis was never opened") as refused:
        client.get_security_monitoring_histsignals_by_job_id(job_id, filter_query="@usr.id:bob) OR (@usr.id:eve")
    assert refused.value.status == 400
    assert client.get_security_monitoring_histsignal(eve.id).data.id == eve.id
    body = {"filter": {"query": "@usr.id:eve", "from": str(began - DAY), "to": str(began + DAY)}}
    everywhere = server.post("/api/v2/siem-threat-hunting/histsignals/search", body)["data"]
    assert eve.id in {signal["id"] for signal in everywhere}
    explorer = {"filter": {"query": "*", "from": str(began - DAY), "to": str(began + DAY)}}
    assert server.post("/api/v2/security_monitoring/signals/search", explorer)["data"] == []


def test_results_become_signals_once(server: Server, client: SecurityMonitoringApi, began: int) -> None:
    job_id = client.run_historical_job(request(job_definition=definition(began, threshold=10))).data.id
    assert finished(client, job_id).job_status == "completed"
    (eve,) = client.get_security_monitoring_histsignals_by_job_id(job_id).data
    asked = ConvertJobResultsToSignalsRequest(
        data=ConvertJobResultsToSignalsData(
            type=ConvertJobResultsToSignalsDataType.HISTORICALDETECTIONSJOBRESULTSIGNALCONVERSION,
            attributes=ConvertJobResultsToSignalsAttributes(
                job_result_ids=[eve.id],
                notifications=["@day@x.org"],
                signal_message="It was eve",
                signal_severity=SecurityMonitoringRuleSeverity.CRITICAL,
            ),
        )
    )
    client.convert_job_result_to_signal(asked)
    search = {"filter": {"query": "status:critical", "from": str(began - DAY), "to": str(began + DAY)}}
    (signal,) = server.post("/api/v2/security_monitoring/signals/search", search)["data"]
    assert signal["attributes"]["message"] == "It was eve"
    assert signal["attributes"]["custom"]["triggeringRuleCase"]["notifications"] == ["@day@x.org"]
    assert signal["attributes"]["custom"]["workflow"]["triage"]["state"] == "open"
    assignee = {"data": {"attributes": {"state": "under_review"}}}
    with server.client() as http:  # locked by its age (siem.md §3.4), but there
        assert http.patch(f"/api/v2/security_monitoring/signals/{signal['id']}/state", json=assignee).status_code == 403
    client.convert_job_result_to_signal(asked)
    assert len(server.post("/api/v2/security_monitoring/signals/search", search)["data"]) == 1


def test_from_a_rule_with_one_of_its_cases(server: Server, client: SecurityMonitoringApi, began: int) -> None:
    body = {
        "name": "Doors",
        "message": "",
        "isEnabled": True,
        "queries": [{"query": "source:door knock", "groupByFields": ["@usr.id"]}],
        "cases": [{"status": "high", "condition": "a > 20"}, {"status": "low", "condition": "a > 3"}],
        "options": {"evaluationWindow": 300, "keepAlive": 300, "maxSignalDuration": 3600},
    }
    rule = server.post("/api/v2/security_monitoring/rules", body)
    asked = JobDefinitionFromRule(
        id=rule["id"], _from=began - DAY, to=began + DAY, index="main", case_index=0, notifications=["@a@x.org"]
    )
    job_id = client.run_historical_job(request(from_rule=asked, signal_output=True)).data.id
    job = finished(client, job_id)
    assert (job.job_status, job.created_from_rule_id) == ("completed", rule["id"])
    (eve,) = client.get_security_monitoring_histsignals_by_job_id(job_id).data
    assert eve.attributes.custom["triggeringRuleCase"]["notifications"] == ["@a@x.org"]
    counted = client.run_historical_job(request(from_rule=asked, signal_output=False)).data.id
    assert finished(client, counted).job_status == "completed"
    assert client.get_security_monitoring_histsignals_by_job_id(counted).data == []
    shown = server.get(f"/api/v2/siem-threat-hunting/jobs/{counted}")["data"]["attributes"]
    assert (shown["resultCount"], shown["signalOutput"]) == (1, False)


def test_listed_cancelled_deleted(server: Server, client: SecurityMonitoringApi, began: int) -> None:
    job_id = client.run_historical_job(request(job_definition=definition(began))).data.id
    finished(client, job_id)
    listed = client.list_historical_jobs(page_size=1, sort="-created_at", filter_query="cellar")
    assert [job.id for job in listed.data] == [job_id]
    assert listed.meta.total_count >= 1
    with pytest.raises(ApiException) as late:
        client.cancel_historical_job(job_id)
    assert late.value.status == 409
    client.delete_historical_job(job_id)
    with pytest.raises(ApiException) as gone:
        client.get_historical_job(job_id)
    assert gone.value.status == 404
    body = {"filter": {"query": f"@workflow.job.id:{job_id}", "from": str(began - DAY), "to": str(began + DAY)}}
    assert server.post("/api/v2/siem-historical-detections/histsignals/search", body)["data"] == []
    audit = {"filter": {"query": f"@asset.id:{job_id}", "from": "now-1h", "to": "now+1h"}}
    found = until(lambda: server.post("/api/v2/audit/events/search", audit)["data"], lambda found: len(found) == 2)
    assert {event["attributes"]["attributes"]["action"] for event in found} == {"created", "deleted"}


def test_what_is_wrong_is_said_in_shape_2(server: Server, began: int) -> None:
    jobs = "/api/v2/siem-historical-detections/jobs"
    kind = "historicalDetectionsJobCreate"
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({}, 400, "either fromRule or jobDefinition"),
        ({"fromRule": {"id": "aaa-bbb-ccc", "from": 1, "to": 2, "index": "main"}}, 404, "not found"),
        ({"fromRule": {"id": "x", "from": 1, "to": 2, "index": "cold"}}, 400, "index 'cold' does not exist"),
        ({"jobDefinition": {"name": "x", "message": "", "from": 1, "to": 2, "index": "main"}}, 400, "Invalid rule"),
        ({"jobDefinition": {"from": 2, "to": 1, "index": "main"}}, 400, "later than"),
    ]
    with server.client() as http:
        for attributes, status, reason in wrong:
            answer = http.post(jobs, json={"data": {"type": kind, "attributes": attributes}})
            assert answer.status_code == status, answer.text
            assert reason in answer.json()["errors"][0]["detail"]
        malformed = http.get(f"{jobs}/nonsense")
        assert (malformed.status_code, malformed.json()["errors"][0]["detail"]) == (400, "invalid jobId")
        assert http.get(f"{jobs}/11111111-1111-4111-8111-111111111111").status_code == 404


def test_a_kill_loses_and_doubles_nothing(server: Server, client: SecurityMonitoringApi, began: int) -> None:
    job_ids = [client.run_historical_job(request(job_definition=definition(began))).data.id for _ in range(4)]
    server.kill()
    server.start()
    for job_id in job_ids:
        assert finished(client, job_id).job_status == "completed"
        assert len(client.get_security_monitoring_histsignals_by_job_id(job_id).data) == 2
