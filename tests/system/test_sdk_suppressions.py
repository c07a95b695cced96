"""Suppressions through the released client, unmodified but for the host (api.md §6)."""

import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from api_server import RULE, as_model, client_for, sdk_for, serve, services_in
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi
from datadog_api_client.v2.model.security_monitoring_standard_rule_create_payload import (
    SecurityMonitoringStandardRuleCreatePayload,
)
from datadog_api_client.v2.model.security_monitoring_suppression_create_request import (
    SecurityMonitoringSuppressionCreateRequest,
)
from datadog_api_client.v2.model.security_monitoring_suppression_sort import SecurityMonitoringSuppressionSort
from datadog_api_client.v2.model.security_monitoring_suppression_update_request import (
    SecurityMonitoringSuppressionUpdateRequest,
)

from tocsin.api.app import create_app
from tocsin.clock import now_ms
from tocsin.event import Event
from tocsin.rules.ids import is_rule_id, new_rule_id
from tocsin.rules.service import RulesService
from tocsin.suppressions.service import SuppressionsService

pytestmark = pytest.mark.system

BASE = "/api/v2/security_monitoring/configuration/suppressions"

BODY: dict[str, Any] = {
    "name": "Pen test week",
    "enabled": True,
    "rule_query": "type:log_detection source:sshd",
    "suppression_query": "@network.client.ip:198.51.100.7",
    "description": "agreed",
    "start_date": 1767225600000,
    "expiration_date": 4070908800000,
    "tags": ["team:soc"],
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with services_in(tmp_path_factory.mktemp("suppressions"), now_ms) as given:
        given.rules = RulesService(given.state, given.audit, given.clock, to_event=lambda payload: Event("e", 0))
        given.suppressions = SuppressionsService(
            given.state,
            given.audit,
            given.clock,
            given.rules,
            new_id=lambda: new_rule_id(secrets.randbelow),
        )
        with serve(create_app(given)) as url:
            yield url


@pytest.fixture(scope="module")
def api(address: str) -> Iterator[SecurityMonitoringApi]:
    with sdk_for(address) as client:
        yield SecurityMonitoringApi(client)


@pytest.fixture(scope="module")
def http(address: str) -> Iterator[httpx.Client]:
    with client_for(address) as client:
        yield client


def wrapped(**attributes: Any) -> dict[str, Any]:
    return {"data": {"type": "suppressions", "attributes": attributes}}


def create(api: SecurityMonitoringApi, **changes: Any) -> Any:
    body = as_model(SecurityMonitoringSuppressionCreateRequest, wrapped(**{**BODY, **changes}))
    answer = api.create_security_monitoring_suppression(body=body)
    assert not answer._unparsed
    return answer.data


def test_create_read_change_delete(api: SecurityMonitoringApi, http: httpx.Client) -> None:
    made = create(api)
    assert is_rule_id(made.id) and made.type.value == "suppressions"
    told = http.get(f"{BASE}/{made.id}").json()["data"]["attributes"]
    by = {"handle": "admin@example.com", "name": "Administrator"}
    assert told == {
        **BODY,
        "data_exclusion_query": "",
        "version": 1,
        "editable": True,
        "creation_date": told["creation_date"],
        "update_date": told["creation_date"],
        "creator": by,
        "updater": by,
    }
    patch = as_model(
        SecurityMonitoringSuppressionUpdateRequest, wrapped(enabled=False, expiration_date=None, version=1)
    )
    changed = api.update_security_monitoring_suppression(suppression_id=made.id, body=patch).data.attributes
    assert (changed.version, changed.enabled, changed.name) == (2, False, "Pen test week")
    read = api.get_security_monitoring_suppression(suppression_id=made.id)
    assert "expiration_date" not in read.data.attributes and read.data.attributes.start_date == 1767225600000
    with pytest.raises(ApiException) as stale:
        api.update_security_monitoring_suppression(suppression_id=made.id, body=patch)
    assert (stale.value.status, "you saw version 1" in stale.value.body["errors"][0]) == (409, True)
    history = api.get_suppression_version_history(suppression_id=made.id)
    assert not history._unparsed and history.data.attributes.count == 2
    second = history.data.attributes.data["2"]
    assert [(change.field, change.type.value) for change in second.changes] == [
        ("enabled", "update"),
        ("expiration_date", "delete"),
    ]
    assert second.suppression.enabled is False and history.data.attributes.data["1"].suppression.enabled is True
    api.delete_security_monitoring_suppression(suppression_id=made.id)
    for call in (api.get_security_monitoring_suppression, api.delete_security_monitoring_suppression):
        with pytest.raises(ApiException) as gone:
            call(suppression_id=made.id)
        assert gone.value.status == 404


def test_tags_are_a_set(api: SecurityMonitoringApi, http: httpx.Client) -> None:
    made = create(api, tags=["b:2", "a:1", "b:2"])
    assert made.attributes.tags == ["a:1", "b:2"]
    assert http.get(f"{BASE}/{made.id}").json()["data"]["attributes"]["tags"] == ["a:1", "b:2"]


def test_list_searches_sorts_and_pages(api: SecurityMonitoringApi) -> None:
    names = ["list c", "list a", "list b"]
    made = {name: create(api, name=name, description="for the list").id for name in names}
    found = api.list_security_monitoring_suppressions(query='"for the list"')
    assert [one.attributes.name for one in found.data] == sorted(names)
    page = api.list_security_monitoring_suppressions(
        query='"for the list"',
        sort=SecurityMonitoringSuppressionSort.NAME_DESCENDING,
        page_size=2,
        page_number=1,
    )
    assert [one.attributes.name for one in page.data] == ["list a"]
    assert (page.meta.page.total_count, page.meta.page.page_size, page.meta.page.page_number) == (3, 2, 1)
    one = api.list_security_monitoring_suppressions(query=f"id:{made['list b']}")
    assert [item.id for item in one.data] == [made["list b"]]
    newest = api.list_security_monitoring_suppressions(
        query="team:soc list", sort=SecurityMonitoringSuppressionSort.CREATION_DATE_DESCENDING, page_size=-1
    )
    assert [item.attributes.name for item in newest.data] == ["list b", "list a", "list c"]


def test_validation_names_the_field(api: SecurityMonitoringApi, http: httpx.Client) -> None:
    good = as_model(SecurityMonitoringSuppressionCreateRequest, wrapped(**BODY))
    assert api.validate_security_monitoring_suppression(body=good) is None
    for change, said in (
        ({"rule_query": "source:("}, "rule_query: "),
        ({"rule_query": " "}, "rule_query cannot be empty"),
        ({"suppression_query": ""}, "suppression_query or data_exclusion_query is needed"),
        ({"data_exclusion_query": "@a:["}, "data_exclusion_query: "),
        ({"name": ""}, "name cannot be empty"),
        ({"expiration_date": 5}, "expiration_date must be later than start_date"),
    ):
        for path in (f"{BASE}/validation", BASE):
            answer = http.post(path, json=wrapped(**{**BODY, **change}))
            assert answer.status_code == 400, change
            assert any(said in reason for reason in answer.json()["errors"]), answer.text
    assert http.post(BASE, json={"data": {"type": "rules", "attributes": BODY}}).status_code == 400
    assert http.post(BASE, json=wrapped(**{**BODY, "enabled": "yes"})).status_code == 400


def test_suppressions_that_concern_a_rule(api: SecurityMonitoringApi, http: httpx.Client) -> None:
    payload = as_model(SecurityMonitoringStandardRuleCreatePayload, RULE)
    rule = api.create_security_monitoring_rule(body=payload)
    by_source = create(api, name="r source").id
    by_id = create(api, name="r id", rule_query=f"ruleId:{rule.id}").id
    create(api, name="r other", rule_query="source:okta")
    create(api, name="r off", enabled=False)
    create(api, name="r gone", start_date=1, expiration_date=2)
    concerning = {one.id for one in api.get_suppressions_affecting_rule(rule_id=rule.id).data}
    assert {by_source, by_id} <= concerning
    names = {one.attributes.name for one in api.get_suppressions_affecting_rule(rule_id=rule.id).data}
    assert not names & {"r other", "r off", "r gone"}
    future = {one.id for one in api.get_suppressions_affecting_future_rule(body=payload).data}
    assert by_source in future and by_id not in future
    with pytest.raises(ApiException) as unknown:
        api.get_suppressions_affecting_rule(rule_id="aaa-aaa-aaa")
    assert unknown.value.status == 404
    assert http.post(f"{BASE}/rules", json={**RULE, "queries": []}).status_code == 400
