"""What people have set up as Terraform resources, through the released client (api-more.md)."""

import io
import secrets
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from api_server import RULE, as_model, client_for, sdk_for, serve, services_in
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi
from datadog_api_client.v2.model.security_monitoring_terraform_bulk_export_request import (
    SecurityMonitoringTerraformBulkExportRequest,
)
from datadog_api_client.v2.model.security_monitoring_terraform_convert_request import (
    SecurityMonitoringTerraformConvertRequest,
)
from datadog_api_client.v2.model.security_monitoring_terraform_resource_type import (
    SecurityMonitoringTerraformResourceType,
)

from tocsin.api.app import create_app
from tocsin.clock import now_ms
from tocsin.critical_assets.service import CriticalAssetsService
from tocsin.event import Event
from tocsin.rules.ids import new_rule_id
from tocsin.rules.service import RulesService
from tocsin.security_filters.service import SecurityFilters
from tocsin.suppressions.service import SuppressionsService

pytestmark = [pytest.mark.system, pytest.mark.filterwarnings("ignore:Using unstable operation")]

BASE = "/api/v2/security_monitoring"
UNSTABLE = (
    "export_security_monitoring_terraform_resource",
    "convert_security_monitoring_terraform_resource",
    "bulk_export_security_monitoring_terraform_resources",
)

