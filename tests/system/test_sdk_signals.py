"""Signals through the released client, unmodified but for the host; and what we add beside its operations."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from api_server import API_KEY, APP_KEY, Api, serve_api
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException, NotFoundException
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi
from datadog_api_client.v2.model.security_monitoring_signal_list_request import SecurityMonitoringSignalListRequest
from datadog_api_client.v2.model.security_monitoring_signal_list_request_filter import (
    SecurityMonitoringSignalListRequestFilter,
)
from datadog_api_client.v2.model.security_monitoring_signal_list_request_page import (
    SecurityMonitoringSignalListRequestPage,
)
from datadog_api_client.v2.model.security_monitoring_signals_sort import SecurityMonitoringSignalsSort

sys.path.append(str(Path(__file__).parents[1] / "store"))
from test_evaluator import BORN, World, event, threshold

from tocsin.config import Config
from tocsin.explain.leads import Leads
from tocsin.explore.service import ExploreService, Filter
from tocsin.signals.service import SignalsService
from tocsin.store.events import open_event_store
from tocsin.store.state import StateStore

pytestmark = pytest.mark.system

RULE = replace(
    threshold("aaa-bbb-ccc", ("high", "a > 5"), ("low", "a > 0"), keep_alive=60, max_signal_duration=60),
    tags=("security:attack", "technique:T1110-brute-force"),
)
BROKEN = threshold("bad-aaa-aaa", ("low", "a >"))
USERS = [f"user{number:02d}" for number in range(23)]
START, END = datetime.fromtimestamp(BORN / 1000 - 60, UTC), datetime.fromtimestamp(BORN / 1000 + 600, UTC)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A server with 23 signals: one for each user, the first one high with 8 events."""
    folder = tmp_path_factory.mktemp("signals")
    keeping = {"logs_retention_days": 0, "signals_retention_days": 0}
    events = open_event_store(Config(data=folder, memory_bytes=10**9, **keeping))
    events.migrate()
    state = StateStore(f"sqlite:///{folder / 'detection.db'}")
    state.migrate()
    world = World(events, state, RULE, BROKEN)
    world.ingest(*(event(number, user, rule=RULE) for number, user in enumerate(USERS)))
    world.ingest(*(event(10 + number, USERS[0], rule=RULE) for number in range(7)))
    world.ingest(event(30, rule=BROKEN))
    world.run()
    signals = SignalsService(world.rows, world.matches, world.rules)
    explore = ExploreService(events, world.clock)
    leads = Leads(signals, world.rules)
    services = {"signals": signals, "leads": leads, "explore": explore, "triage": world.triage}
    services["evaluator"] = world.engine.evaluator
    with serve_api(folder / "api", events=events, **services) as api:
        configuration = Configuration(host=api.url)
        configuration.unstable_operations["get_signal_entities"] = True
        configuration.api_key = {"apiKeyAuth": API_KEY, "appKeyAuth": APP_KEY}
        with ApiClient(configuration) as client:
            yield SimpleNamespace(api=api, client=SecurityMonitoringApi(client))
    events.close()


def search(world: Any, query: str, limit: int = 1000, **more: Any) -> Any:
    body = SecurityMonitoringSignalListRequest(
        filter=SecurityMonitoringSignalListRequestFilter(query=query, _from=START, to=END),
        page=SecurityMonitoringSignalListRequestPage(limit=limit),
        **more,
    )
    return world.client.search_security_monitoring_signals(body=body)


def test_search_by_severity_rule_and_attribute(world: Any) -> None:
    for query, count in (
        ("status:high", 1),
        ("status:low", 22),
        ("@workflow.rule.id:aaa-bbb-ccc", 23),
        ('@workflow.rule.type:"Log Detection" @workflow.triage.state:open', 23),
        ("@usr.id:user07", 1),
        ("@workflow.events_matched:>=8", 1),
        ("host:web-1 env:prod security:attack", 23),
        ("-status:low", 1),
        ("nothing-like-this", 0),
    ):
        assert len(search(world, query).data) == count, query


def test_signal_has_the_shape_of_the_contract(world: Any) -> None:
    (found,) = search(world, "status:high").data
    assert str(found.type) == "signal"
    assert found.id.startswith("AwAAA")
    attributes = found.attributes
    assert attributes.timestamp == datetime.fromtimestamp(BORN / 1000, UTC)
    assert attributes.message == "user00 did it 8 times"
    assert "security:attack" in attributes.tags
    assert attributes.custom["workflow"]["events_matched"] == 8
    assert attributes.custom["groupByValues"] == {"@usr.id": "user00"}


def test_pages_hold_every_signal_once_in_both_forms(world: Any) -> None:
    body = SecurityMonitoringSignalListRequest(
        filter=SecurityMonitoringSignalListRequestFilter(query="*", _from=START, to=END),
        page=SecurityMonitoringSignalListRequestPage(limit=5),
        sort=SecurityMonitoringSignalsSort.TIMESTAMP_ASCENDING,
    )
    posted = [found.id for found in world.client.search_security_monitoring_signals_with_pagination(body=body)]
    got = [
        found.id
        for found in world.client.list_security_monitoring_signals_with_pagination(
            filter_query="*",
            filter_from=START,
            filter_to=END,
            page_limit=5,
            sort=SecurityMonitoringSignalsSort.TIMESTAMP_DESCENDING,
        )
    ]
    assert posted == sorted(posted)
    assert len(set(posted)) == 23
    assert got == posted[::-1]


