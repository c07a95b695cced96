"""Content packs and sample logs through the released client, over real stores."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from api_server import MovableClock, as_model, client_for, sdk_for, serve_services
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi
from datadog_api_client.v2.model.sample_log_generation_bulk_subscription_request import (
    SampleLogGenerationBulkSubscriptionRequest,
)
from datadog_api_client.v2.model.sample_log_generation_subscription_create_request import (
    SampleLogGenerationSubscriptionCreateRequest,
)
from waiting import PATIENCE

from tocsin.access.actor import SYSTEM
from tocsin.access.audit import drain
from tocsin.bootstrap import Services
from tocsin.intake.request import Request

pytestmark = [pytest.mark.system, pytest.mark.filterwarnings("ignore:Using unstable operation")]

PACKS = "/api/v2/security_monitoring/content_packs"
RULES = "/api/v2/security_monitoring/rules"
FILTERS = "/api/v2/security_monitoring/configuration/security_filters"
OPERATIONS = [
    "get_content_packs_states",
    "activate_content_pack",
    "deactivate_content_pack",
    "create_sample_log_generation_subscription",
    "bulk_create_sample_log_generation_subscriptions",
    "delete_sample_log_generation_subscription",
    "list_sample_log_generation_subscriptions",
]
HOUR, DAY = 3_600_000, 86_400_000

Pack = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def clock() -> MovableClock:
    clock = MovableClock()
    clock.stop()
    return clock


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, clock: MovableClock) -> Iterator[tuple[str, Services]]:
    with serve_services(tmp_path_factory.mktemp("packs"), clock) as served:
        yield served


@pytest.fixture(scope="module")
def sdk(served: tuple[str, Services]) -> Iterator[SecurityMonitoringApi]:
    with sdk_for(served[0], OPERATIONS) as client:
        yield SecurityMonitoringApi(client)


@pytest.fixture(scope="module")
def client(served: tuple[str, Services]) -> Iterator[httpx.Client]:
    with client_for(served[0]) as client:
        yield client


@pytest.fixture(scope="module")
def pack(client: httpx.Client) -> Pack:
    def look(pack_id: str) -> dict[str, Any]:
        """What the page shows of a pack, each number counted again by the search that it names."""
        listed = client.get(PACKS).json()["data"]
        shown: dict[str, Any] = next(one["attributes"] for one in listed if one["id"] == pack_id)
        rules = shown["rules"]
        for query, count in ((rules["query"], "total"), (f"{rules['query']} enabled:true", "enabled")):
            found = client.get(RULES, params={"query": query}).json()["meta"]["page"]["total_filtered_count"]
            assert found == rules[count], query
        for track, of, since in (("logs", shown["logs"], "now-72h"), ("signals", shown["signals"], "now-7d")):
            body = {"filter": {"query": of["query"], "from": since, "to": "now"}}
            assert client.post(f"/api/v2/explore/{track}/count", json=body).json()["data"]["count"] == of["count"]
        return shown

    return look


def states(sdk: SecurityMonitoringApi) -> dict[str, Any]:
    return {one.id: one.attributes for one in sdk.get_content_packs_states().data}


def send(client: httpx.Client, clock: MovableClock, source: str, ago: int, **members: str) -> None:
    log = {"ddsource": source, "timestamp": clock() - ago, "message": f"{source} {ago} {members}", **members}
    assert client.post("/api/v2/logs", json=[log]).status_code == 202


def enabled(client: httpx.Client, rule_id: str) -> bool:
    return bool(client.get(f"{RULES}/{rule_id}").json()["isEnabled"])


def switch(client: httpx.Client, rule_id: str, on: bool) -> None:
    assert client.put(f"{RULES}/{rule_id}", json={"isEnabled": on}).status_code == 200


def test_states_are_those_of_what_is_there(
    sdk: SecurityMonitoringApi, client: httpx.Client, clock: MovableClock, pack: Pack
) -> None:
    before = states(sdk)
    assert {str(one.status) for one in before.values()} == {"install"}
    assert {str(one.details.cp_activation) for one in before.values()} == {"never_activated"}
    send(client, clock, "github", HOUR)
    send(client, clock, "slack", 30 * HOUR)
    send(client, clock, "zoom", 5 * DAY)
    found = states(sdk)
    assert [str(found[one].status) for one in ("github", "slack", "zoom", "okta")] == [
        "active",
        "warning",
        "broken",
        "install",
    ]
    github, zoom = found["github"].details, found["zoom"].details
    assert (str(github.data_last_seen), str(zoom.data_last_seen)) == ("within_24_hours", "over_72h_to_30d")
    assert (github.logs_seen_from_any_index, zoom.logs_seen_from_any_index) == (True, False)
    assert (github.filters_configured, github.siem_index_incorrect) == (True, False)
    assert str(github.integration_installed_status) == "installed"
    shown = pack("github")
    assert (shown["logs"]["count"], shown["logs"]["analysed"]) == (1, 1)
    assert [one["id"] for one in shown["pipelines"]] == ["tocsin-github"]


def test_what_a_person_disabled_stays_disabled(
    sdk: SecurityMonitoringApi,
    client: httpx.Client,
    clock: MovableClock,
    pack: Pack,
    served: tuple[str, Services],
) -> None:
    rules = client.get(RULES, params={"query": pack("okta")["rules"]["query"]}).json()["data"]
    shared = [
        rule["id"] for rule in rules if {tag for tag in rule["tags"] if tag.startswith("source:")} > {"source:okta"}
    ]
    by_hand, later, *others = [rule["id"] for rule in rules if rule["id"] not in shared]
    switch(client, by_hand, False)
    for _ in range(2):  # safe to do twice
        sdk.deactivate_content_pack("okta")
    assert str(states(sdk)["okta"].status) == "activate"
    assert pack("okta")["rules"]["enabled"] == len(shared)
    assert all(enabled(client, rule_id) for rule_id in shared), "other packs have them too"
    switch(client, later, True)
    switch(client, later, False)
    clock.ahead += 1000
    for _ in range(2):
        sdk.activate_content_pack("okta")
    assert not enabled(client, by_hand)
    assert not enabled(client, later)
    assert all(enabled(client, rule_id) for rule_id in others)
    assert str(states(sdk)["okta"].status) == "initializing"
    for rule_id in (by_hand, later):
        switch(client, rule_id, True)
    services = served[1]
    clock.ahead += 1000
    while drain(services.outbox, services.events, services.clock):
        pass
    found = {"filter[query]": "@asset.type:content_pack @asset.id:okta"}
    entries = client.get("/api/v2/audit/events", params=found).json()["data"]
    assert [one["attributes"]["attributes"]["asset"]["new_value"]["activation"] for one in entries] == [
        "activated",
        "deactivated",
    ]


def test_a_rule_of_two_packs_runs_while_one_of_them_does(sdk: SecurityMonitoringApi, client: httpx.Client) -> None:
    query = "origin:default source:sshd source:nginx"
    (shared,) = [rule["id"] for rule in client.get(RULES, params={"query": query}).json()["data"]]
    sdk.deactivate_content_pack("web-access")
    assert enabled(client, shared)
    sdk.deactivate_content_pack("linux")
    assert not enabled(client, shared)
    sdk.activate_content_pack("web-access")
    assert enabled(client, shared)
    sdk.activate_content_pack("linux")
    assert enabled(client, shared)


def test_new_rules_of_a_deactivated_pack_begin_disabled(
    sdk: SecurityMonitoringApi, served: tuple[str, Services], pack: Pack
) -> None:
    _, services = served
    sdk.deactivate_content_pack("falco")
    with services.state.transaction() as session:  # as if this version's rule had not been there then
        session.connection().exec_driver_sql("UPDATE content_packs SET rules = '[]' WHERE id = 'falco'")
        services.rules.switch(session, [rule.id for rule in services.rules.page("source:falco").rules], True, SYSTEM)
    services.rules.poll()
    assert pack("falco")["rules"]["enabled"] == 1
    services.content_packs.settle()
    services.content_packs.settle()
    assert pack("falco")["rules"]["enabled"] == 0
    sdk.activate_content_pack("falco")
    assert pack("falco")["rules"]["enabled"] == 1


def test_activating_lets_rules_see_the_logs(
    sdk: SecurityMonitoringApi, client: httpx.Client, clock: MovableClock, pack: Pack
) -> None:
    (builtin,) = [one["id"] for one in client.get(FILTERS).json()["data"]]

    def set_builtin(on: bool) -> None:
        body = {"data": {"type": "security_filters", "attributes": {"is_enabled": on}}}
        assert client.patch(f"{FILTERS}/{builtin}", json=body).status_code == 200

    def names() -> list[str]:
        return [one["attributes"]["name"] for one in client.get(FILTERS).json()["data"]]

    set_builtin(False)
    send(client, clock, "1password", HOUR)
    found = states(sdk)["1password"]
    assert (str(found.status), found.details.filters_configured) == ("broken", False)
    for _ in range(2):
        sdk.activate_content_pack("1password")
    assert names() == ["all ingested logs", "Content pack 1Password"]
    found = states(sdk)["1password"]
    assert (str(found.status), found.details.filters_configured) == ("active", True)
    sdk.deactivate_content_pack("1password")
    assert names() == ["all ingested logs"]
    set_builtin(True)
    sdk.activate_content_pack("1password")
    assert names() == ["all ingested logs"]


def test_an_unknown_pack_is_not_found(sdk: SecurityMonitoringApi) -> None:
    for call in (sdk.activate_content_pack, sdk.deactivate_content_pack, sdk.delete_sample_log_generation_subscription):
        with pytest.raises(ApiException) as missing:
            call("toaster")
        assert missing.value.status == 404


def subscribe(sdk: SecurityMonitoringApi, pack_id: str, **attributes: str) -> Any:
    body = {"data": {"type": "subscription_requests", "attributes": {"content_pack_id": pack_id, **attributes}}}
    return sdk.create_sample_log_generation_subscription(
        body=as_model(SampleLogGenerationSubscriptionCreateRequest, body)
    ).data.attributes


def test_sample_logs_come_while_somebody_is_subscribed(
    sdk: SecurityMonitoringApi, client: httpx.Client, clock: MovableClock, pack: Pack, served: tuple[str, Services]
) -> None:
    _, services = served
    bodies: list[bytes] = []

    def hand_over(body: bytes) -> None:
        bodies.append(body)
        services.intake.submit(Request(body, clock())).result(PATIENCE)

    def count(query: str) -> int:
        body = {"filter": {"query": query, "from": "now-1d", "to": "now+1h"}}
        return int(client.post("/api/v2/explore/logs/count", json=body).json()["data"]["count"])

    assert services.sample_logs.send_due(hand_over) == 0
    made = subscribe(sdk, "okta")
    assert (str(made.status), made.is_active) == ("subscribed", True)
    assert (made.expires_at - made.created_at).total_seconds() * 1000 == 3 * DAY
    again = subscribe(sdk, "okta", duration="1d")
    assert (str(again.status), again.expires_at) == ("renewed", made.expires_at)

    clock.ahead += 9 * 60_000
    sent = services.sample_logs.send_due(hand_over)
    assert sent == count("source:okta sample:true") == count("source:okta") > 40
    assert count("sample:true @evt.outcome:failure") > 3  # the pipelines ran, and an intrusion is among it
    shown = pack("okta")
    assert shown["sample_logs"]["is_available"] and shown["sample_logs"]["expires_at"]
    assert (shown["logs"]["count"], shown["details"]["data_last_seen"]) == (0, "not_seen")  # samples are no data

    services.intake.submit(Request(bodies[-1], clock())).result(PATIENCE)  # killed after sending: sent once more
    assert count("sample:true") == sent

    clock.ahead += 2 * DAY  # nothing ran meanwhile: it goes on with the present
    assert 0 < services.sample_logs.send_due(hand_over) < 200
    clock.ahead += DAY
    assert services.sample_logs.send_due(hand_over) == 0  # expired
    assert sdk.list_sample_log_generation_subscriptions().data == []
    (old,) = sdk.list_sample_log_generation_subscriptions(status="all").data
    assert (str(old.attributes.status), old.attributes.is_active) == ("expired", False)


def test_several_packs_at_once_and_the_end(sdk: SecurityMonitoringApi, clock: MovableClock) -> None:
    def bulk(*pack_ids: str) -> Any:
        attributes = {"content_pack_ids": list(pack_ids), "duration": "1h"}
        body = {"data": {"type": "bulk_subscription_requests", "attributes": attributes}}
        model = as_model(SampleLogGenerationBulkSubscriptionRequest, body)
        return sdk.bulk_create_sample_log_generation_subscriptions(body=model).data

    answers = bulk("github", "slack", "toaster")
    assert [(str(one.attributes.status), one.meta.status) for one in answers] == [
        ("subscribed", 200),
        ("not_available", 200),
        ("not_available", 404),
    ]
    begun = clock()
    clock.ahead += HOUR // 2
    ended = sdk.delete_sample_log_generation_subscription("github").data.attributes
    assert (str(ended.status), ended.is_active) == ("unsubscribed", False)
    nothing = sdk.delete_sample_log_generation_subscription("github").data.attributes
    assert str(nothing.status) == "no_active_subscription"
    clock.ahead += HOUR
    for since, there in ((begun, 1), (clock() - HOUR // 2, 0)):
        found = sdk.list_sample_log_generation_subscriptions(
            start_timestamp=datetime.fromtimestamp(since / 1000, UTC)
        ).data
        assert [one.attributes.content_pack_id for one in found] == ["github"] * there


def test_at_most_five_packs_at_once(client: httpx.Client) -> None:
    body = {"data": {"type": "bulk_subscription_requests", "attributes": {"content_pack_ids": ["okta"] * 6}}}
    answer = client.post("/api/v2/security_monitoring/sample_log_generation/subscriptions/bulk", json=body)
    assert answer.status_code == 400
    assert "1 to 5" in answer.text