BODIES: dict[str, tuple[str, dict[str, Any], str]] = {
    "suppressions": (
        "suppressions",
        {
            "name": 'Pen "test" week',
            "enabled": True,
            "rule_query": "source:sshd",
            "suppression_query": "@usr.id:ana",
            "description": "agreed ${with}",
            "expiration_date": 1767830400000,
            "tags": ["b", "a"],
        },
        'resource "datadog_security_monitoring_suppression" "Pen__test__week" {\n'
        '\tname = "Pen \\"test\\" week"\n'
        "\tenabled = true\n"
        '\trule_query = "source:sshd"\n'
        '\tsuppression_query = "@usr.id:ana"\n'
        '\tdescription = "agreed $${with}"\n'
        '\texpiration_date = "2026-01-08T00:00:00.000Z"\n'
        '\ttags = ["a", "b"]\n'
        "}\n",
    ),
    "security_filters": (
        "security_filters",
        {
            "name": "production",
            "query": "env:prod",
            "is_enabled": False,
            "filtered_data_type": "logs",
            "exclusion_filters": [{"name": "health", "query": "/health"}, {"name": "tests", "query": "env:test"}],
        },
        'resource "datadog_security_monitoring_filter" "production" {\n'
        '\tname = "production"\n'
        '\tquery = "env:prod"\n'
        "\tis_enabled = false\n"
        '\tfiltered_data_type = "logs"\n'
        '\texclusion_filter {\n\t\tname = "health"\n\t\tquery = "/health"\n\t}\n'
        '\texclusion_filter {\n\t\tname = "tests"\n\t\tquery = "env:test"\n\t}\n'
        "}\n",
    ),
    "critical_assets": (
        "critical_assets",
        {"query": "host:vault", "rule_query": "*", "severity": "increase", "enabled": True, "tags": ["team:soc"]},
        'resource "datadog_security_monitoring_critical_asset" "host_vault" {\n'
        "\tenabled = true\n"
        '\tquery = "host:vault"\n'
        '\trule_query = "*"\n'
        '\tseverity = "increase"\n'
        '\ttags = ["team:soc"]\n'
        "}\n",
    ),
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with services_in(tmp_path_factory.mktemp("terraform"), now_ms) as given:
        given.rules = RulesService(given.state, given.audit, given.clock, to_event=lambda payload: Event("e", 0))
        new_id = partial(new_rule_id, secrets.randbelow)
        about = (given.state, given.audit, given.clock)
        given.suppressions = SuppressionsService(*about, given.rules, new_id=new_id)
        given.security_filters = SecurityFilters(*about, new_id=new_id)
        given.critical_assets = CriticalAssetsService(*about, new_id=new_id)
        with serve(create_app(given)) as url:
            yield url


@pytest.fixture
def api(address: str) -> Iterator[SecurityMonitoringApi]:
    with sdk_for(address, UNSTABLE) as client:
        yield SecurityMonitoringApi(client)


@pytest.fixture
def http(address: str) -> Iterator[httpx.Client]:
    with client_for(address) as client:
        yield client


def stored(http: httpx.Client, kind: str) -> tuple[str, dict[str, Any]]:
    """Id and attributes of a new resource."""
    type_name, body, _ = BODIES[kind]
    answer = http.post(f"{BASE}/configuration/{kind}", json={"data": {"type": type_name, "attributes": body}})
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    return data["id"], data["attributes"]


@pytest.mark.parametrize("kind", BODIES)
def test_stored_or_not_it_is_the_same_text(api: SecurityMonitoringApi, http: httpx.Client, kind: str) -> None:
    expected = BODIES[kind][2]
    id, attributes = stored(http, kind)
    of = SecurityMonitoringTerraformResourceType(kind)
    found = api.export_security_monitoring_terraform_resource(resource_type=of, resource_id=id)
    told = found.data.attributes
    assert not found._unparsed and told.output == expected
    assert (found.data.id, told.resource_id) == (f"{told.type_name}|{id}", id)
    body = {"data": {"id": "new", "type": "convert_resource", "attributes": {"resource_json": attributes}}}
    request = as_model(SecurityMonitoringTerraformConvertRequest, body)
    converted = api.convert_security_monitoring_terraform_resource(resource_type=of, body=request)
    assert (converted.data.attributes.output, converted.data.attributes.resource_id) == (expected, "new")


def test_rules_are_written_as_everywhere(http: httpx.Client) -> None:
    rule = http.post(f"{BASE}/rules", json=RULE).json()
    told = http.get(f"{BASE}/terraform/rules/{rule['id']}").json()["data"]["attributes"]
    assert told["output"] == http.get(f"{BASE}/rules/{rule['id']}/convert").json()["terraformContent"]
    body = {"data": {"id": "x", "type": "convert_resource", "attributes": {"resource_json": RULE}}}
    assert (
        http.post(f"{BASE}/terraform/rules/convert", json=body).json()["data"]["attributes"]["output"]
        == (told["output"])
    )


def test_many_are_a_zip(api: SecurityMonitoringApi, http: httpx.Client) -> None:
    ids = [stored(http, "security_filters")[0] for _ in range(2)]
    request = {"data": {"type": "bulk_export_resources", "attributes": {"resource_ids": [*ids, ids[0]]}}}
    packed = api.bulk_export_security_monitoring_terraform_resources(
        resource_type=SecurityMonitoringTerraformResourceType("security_filters"),
        body=as_model(SecurityMonitoringTerraformBulkExportRequest, request),
    )
    with zipfile.ZipFile(io.BytesIO(packed.read())) as files:
        assert files.namelist() == ["production.tf", "production (2).tf"]
        assert files.read("production.tf").decode() == BODIES["security_filters"][2]


def test_what_is_refused(http: httpx.Client) -> None:
    assert http.get(f"{BASE}/terraform/suppressions/aaa-aaa-aaa").status_code == 404
    assert http.get(f"{BASE}/terraform/monitors/aaa-aaa-aaa").status_code == 404
    request = {"data": {"type": "bulk_export_resources", "attributes": {"resource_ids": ["aaa-aaa-aaa"]}}}
    assert http.post(f"{BASE}/terraform/critical_assets/bulk", json=request).status_code == 404
    body = {"data": {"id": "x", "type": "convert_resource", "attributes": {"resource_json": {"name": "n"}}}}
    answer = http.post(f"{BASE}/terraform/suppressions/convert", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0] == "data.attributes.resource_json.enabled: Field required"
    answer = http.post(f"{BASE}/terraform/rules/convert", json=body)
    assert (answer.status_code, answer.json()["errors"][0]) == (400, "Invalid rule configuration")