def test_last_page_says_nothing_of_a_next_one(world: Any) -> None:
    api: Api = world.api
    body = {"filter": {"query": "*", "from": START.isoformat(), "to": END.isoformat()}, "page": {"limit": 23}}
    answer = api.admin.post("/api/v2/security_monitoring/signals/search", json=body).json()
    assert set(answer) == {"data"}
    body["page"] = {"limit": 22}
    answer = api.admin.post("/api/v2/security_monitoring/signals/search", json=body).json()
    followed = api.admin.get(answer["links"]["next"]).json()
    assert len(followed["data"]) == 1
    assert set(followed) == {"data"}


def test_body_may_be_absent_and_then_means_the_last_quarter_hour(world: Any) -> None:
    answer = world.api.admin.post("/api/v2/security_monitoring/signals/search")
    assert answer.status_code == 200
    assert len(answer.json()["data"]) == 10  # the page; the world's clock stands within 15 minutes of all signals


def test_get_shows_samples_and_explanation(world: Any) -> None:
    (found,) = search(world, "status:high").data
    custom = world.client.get_security_monitoring_signal(signal_id=found.id).data.attributes.custom
    assert len(custom["samples"]) == 8
    assert custom["explanation"]["decided"]["values"] == {"a": 6.0}
    assert "engine" not in custom


def test_unknown_signal_is_not_found(world: Any) -> None:
    for unknown in ("AwAAA" + "0" * 36, "nonsense", "AwAAAzzz"):
        with pytest.raises(NotFoundException) as caught:
            world.client.get_security_monitoring_signal(signal_id=unknown)
        assert caught.value.body["errors"] == ["Signal not found"]


def test_wrong_query_is_a_400_with_its_place(world: Any) -> None:
    with pytest.raises(ApiException) as caught:
        search(world, "status:(high OR")
    assert caught.value.status == 400
    assert caught.value.body["error"]["code"]


def test_events_of_a_signal_are_exactly_those_it_counts(world: Any) -> None:
    (found,) = search(world, "status:high").data
    path = f"/api/v2/security_monitoring/signals/{found.id}/events"
    first = world.api.admin.get(path, params={"page[limit]": 5}).json()
    second = world.api.admin.get(first["links"]["next"]).json()
    assert first["meta"]["total"] == second["meta"]["total"] == 8
    assert "links" not in second
    events = first["data"] + second["data"]
    assert len({each["id"] for each in events}) == 8
    assert {each["attributes"]["attributes"]["usr"]["id"] for each in events} == {"user00"}
    backwards = world.api.admin.get(path, params={"page[limit]": 8, "sort": "-timestamp"}).json()["data"]
    assert [each["id"] for each in backwards] == [each["id"] for each in events][::-1]
    assert world.api.admin.get(path, params={"page[cursor]": "nonsense"}).status_code == 400


def test_investigation_queries_find_the_signal_s_logs(world: Any) -> None:
    (found,) = search(world, "status:high").data
    searches = world.api.admin.get(f"/api/v2/security_monitoring/signals/{found.id}/investigation_queries").json()
    names = [each["attributes"]["name"] for each in searches["data"]]
    assert names[0] == "All related logs"
    assert "Logs of user00" in names
    explore: ExploreService = world.api.services.explore
    for each in searches["data"]:
        query = each["attributes"]["query_filter"]
        scope = explore.scope("logs", Filter(query, BORN - 60_000, BORN + 600_000))
        assert explore.count(scope).count >= 8, query


def test_suggested_actions_are_the_searches_and_what_to_read(world: Any) -> None:
    (found,) = search(world, "status:high").data
    actions = world.client.get_suggested_actions_matching_signal(signal_id=found.id).data
    searches = world.client.get_investigation_log_queries_matching_signal(signal_id=found.id).data
    kinds = [str(action.type) for action in actions]
    assert kinds == ["investigation_log_queries"] * len(searches) + ["recommended_blog_posts"]
    assert [action.id for action in actions[:-1]] == [each.id for each in searches]
    assert len({action.id for action in actions}) == len(actions)
    assert actions[-1].attributes.url == "https://attack.mitre.org/techniques/T1110"
    with pytest.raises(NotFoundException):
        world.client.get_suggested_actions_matching_signal(signal_id="nonsense")


@pytest.mark.filterwarnings("ignore:Using unstable operation")
def test_entities_are_whom_the_signal_is_about(world: Any) -> None:
    (found,) = search(world, "status:high").data
    data = world.client.get_signal_entities(signal_id=found.id).data
    assert (data.id, str(data.type)) == (found.id, "entities")
    assert {each["kind"]: each["value"] for each in data.attributes.identities}["user"] == "user00"
    assert len(world.client.get_signal_entities(signal_id=found.id, limit=1).data.attributes.identities) == 1
    with pytest.raises(NotFoundException):
        world.client.get_signal_entities(signal_id="nonsense")


def test_reading_needs_its_permissions(world: Any) -> None:
    api: Api = world.api
    path = "/api/v2/security_monitoring/signals"
    assert api.anonymous.get(path).status_code == 401
    reader = api.sign_in(api.person("security_monitoring_signals_read"))
    (found,) = search(world, "status:high").data
    assert reader.get(path).status_code == 200
    assert reader.get(f"{path}/{found.id}").status_code == 200
    assert reader.get(f"{path}/{found.id}/events").status_code == 403
    assert api.sign_in(api.person("logs_read_data")).get(path).status_code == 403


def test_rule_that_cannot_be_evaluated_is_named(world: Any) -> None:
    path = "/api/v2/security_monitoring/evaluation/failures"
    answer = world.api.admin.get(path).json()
    (failure,) = answer["data"]
    assert (failure["rule_id"], failure["matches"]) == (BROKEN.id, 1)
    assert "expected a number" in failure["message"]
    assert answer["meta"]["watermark"] >= BORN
    assert world.api.anonymous.get(path).status_code == 401
