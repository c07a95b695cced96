"""Restriction policies through the released client, and what two people see of them over HTTP (response.md §6.5)."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from api_server import ADMIN, PASSWORD, client_for, sdk_for, serve_services
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.restriction_policies_api import RestrictionPoliciesApi
from datadog_api_client.v2.model.restriction_policy import RestrictionPolicy
from datadog_api_client.v2.model.restriction_policy_attributes import RestrictionPolicyAttributes
from datadog_api_client.v2.model.restriction_policy_binding import RestrictionPolicyBinding
from datadog_api_client.v2.model.restriction_policy_type import RestrictionPolicyType
from datadog_api_client.v2.model.restriction_policy_update_request import RestrictionPolicyUpdateRequest
from waiting import PLAIN

from tocsin.access.actor import SYSTEM
from tocsin.bootstrap import Services

pytestmark = pytest.mark.system

POLICIES = "/api/v2/restriction_policy"
RULES = "/api/v2/security_monitoring/rules"
SUPPRESSIONS = "/api/v2/security_monitoring/configuration/suppressions"
PACKS = "/api/v2/security_monitoring/content_packs"

RULE: dict[str, Any] = {
    "type": "log_detection",
    "name": "Gate rattled",
    "isEnabled": True,
    "message": "m",
    "queries": [{"query": "source:gate"}],
    "cases": [{"status": "high", "condition": "a > 5"}],
    "options": {"detectionMethod": "threshold", "evaluationWindow": 300, "keepAlive": 3600, "maxSignalDuration": 86400},
}
HIDING = {"name": "Agreed", "enabled": True, "rule_query": "*", "suppression_query": "@usr.id:bob"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Services]]:
    with serve_services(tmp_path_factory.mktemp("restricted")) as served:
        yield served


@pytest.fixture(scope="module")
def sdk(served: tuple[str, Services]) -> Iterator[RestrictionPoliciesApi]:
    with sdk_for(served[0]) as client:
        yield RestrictionPoliciesApi(client)


@pytest.fixture(scope="module")
def admin(served: tuple[str, Services]) -> Iterator[httpx.Client]:
    with client_for(served[0]) as client:
        yield client


@pytest.fixture(scope="module")
def engineer(served: tuple[str, Services]) -> Iterator[httpx.Client]:
    """The browser of a Detection Engineer, who may write rules and suppressions."""
    url, services = served
    roles = services.access.roles.list(text="Detection Engineer").items
    services.access.users.create("eve@example.com", SYSTEM, role_ids=[roles[0].uuid], password=PASSWORD)
    with closing(httpx.Client(base_url=url, **PLAIN)) as browser:
        signed = browser.post("/api/v2/session", json={"email": "eve@example.com", "password": PASSWORD})
        browser.headers["X-CSRF-Token"] = signed.json()["data"]["attributes"]["csrf_token"]
        yield browser


@pytest.fixture(scope="module")
def organisation(admin: httpx.Client) -> str:
    """As clients learn it."""
    found: str = admin.get("/api/v2/current_user").json()["data"]["relationships"]["org"]["data"]["id"]
    return f"org:{found}"


@pytest.fixture(scope="module")
def admins(admin: httpx.Client) -> str:
    found = admin.get("/api/v2/roles", params={"filter": "Admin"}).json()["data"]
    return f"role:{next(one['id'] for one in found if one['attributes']['name'] == 'Admin')}"


@pytest.fixture
def rule(admin: httpx.Client) -> Iterator[str]:
    made: str = admin.post(RULES, json=RULE).json()["id"]
    yield made
    admin.delete(f"{RULES}/{made}")


def request(resource: str, **bindings: list[str]) -> RestrictionPolicyUpdateRequest:
    given = [RestrictionPolicyBinding(relation=name, principals=names) for name, names in bindings.items()]
    return RestrictionPolicyUpdateRequest(
        data=RestrictionPolicy(
            id=resource,
            type=RestrictionPolicyType.RESTRICTION_POLICY,
            attributes=RestrictionPolicyAttributes(bindings=given),
        )
    )


def body(**bindings: list[str]) -> dict[str, Any]:
    given = [{"relation": name, "principals": names} for name, names in bindings.items()]
    return {"data": {"type": "restriction_policy", "attributes": {"bindings": given}}}


def told(answer: httpx.Response) -> str:
    return "; ".join(answer.json()["errors"])


def test_the_released_client_restricts_and_frees_a_rule(
    sdk: RestrictionPoliciesApi, engineer: httpx.Client, rule: str, admins: str, organisation: str
) -> None:
    resource = f"security-rule:{rule}"
    assert sdk.get_restriction_policy(resource).data.attributes.bindings == []
    wanted = request(resource, editor=[admins], viewer=[organisation])
    made = sdk.update_restriction_policy(resource, wanted).data
    assert (made.id, made.attributes) == (resource, wanted.data.attributes)
    assert sdk.get_restriction_policy(resource).data.attributes == wanted.data.attributes
    refused = engineer.put(f"{RULES}/{rule}", json={"isEnabled": False})
    assert refused.status_code == 403
    assert told(refused) == "Forbidden; The rule 'Gate rattled' is restricted: only the role Admin may change it"
    assert engineer.get(f"{RULES}/{rule}").json()["isEnabled"], "reading is everybody's"
    sdk.delete_restriction_policy(resource)
    sdk.delete_restriction_policy(resource)
    assert engineer.put(f"{RULES}/{rule}", json={"isEnabled": False}).status_code == 200


def test_refusals_say_what_there_is(sdk: RestrictionPoliciesApi, admin: httpx.Client, rule: str, admins: str) -> None:
    for resource, status, said in (
        (rule, 400, "write type:id"),
        ("dashboard:abc", 400, "the types are security-rule, security-suppression"),
        ("security-rule:abc-d1e-2fg", 404, "Rule abc-d1e-2fg not found"),
        ("security-suppression:abc-d1e-2fg", 404, "Suppression abc-d1e-2fg not found"),
    ):
        for call in (
            lambda resource=resource: sdk.get_restriction_policy(resource),
            lambda resource=resource: sdk.update_restriction_policy(resource, request(resource, editor=[admins])),
            lambda resource=resource: sdk.delete_restriction_policy(resource),
        ):
            with pytest.raises(ApiException) as refused:
                call()
            assert (refused.value.status, said in refused.value.body["errors"][0]) == (status, True), resource
    where = f"{POLICIES}/security-rule:{rule}"
    teams = admin.post(where, json=body(editor=[admins, "team:11111111-0000-4000-8000-000000000001"]))
    assert (teams.status_code, "there are no teams here" in told(teams)) == (400, True)
    other = body(editor=[admins])
    other["data"]["id"] = "security-rule:other"
    assert admin.post(where, json=other).status_code == 400
    assert admin.get(where).json()["data"]["attributes"] == {"bindings": []}


def test_lockout_and_taking_over(
    sdk: RestrictionPoliciesApi, admin: httpx.Client, engineer: httpx.Client, rule: str
) -> None:
    resource = f"security-rule:{rule}"
    eve = "user:" + engineer.get("/api/v2/current_user").json()["data"]["id"]
    with pytest.raises(ApiException) as refused:
        sdk.update_restriction_policy(resource, request(resource, editor=[eve]))
    assert "allow_self_lockout=true" in refused.value.body["errors"][0]
    made = sdk.update_restriction_policy(resource, request(resource, editor=[eve]), allow_self_lockout=True)
    assert made.data.attributes.bindings[0].principals == [eve]
    refused_now = admin.put(f"{RULES}/{rule}", json={"name": "Mine"})
    assert (refused_now.status_code, "only eve@example.com may" in told(refused_now)) == (403, True)
    assert engineer.post(f"{POLICIES}/{resource}/elevate").status_code == 403
    elevated = admin.post(f"{POLICIES}/{resource}/elevate").json()["data"]
    assert elevated["meta"]["editable"] and sorted(elevated["meta"]["names"].values()) == [ADMIN, "eve@example.com"]
    assert admin.put(f"{RULES}/{rule}", json={"name": "Mine"}).status_code == 200


def test_an_application_key_acts_as_its_owner(
    served: tuple[str, Services], admin: httpx.Client, engineer: httpx.Client, rule: str, admins: str
) -> None:
    admin.post(f"{POLICIES}/security-rule:{rule}", json=body(editor=[admins])).raise_for_status()
    wanted = {"data": {"type": "application_keys", "attributes": {"name": "deploy"}}}
    key = engineer.post("/api/v2/current_user/application_keys", json=wanted).json()["data"]["attributes"]["key"]
    keys = {"DD-API-KEY": admin.headers["DD-API-KEY"], "DD-APPLICATION-KEY": key}
    with httpx.Client(base_url=served[0], headers=keys, **PLAIN) as client:
        assert client.delete(f"{RULES}/{rule}").status_code == 403
        bulk = {"data": {"type": "bulk_delete_rules", "attributes": {"ruleIds": [rule]}}}
        answer = client.request("DELETE", f"{RULES}/bulk_delete", json=bulk).json()
        assert answer["data"]["attributes"] == {"deletedRules": [], "failedRules": [rule]}
        applied = client.post(f"{RULES}/apply", json={"rules": [{**RULE, "id": rule, "name": "Other"}]}).json()
    assert applied["data"][0]["action"] == "refused"
    assert "only the role Admin may change it" in applied["data"][0]["reasons"][0]


def test_suppressions_tell_each_caller_the_truth(admin: httpx.Client, engineer: httpx.Client, admins: str) -> None:
    made = admin.post(SUPPRESSIONS, json={"data": {"type": "suppressions", "attributes": HIDING}}).json()["data"]
    place = f"{SUPPRESSIONS}/{made['id']}"

    def editable(client: httpx.Client) -> set[bool]:
        listed = client.get(SUPPRESSIONS, params={"query": "Agreed"}).json()["data"]
        seen = [client.get(place).json()["data"], *(one for one in listed if one["id"] == made["id"])]
        versions = client.get(f"{place}/version_history").json()["data"]["attributes"]["data"]
        return {
            *(one["attributes"]["editable"] for one in seen),
            *(one["suppression"]["editable"] for one in versions.values()),
        }

    assert (editable(admin), editable(engineer)) == ({True}, {True})
    admin.post(f"{POLICIES}/security-suppression:{made['id']}", json=body(editor=[admins])).raise_for_status()
    assert (editable(admin), editable(engineer)) == ({True}, {False})
    patch = {"data": {"type": "suppressions", "attributes": {"enabled": False}}}
    for refused in (engineer.patch(place, json=patch), engineer.delete(place)):
        assert refused.status_code == 403
        assert "The suppression 'Agreed' is restricted: only the role Admin may change it" in told(refused)
    assert admin.delete(place).status_code == 204
    listed = engineer.get(POLICIES, params={"type": "security-suppression"}).json()["data"]
    assert listed == [], "it went with the suppression"


def test_a_pack_is_switched_whole_or_not_at_all(admin: httpx.Client, engineer: httpx.Client, admins: str) -> None:
    pack = next(one for one in admin.get(PACKS).json()["data"] if one["attributes"]["rules"]["enabled"] > 1)
    found = admin.get(RULES, params={"query": pack["attributes"]["rules"]["query"], "page[size]": 100}).json()["data"]
    enabled = [one for one in found if one["isEnabled"]]
    place = f"{POLICIES}/security-rule:{enabled[0]['id']}"
    admin.post(place, json=body(editor=[admins])).raise_for_status()
    refused = engineer.put(f"{PACKS}/{pack['id']}/deactivate")
    assert refused.status_code == 403
    assert f"The rule '{enabled[0]['name']}' is restricted: only the role Admin may change it" in told(refused)
    again = admin.get(RULES, params={"query": pack["attributes"]["rules"]["query"], "page[size]": 100}).json()["data"]
    assert [one["id"] for one in again if one["isEnabled"]] == [one["id"] for one in enabled]
    assert admin.delete(place).status_code == 204
