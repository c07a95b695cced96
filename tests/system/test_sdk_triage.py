"""Triage of signals through the released client, unmodified but for the host."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx
import pytest
from api_server import client_for, serve, services_in
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException
from datadog_api_client.model_utils import validate_and_convert_types
from datadog_api_client.v1.api.security_monitoring_api import SecurityMonitoringApi as SecurityMonitoringApiV1
from datadog_api_client.v1.model.add_signal_to_incident_request import AddSignalToIncidentRequest
from datadog_api_client.v1.model.signal_assignee_update_request import SignalAssigneeUpdateRequest
from datadog_api_client.v1.model.signal_state_update_request import SignalStateUpdateRequest
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi
from datadog_api_client.v2.model.security_monitoring_signal_assignee_update_request import (
    SecurityMonitoringSignalAssigneeUpdateRequest,
)
from datadog_api_client.v2.model.security_monitoring_signal_incidents_update_request import (
    SecurityMonitoringSignalIncidentsUpdateRequest,
)
from datadog_api_client.v2.model.security_monitoring_signal_state_update_request import (
    SecurityMonitoringSignalStateUpdateRequest,
)
from datadog_api_client.v2.model.security_monitoring_signal_update_request import (
    SecurityMonitoringSignalUpdateRequest,
)
from datadog_api_client.v2.model.security_monitoring_signals_bulk_assignee_update_request import (
    SecurityMonitoringSignalsBulkAssigneeUpdateRequest,
)
from datadog_api_client.v2.model.security_monitoring_signals_bulk_state_update_request import (
    SecurityMonitoringSignalsBulkStateUpdateRequest,
)
from datadog_api_client.v2.model.security_monitoring_signals_bulk_update_request import (
    SecurityMonitoringSignalsBulkUpdateRequest,
)
from server import ADMIN_EMAIL, API_KEY, APP_KEY

from tocsin.api.app import create_app
from tocsin.clock import now_ms
from tocsin.signal import LOCK_AFTER_MS
from tocsin.triage.people import assignable
from tocsin.triage.service import TriageService

pytestmark = pytest.mark.system

BASE = "/api/v2/security_monitoring/signals"
BORN = now_ms()


def find_signals(ids: Iterable[str]) -> Mapping[str, int]:
    """Signals `sig-…` are new, `old-…` are locked, others do not exist."""
    ages = {"sig": 0, "old": LOCK_AFTER_MS + 1}
    return {id: BORN - ages[id[:3]] for id in ids if id[:3] in ages}


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address of the application and UUID of its administrator."""
    with services_in(tmp_path_factory.mktemp("triage"), now_ms) as given:
        given.triage = TriageService(
            given.state,
            given.audit,
            given.clock,
            find_signals=find_signals,
            find_person=assignable(given.access.users),
            project=lambda ids: None,
            lock_after_ms=LOCK_AFTER_MS,
        )
        admin = given.access.users.find_by_handle(ADMIN_EMAIL)
        assert admin is not None
        with serve(create_app(given)) as address:
            yield address, admin.uuid


@pytest.fixture(scope="module")
def client(surroundings: tuple[str, str]) -> Iterator[ApiClient]:
    configuration = Configuration(host=surroundings[0])
    configuration.api_key["apiKeyAuth"] = API_KEY
    configuration.api_key["appKeyAuth"] = APP_KEY
    with ApiClient(configuration) as opened:
        yield opened


@pytest.fixture(scope="module")
def api(client: ApiClient) -> SecurityMonitoringApi:
    return SecurityMonitoringApi(client)


@pytest.fixture(scope="module")
def http(surroundings: tuple[str, str]) -> Iterator[httpx.Client]:
    with client_for(surroundings[0]) as opened:
        yield opened


@pytest.fixture(scope="module")
def admin(surroundings: tuple[str, str]) -> str:
    return surroundings[1]


def model(kind: type, body: Any) -> Any:
    """The client's own object for a JSON body."""
    return validate_and_convert_types(body, (kind,), ["body"], True, True, Configuration())


def state(**attributes: Any) -> Any:
    return model(SecurityMonitoringSignalStateUpdateRequest, {"data": {"attributes": attributes}})


