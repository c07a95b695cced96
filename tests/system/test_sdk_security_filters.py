"""Security filters through the released client, and which logs rules see."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from api_server import as_model, client_for, sdk_for, serve_services
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi
from datadog_api_client.v2.model.security_filter_create_request import SecurityFilterCreateRequest
from datadog_api_client.v2.model.security_filter_update_request import SecurityFilterUpdateRequest

from tocsin.access.audit import drain
from tocsin.query.sql import Sql

pytestmark = pytest.mark.system

BODY = {
    "name": "Production",
    "query": "env:prod",
    "is_enabled": True,
    "filtered_data_type": "logs",
    "exclusion_filters": [{"name": "Health checks", "query": "service:health"}],
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any]]:
    with serve_services(tmp_path_factory.mktemp("filters")) as served:
        yield served


@pytest.fixture(scope="module")
def sdk(served: tuple[str, Any]) -> Iterator[SecurityMonitoringApi]:
    with sdk_for(served[0]) as client:
        yield SecurityMonitoringApi(client)


@pytest.fixture(scope="module")
def client(served: tuple[str, Any]) -> Iterator[httpx.Client]:
    with client_for(served[0]) as client:
        yield client


def filter_model(kind: Any, attributes: dict[str, Any]) -> Any:
    return as_model(kind, {"data": {"type": "security_filters", "attributes": attributes}})


def test_a_filter_decides_what_rules_see(
    sdk: SecurityMonitoringApi, client: httpx.Client, served: tuple[str, Any]
) -> None:
    _, services = served
    (builtin,) = sdk.list_security_filters().data
    assert (builtin.attributes.query, builtin.attributes.is_builtin, builtin.attributes.version) == ("*", True, 1)
    rule = {
        "name": "anything",
        "message": "m",
        "isEnabled": True,
        "queries": [{"name": "a", "query": "source:gate"}],
        "cases": [{"status": "low", "condition": "a > 0"}],
        "options": {"evaluationWindow": 60, "keepAlive": 300, "maxSignalDuration": 300},
    }
    rule_id = client.post("/api/v2/security_monitoring/rules", json=rule).json()["id"]

    def matches(env: str, service: str) -> bool:
        """Whether the rule sees a new log of this environment and service."""

        def count() -> int:
            found = services.events.query(
                Sql("SELECT count() AS n FROM matches WHERE rule_id = {id:String}", {"id": rule_id})
            )
            return int(found[0]["n"])

        before = count()
        log = {"ddsource": "gate", "ddtags": f"env:{env}", "service": service, "message": f"{env} {service} {before}"}
        assert client.post("/api/v2/logs", json=[log]).status_code == 202
        return count() > before

    assert matches("dev", "door")
    made = sdk.create_security_filter(body=filter_model(SecurityFilterCreateRequest, BODY)).data
    assert (made.attributes.version, made.attributes.is_builtin) == (1, False)
    assert sdk.get_security_filter(made.id).data.attributes.exclusion_filters[0].name == "Health checks"
    assert matches("dev", "bell"), "the built-in filter still takes all logs"
    off = {"is_enabled": False, "version": 1}
    sdk.update_security_filter(builtin.id, body=filter_model(SecurityFilterUpdateRequest, off))
    assert not matches("dev", "lock")
    assert matches("prod", "lock")
    assert not matches("prod", "health")
    with pytest.raises(ApiException) as stale:
        sdk.update_security_filter(builtin.id, body=filter_model(SecurityFilterUpdateRequest, off))
    assert stale.value.status == 409
    sdk.delete_security_filter(made.id)
    assert not matches("prod", "key"), "no enabled filter: no log is analysed"
    sdk.update_security_filter(builtin.id, body=filter_model(SecurityFilterUpdateRequest, {"is_enabled": True}))
    assert matches("dev", "key")

    history = sdk.list_security_filter_versions().data
    assert [one.attributes.version for one in history] == [5, 4, 3, 2, 1]
    assert [len(one.attributes.filters) for one in history] == [1, 1, 2, 2, 1]
    assert [one.attributes.filters[0].is_enabled for one in history] == [True, False, False, True, True]
    while drain(services.outbox, services.events, services.clock):
        pass
    entries = client.get("/api/v2/audit/events", params={"filter[query]": f"@asset.id:{made.id}"}).json()["data"]
    assert {entry["attributes"]["attributes"]["action"] for entry in entries} == {"created", "deleted"}


def test_what_is_refused(sdk: SecurityMonitoringApi) -> None:
    (builtin,) = [one for one in sdk.list_security_filters().data if one.attributes.is_builtin]
    for call in (
        lambda: sdk.delete_security_filter(builtin.id),
        lambda: sdk.update_security_filter(builtin.id, body=filter_model(SecurityFilterUpdateRequest, {"query": "a"})),
        lambda: sdk.create_security_filter(body=filter_model(SecurityFilterCreateRequest, BODY | {"query": "("})),
        lambda: sdk.create_security_filter(body=filter_model(SecurityFilterCreateRequest, BODY | {"name": " "})),
    ):
        with pytest.raises(ApiException) as refused:
            call()
        assert refused.value.status == 400
    with pytest.raises(ApiException) as missing:
        sdk.get_security_filter("abc-def-ghi")
    assert missing.value.status == 404
