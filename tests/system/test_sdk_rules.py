"""Detection rules through the released client, unmodified but for the host."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_server import as_model, client_for, sdk_for, serve, services_in
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi
from datadog_api_client.v2.model.security_monitoring_rule_bulk_delete_payload import (
    SecurityMonitoringRuleBulkDeletePayload,
)
from datadog_api_client.v2.model.security_monitoring_rule_convert_payload import SecurityMonitoringRuleConvertPayload
from datadog_api_client.v2.model.security_monitoring_rule_test_request import SecurityMonitoringRuleTestRequest
from datadog_api_client.v2.model.security_monitoring_rule_update_payload import SecurityMonitoringRuleUpdatePayload
from datadog_api_client.v2.model.security_monitoring_standard_rule_create_payload import (
    SecurityMonitoringStandardRuleCreatePayload,
)
from datadog_api_client.v2.model.security_monitoring_standard_rule_payload import SecurityMonitoringStandardRulePayload

from tocsin.api.app import create_app
from tocsin.clock import now_ms
from tocsin.event import Event
from tocsin.rules.service import RulesService

pytestmark = pytest.mark.system

BASE = "/api/v2/security_monitoring/rules"

BODY: dict[str, Any] = {
    "type": "log_detection",
    "name": "Door rattled",
    "isEnabled": True,
    "message": "{{@usr.id}}",
    "tags": ["tactic:TA0006-credential-access", "source:sshd"],
    "filters": [],
    "hasExtendedTitle": True,
    "groupSignalsBy": ["host"],
    "queries": [
        {
            "name": "failed",
            "query": "source:sshd failed",
            "aggregation": "count",
            "groupByFields": ["host", "@usr.id"],
            "distinctFields": [],
            "hasOptionalGroupByFields": False,
            "dataSource": "logs",
        },
        {
            "name": "",
            "query": "source:sshd accepted",
            "aggregation": "cardinality",
            "groupByFields": ["host", "@usr.id"],
            "distinctFields": ["@network.client.ip"],
            "hasOptionalGroupByFields": True,
            "dataSource": "logs",
        },
    ],
    "cases": [
        {"name": "then success", "status": "high", "condition": "failed > 20 && b > 0", "notifications": ["@soc"]},
        {"name": "", "status": "low", "condition": "failed > 20", "notifications": []},
    ],
    "options": {"detectionMethod": "threshold", "evaluationWindow": 300, "keepAlive": 3600, "maxSignalDuration": 86400},
}
ANSWERED = [
    "id",
    "version",
    "createdAt",
    "creationAuthorId",
    "updatedAt",
    "updateAuthorId",
    "isDefault",
    "isDeleted",
    "creator",
    "updater",
]


def to_event(payload: Any) -> Event:
    return Event("e", 0, message=payload.get("message", ""), source=payload.get("ddsource"), attributes=dict(payload))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with services_in(Path(tmp_path_factory.mktemp("rules")), now_ms) as given:
        given.rules = RulesService(given.state, given.audit, given.clock, to_event=to_event)
        with serve(create_app(given)) as address:
            yield address


@pytest.fixture(scope="module")
def api(url: str) -> Iterator[SecurityMonitoringApi]:
    with sdk_for(url, unstable=("get_rule_version_history", "restore_security_monitoring_rule")) as client:
        yield SecurityMonitoringApi(client)


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx.Client]:
    with client_for(url) as client:
        yield client


def payload(**changes: Any) -> Any:
    return as_model(SecurityMonitoringStandardRuleCreatePayload, {**BODY, **changes})


@pytest.fixture
def made(api: SecurityMonitoringApi) -> Any:
    return api.create_security_monitoring_rule(body=payload())


def test_answer_echoes_what_was_sent(http: httpx.Client) -> None:
    answer = http.post(BASE, json=BODY)
    assert answer.status_code == 200
    assert {name: value for name, value in answer.json().items() if name not in ANSWERED} == BODY
    assert http.get(f"{BASE}/{answer.json()['id']}").json() == answer.json()


def test_create_get_update_delete(api: SecurityMonitoringApi, made: Any) -> None:
    assert not made._unparsed and made.id.count("-") == 2
    assert (made.version, made.is_default, made.type.value) == (1, False, "log_detection")
    found = api.get_security_monitoring_rule(rule_id=made.id)
    assert found.to_dict() == made.to_dict()
    changed = api.update_security_monitoring_rule(
        rule_id=made.id, body=SecurityMonitoringRuleUpdatePayload(name="Renamed", is_enabled=False, version=1)
    )
    assert (changed.name, changed.is_enabled, changed.version, changed.message) == ("Renamed", False, 2, "{{@usr.id}}")
    with pytest.raises(ApiException) as stale:
        api.update_security_monitoring_rule(
            rule_id=made.id, body=SecurityMonitoringRuleUpdatePayload(name="Late", version=1)
        )
    assert stale.value.status == 409
    api.delete_security_monitoring_rule(rule_id=made.id)
    with pytest.raises(ApiException) as gone:
        api.get_security_monitoring_rule(rule_id=made.id)
    assert gone.value.status == 404


def test_list_pages_and_searches(api: SecurityMonitoringApi) -> None:
    for number in range(3):
        api.create_security_monitoring_rule(body=payload(name=f"listed {number}", tags=["team:lister"]))
    page = api.list_security_monitoring_rules(page_size=2, page_number=0, query="team:lister", sort="-name")
    assert [rule.name for rule in page.data] == ["listed 2", "listed 1"]
    assert page.meta.page.total_filtered_count == 3 <= page.meta.page.total_count
    rest = api.list_security_monitoring_rules(page_size=2, page_number=1, query="team:lister", sort="-name")
    assert [rule.name for rule in rest.data] == ["listed 0"]


def test_list_counts_facets_on_request(http: httpx.Client, made: Any) -> None:
    facets = http.get(BASE, params={"facets": "true"}).json()["meta"]["facets"]
    assert {"value": "log_detection", "count": sum(f["count"] for f in facets["type"])} in facets["type"]
    assert "facets" not in http.get(BASE).json()["meta"]


@pytest.mark.parametrize(
    "params", [{"page[size]": "0"}, {"page[size]": "101"}, {"page[number]": "-1"}, {"sort": "x"}, {"query": "a AND"}]
)
def test_bad_list_parameters(http: httpx.Client, params: dict[str, str]) -> None:
    answer = http.get(BASE, params=params)
    assert answer.status_code == 400 and answer.json()["errors"]


def test_validate(api: SecurityMonitoringApi, http: httpx.Client) -> None:
    api.validate_security_monitoring_rule(body=as_model(SecurityMonitoringStandardRulePayload, BODY))
    answer = http.post(f"{BASE}/validation", json={**BODY, "queries": [{"query": ""}], "cases": []})
    assert answer.status_code == 400
    assert answer.json()["errors"][0] == "Invalid rule configuration"
    assert "Query filter cannot be empty" in answer.json()["errors"]
    details = answer.json()["error"]["details"]
    assert {detail["target"] for detail in details} >= {"queries[0].query", "cases"}
    assert http.post(f"{BASE}/validation", json=BODY).content == b""


@pytest.mark.parametrize("body", ["[]", "null", "7", '"rule"', "{}", "{", '{"name": 1}'])
def test_nonsense_is_a_bad_request(http: httpx.Client, body: str) -> None:
    for method, path in (("POST", BASE), ("POST", f"{BASE}/validation"), ("POST", f"{BASE}/convert")):
        answer = http.request(method, path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, (path, answer.text)


def test_unit_tests(api: SecurityMonitoringApi, http: httpx.Client, made: Any) -> None:
    log = {"ddsource": "sshd", "message": "failed password", "usr": {"id": "root"}}
    payloads = [
        {"index": 0, "expectedResult": True, "payload": log},
        {"index": 1, "expectedResult": True, "payload": log},
    ]
    unsaved = http.post(f"{BASE}/test", json={"rule": BODY, "ruleQueryPayloads": payloads})
    assert (unsaved.status_code, unsaved.json()) == (200, {"results": [True, False]})
    stored = http.post(f"{BASE}/{made.id}/test", json={"ruleQueryPayloads": payloads})
    assert stored.json() == {"results": [True, False]}
    assert http.post(f"{BASE}/no-suc-hxx/test", json={"ruleQueryPayloads": payloads}).status_code == 404
    log.pop("usr")
    body = as_model(SecurityMonitoringRuleTestRequest, {"rule": BODY, "ruleQueryPayloads": payloads})
    assert api.test_security_monitoring_rule(body=body).results == [True, False]
    assert api.test_existing_security_monitoring_rule(rule_id=made.id, body=body).results == [True, False]


def test_bulk_delete(api: SecurityMonitoringApi, made: Any) -> None:
    body = as_model(
        SecurityMonitoringRuleBulkDeletePayload,
        {"data": {"type": "bulk_delete_rules", "attributes": {"ruleIds": [made.id, "no-suc-hxx"]}}},
    )
    answer = api.bulk_delete_security_monitoring_rules(body=body)
    assert answer.data.attributes.deleted_rules == [made.id]
    assert answer.data.attributes.failed_rules == ["no-suc-hxx"]


@pytest.mark.filterwarnings("ignore:Using unstable operation")
def test_history_and_restore(api: SecurityMonitoringApi, made: Any) -> None:
    api.update_security_monitoring_rule(rule_id=made.id, body=SecurityMonitoringRuleUpdatePayload(name="Second"))
    history = api.get_rule_version_history(rule_id=made.id).data
    assert (history.id, history.attributes.count) == (made.id, 2)
    assert history.attributes.data["1"].rule.name == "Door rattled"
    (change,) = history.attributes.data["2"].changes
    assert (change.type.value, change.field) == ("update", "name")
    restored = api.restore_security_monitoring_rule(rule_id=made.id, version=1)
    assert (restored.name, restored.version) == ("Door rattled", 3)
    for version, status in ((3, 409), (9, 404)):
        with pytest.raises(ApiException) as refused:
            api.restore_security_monitoring_rule(rule_id=made.id, version=version)
        assert refused.value.status == status


def test_restore_answers_errors_in_their_own_shape(http: httpx.Client, made: Any) -> None:
    answer = http.post(f"{BASE}/{made.id}/restore/1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "AlreadyExists")


def test_convert(api: SecurityMonitoringApi, made: Any) -> None:
    answer = api.convert_existing_security_monitoring_rule(rule_id=made.id)
    assert answer.rule_id == made.id
    assert answer.terraform_content.startswith('resource "datadog_security_monitoring_rule" "Door_rattled" {\n')
    unsaved = api.convert_security_monitoring_rule_from_json_to_terraform(
        body=as_model(SecurityMonitoringRuleConvertPayload, BODY)
    )
    assert unsaved.terraform_content == answer.terraform_content


def test_zips(http: httpx.Client, made: Any) -> None:
    for path, type_, suffix in (
        ("bulk_export", "security_monitoring_rules_bulk_export", ".json"),
        ("convert/bulk", "security_monitoring_rules_convert_bulk", ".tf"),
    ):
        body = {"data": {"type": type_, "attributes": {"ruleIds": [made.id]}}}
        answer = http.post(f"{BASE}/{path}", json=body)
        assert answer.headers["content-type"] == "application/zip"
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        assert archive.namelist() == [f"Door rattled{suffix}"]
        if suffix == ".json":
            assert json.loads(archive.read(archive.namelist()[0]))["id"] == made.id
        body["data"]["attributes"]["ruleIds"] = ["no-suc-hxx"]
        assert http.post(f"{BASE}/{path}", json=body).status_code == 404


def test_a_search_that_finds_no_rule_says_what_was_meant(http: httpx.Client, made: Any) -> None:
    meta = http.get(BASE, params={"query": "severity:hihg"}).json()["meta"]
    assert [(hint["message"], hint["fix"]) for hint in meta["hints"]] == [
        ("no rule has severity:hihg: did you mean high?", "severity:high")
    ]
    assert "hints" not in http.get(BASE, params={"query": "nothing at all"}).json()["meta"]


def test_hints(http: httpx.Client) -> None:
    answer = http.post(f"{BASE}/hints", json={**BODY, "tags": ["tactic:TA0001-x", "technique:T1110-brute-force"]})
    assert [(hint["target"], hint["code"]) for hint in answer.json()["data"]] == [("tags[1]", "wrong_pair")]


def test_what_is_not_supported_yet_is_refused_by_name(http: httpx.Client) -> None:
    answer = http.post(BASE, json={**BODY, "type": "workload_security"})
    assert answer.status_code == 400
    assert any("Rule type 'workload_security' is not supported yet" in reason for reason in answer.json()["errors"])


def test_anonymous_gets_401(url: str) -> None:
    for method, path in (("GET", BASE), ("POST", BASE), ("PUT", f"{BASE}/x"), ("DELETE", f"{BASE}/bulk_delete")):
        assert httpx.request(method, f"{url}{path}").status_code == 401