def test_archive_with_reason_and_comment(api: SecurityMonitoringApi, admin: str) -> None:
    answer = api.edit_security_monitoring_signal_state(
        signal_id="sig-1", body=state(state="archived", archive_reason="false_positive", archive_comment="scanner")
    )
    assert not answer._unparsed
    assert (answer.data.id, answer.data.type.value) == ("sig-1", "signal_metadata")
    told = answer.data.attributes
    assert (told.state.value, told.archive_reason.value, told.archive_comment) == (
        "archived",
        "false_positive",
        "scanner",
    )
    assert told.archive_comment_user.uuid == told.state_update_user.uuid == admin
    assert told.archive_comment_timestamp == told.state_update_timestamp >= BORN
    assert (told.assignee.uuid, told.assignee.id, told.assignee.name) == ("", -1, "Unassigned")
    reopened = api.edit_security_monitoring_signal_state(signal_id="sig-1", body=state(state="open")).data.attributes
    assert (reopened.state.value, reopened.archive_reason.value) == ("open", "none")


def test_assign_and_unassign(api: SecurityMonitoringApi, admin: str) -> None:
    def assign(uuid: str) -> Any:
        body = {"data": {"attributes": {"assignee": {"uuid": uuid}}}}
        return api.edit_security_monitoring_signal_assignee(
            signal_id="sig-2", body=model(SecurityMonitoringSignalAssigneeUpdateRequest, body)
        ).data.attributes.assignee

    assert (assign(admin).handle, assign(admin).id) == (ADMIN_EMAIL, 1)
    assert (assign("").uuid, assign("").id) == ("", -1)
    with pytest.raises(ApiException) as unknown:
        assign("99999999-0000-4000-8000-000000000009")
    assert unknown.value.status == 400 and "no active user" in unknown.value.body["errors"][0]


def test_incidents_are_replaced(api: SecurityMonitoringApi, http: httpx.Client) -> None:
    body = {"data": {"attributes": {"incident_ids": [2066, 7]}}}
    answer = api.edit_security_monitoring_signal_incidents(
        signal_id="sig-3", body=model(SecurityMonitoringSignalIncidentsUpdateRequest, body)
    )
    assert not answer._unparsed
    body["data"]["attributes"]["incident_ids"] = []
    told = http.patch(f"{BASE}/sig-3/incidents", json=body).json()["data"]["attributes"]
    assert told["incident_ids"] == []


def test_combined_update(api: SecurityMonitoringApi, admin: str) -> None:
    body = {"data": {"attributes": {"state": "under_review", "assignee": {"uuid": admin}}}}
    told = api.edit_security_monitoring_signal(
        signal_id="sig-4", body=model(SecurityMonitoringSignalUpdateRequest, body)
    ).data.attributes
    assert (told.state.value, told.assignee.uuid) == ("under_review", admin)


def test_answer_has_exactly_the_members_of_the_contract(http: httpx.Client) -> None:
    body = {"data": {"id": "other", "type": "signal_metadata", "attributes": {"state": "under_review"}}}
    answer = http.patch(f"{BASE}/sig-5/state", json=body).json()
    user = answer["data"]["attributes"].pop("state_update_user")
    assert user["handle"] == ADMIN_EMAIL and set(user) == {"uuid", "handle", "name", "id", "icon"}
    answer["data"]["attributes"].pop("state_update_timestamp")
    assert answer == {
        "data": {
            "id": "sig-5",
            "type": "signal_metadata",
            "attributes": {
                "state": "under_review",
                "archive_reason": "none",
                "archive_comment": "",
                "assignee": {"uuid": "", "id": -1, "name": "Unassigned"},
                "incident_ids": [],
                "version": 2,
            },
        }
    }


def test_bulk_state(api: SecurityMonitoringApi, http: httpx.Client) -> None:
    attributes = {"state": "archived", "archive_reason": "testing_or_maintenance"}
    body = {
        "data": [{"id": id, "type": "signal", "attributes": attributes} for id in ("sig-6", "old-1", "xyz", "sig-7")]
    }
    answer = api.bulk_edit_security_monitoring_signals_state(
        body=model(SecurityMonitoringSignalsBulkStateUpdateRequest, body)
    )
    assert not answer._unparsed
    assert (answer.type, answer.status, answer.result.count) == ("status", "done", 2)
    assert [(item.id, item.event.id, item.event.state.value) for item in answer.result.events] == [
        ("sig-6", "sig-6", "archived"),
        ("sig-7", "sig-7", "archived"),
    ]
    failures = http.patch(f"{BASE}/bulk/state", json=body).json()["result"]["failures"]
    assert [(failure["id"], failure["status"]) for failure in failures] == [("old-1", 403), ("xyz", 404)]
    assert "signal_locked" in failures[0]["errors"][0]


def test_bulk_assignee_and_update(api: SecurityMonitoringApi, admin: str) -> None:
    body: Any = {"data": [{"id": "sig-8", "type": "signal", "attributes": {"assignee": admin}}]}
    answer = api.bulk_edit_security_monitoring_signals_assignee(
        body=model(SecurityMonitoringSignalsBulkAssigneeUpdateRequest, body)
    )
    assert answer.result.events[0].event.assignee.uuid == admin
    body = {"data": [{"id": "sig-8", "type": "signal", "attributes": {"state": "open", "assignee": {"uuid": ""}}}]}
    answer = api.bulk_edit_security_monitoring_signals(body=model(SecurityMonitoringSignalsBulkUpdateRequest, body))
    assert answer.result.events[0].event.assignee.uuid == ""


def test_bulk_takes_199_and_refuses_200_and_none(http: httpx.Client) -> None:
    items = [{"id": f"sig-b{i}", "type": "signal", "attributes": {"state": "under_review"}} for i in range(200)]
    assert http.patch(f"{BASE}/bulk/state", json={"data": items[:199]}).json()["result"]["count"] == 199
    assert http.patch(f"{BASE}/bulk/state", json={"data": items}).status_code == 400
    assert http.patch(f"{BASE}/bulk/state", json={"data": []}).status_code == 400


@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
def test_v1(client: ApiClient, http: httpx.Client, admin: str) -> None:
    api = SecurityMonitoringApiV1(client)
    archive = model(SignalStateUpdateRequest, {"state": "archived", "archiveReason": "other"})
    assign = SignalAssigneeUpdateRequest(assignee=admin)
    link = AddSignalToIncidentRequest(incident_id=2609)
    assert api.edit_security_monitoring_signal_state(signal_id="sig-9", body=archive).status == "done"
    assert api.edit_security_monitoring_signal_assignee(signal_id="sig-9", body=assign).status == "done"
    assert api.add_security_monitoring_signal_to_incident(signal_id="sig-9", body=link).status == "done"
    told = http.patch(f"{BASE}/sig-9/update", json={"data": {"attributes": {}}}).json()["data"]["attributes"]
    assert (told["state"], told["archive_reason"], told["incident_ids"]) == ("archived", "other", [2609])
    assert told["assignee"]["uuid"] == admin


def test_history(http: httpx.Client) -> None:
    for to in ("under_review", "archived"):
        http.patch(f"{BASE}/sig-h/state", json={"data": {"attributes": {"state": to}}})
    entries = http.get(f"{BASE}/sig-h/history").json()["data"]
    assert [(entry["kind"], entry["from"], entry["to"]) for entry in entries] == [
        ("state", "open", "under_review"),
        ("state", "under_review", "archived"),
    ]
    assert entries[0]["by"] == {"name": "Administrator", "handle": ADMIN_EMAIL}
    assert entries[0]["at"] >= BORN


def test_stale_version_is_a_conflict_that_says_who_and_when(http: httpx.Client) -> None:
    body = {"data": {"attributes": {"state": "under_review", "version": 1}}}
    assert http.patch(f"{BASE}/sig-v/state", json=body).json()["data"]["attributes"]["version"] == 2
    answer = http.patch(f"{BASE}/sig-v/state", json={"data": {"attributes": {"state": "archived", "version": 1}}})
    assert answer.status_code == 409
    assert "Administrator changed state from open to under_review at " in answer.json()["errors"][0]


@pytest.mark.parametrize(
    ("signal", "attributes", "status", "said"),
    [
        ("xyz", {"state": "open"}, 404, "Signal not found"),
        ("old-1", {"state": "open"}, 403, "signal_locked"),
        ("sig-e", {"state": "closed"}, 400, "state"),
        ("sig-e", {}, 400, "state"),
        ("sig-e", {"state": "open", "archive_reason": "other"}, 400, "archived"),
    ],
)
def test_refusals(http: httpx.Client, signal: str, attributes: dict[str, Any], status: int, said: str) -> None:
    answer = http.patch(f"{BASE}/{signal}/state", json={"data": {"attributes": attributes}})
    assert answer.status_code == status
    assert said in answer.json()["errors"][0]


def test_wrong_type_is_a_bad_request(http: httpx.Client) -> None:
    body = {"data": {"type": "case", "attributes": {"state": "open"}}}
    assert http.patch(f"{BASE}/sig-e/state", json=body).status_code == 400


def test_locked_signal_can_be_linked(http: httpx.Client) -> None:
    answer = http.patch(f"{BASE}/old-2/incidents", json={"data": {"attributes": {"incident_ids": [1]}}})
    assert answer.status_code == 200


def test_anonymous_gets_401(surroundings: tuple[str, str]) -> None:
    for path in ("/sig-1/state", "/bulk/state", "/sig-1/update"):
        assert httpx.patch(f"{surroundings[0]}{BASE}{path}", json={}).status_code == 401
    assert httpx.get(f"{surroundings[0]}{BASE}/sig-1/history").status_code == 401
