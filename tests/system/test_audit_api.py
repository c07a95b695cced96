"""The audit trail through the API and the released client: what people did is there to be found."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from api_server import ADMIN, API_KEY, APP_KEY, Api, serve_api
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.audit_api import AuditApi
from datadog_api_client.v2.model.audit_logs_query_filter import AuditLogsQueryFilter
from datadog_api_client.v2.model.audit_logs_query_page_options import AuditLogsQueryPageOptions
from datadog_api_client.v2.model.audit_logs_search_events_request import AuditLogsSearchEventsRequest
from datadog_api_client.v2.model.audit_logs_sort import AuditLogsSort

from tocsin.access import audit
from tocsin.clock import now_ms
from tocsin.config import Config
from tocsin.explore.service import ExploreService
from tocsin.store.events import open_event_store
from tocsin.store.outbox import Outbox

NAMES = [f"Role {number:02}" for number in range(25)]


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server on which an administrator has made 25 roles, and somebody failed to sign in."""
    folder = tmp_path_factory.mktemp("audited")
    events = open_event_store(Config(data=folder))
    events.migrate()
    with serve_api(folder, events=events, explore=ExploreService(events, now_ms)) as api:
        for name in NAMES:
            wanted = {"data": {"type": "roles", "attributes": {"name": name}}}
            assert api.admin.post("/api/v2/roles", json=wanted).status_code == 200
        api.anonymous.post("/api/v2/session", json={"email": ADMIN, "password": "wrong password"})
        box = Outbox(api.services.state, now_ms, "test")
        while audit.drain(box, events, now_ms, limit=7):
            pass
        yield api
    events.close()


def search(api: Api, query: str, **page: Any) -> dict[str, Any]:
    wanted = {"filter": {"query": query, "from": "now-1h", "to": "now"}, "sort": "timestamp", "page": page}
    answer = api.admin.post("/api/v2/audit/events/search", json=wanted)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_who_did_what(audited: Api) -> None:
    (entry,) = search(audited, '@asset.type:role @action:created @asset.name:"Role 07"')["data"]
    assert entry["type"] == "audit"
    assert entry["attributes"]["message"] == f"{ADMIN} created role Role 07"
    told = entry["attributes"]["attributes"]
    assert told["usr"]["email"] == ADMIN
    assert told["evt"] == {"name": "Access Management", "actor": {"type": "USER"}}
    assert told["auth_method"] == "API_AND_APPLICATION_KEY"
    assert told["network"]["client"]["ip"] == "127.0.0.1"
    assert (told["http"]["method"], told["http"]["url_details"]["path"]) == ("POST", "/api/v2/roles")
    assert told["asset"]["new_value"]["name"] == "Role 07"
    (failed,) = search(audited, "status:error @action:login")["data"]
    assert failed["attributes"]["message"] == f"sign-in as {ADMIN} failed"
    assert len(search(audited, "sign-in failed")["data"]) == 1, "bare words look into the message"


def test_pages_follow_one_another_without_gap_or_overlap(audited: Api) -> None:
    names, page = [], search(audited, "@asset.type:role @evt.actor.type:USER", limit=10)
    while True:
        names += [entry["attributes"]["attributes"]["asset"]["name"] for entry in page["data"]]
        if "links" not in page:
            break
        assert page["links"]["next"].startswith(audited.url)
        answer = audited.admin.get(page["links"]["next"])
        assert answer.status_code == 200, answer.text
        page = answer.json()
    assert names == NAMES
    assert "page" not in page["meta"]


def test_a_wrong_query_says_where(audited: Api) -> None:
    answer = audited.admin.get("/api/v2/audit/events", params={"filter[query]": "status:("})
    assert answer.status_code == 400
    assert answer.json()["error"]["start"] > 0
    for wrong in ({"page[limit]": "1001"}, {"page[limit]": "0"}, {"sort": "usr.email"}, {"page[cursor]": "x"}):
        assert audited.admin.get("/api/v2/audit/events", params=wrong).status_code == 400


def test_only_for_those_who_may_read_it(audited: Api) -> None:
    with closing(audited.sign_in(audited.person(roles=("Detection Engineer",)))) as engineer:
        assert engineer.get("/api/v2/audit/events").status_code == 403


def test_the_released_client_reads_it(audited: Api) -> None:
    configuration = Configuration(host=audited.url)
    configuration.api_key["apiKeyAuth"] = API_KEY
    configuration.api_key["appKeyAuth"] = APP_KEY
    hour_ago, soon = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
    with ApiClient(configuration) as client:
        api = AuditApi(client)
        every = list(
            api.list_audit_logs_with_pagination(
                filter_query="@asset.type:role @evt.actor.type:USER",
                filter_from=hour_ago,
                filter_to=soon,
                sort=AuditLogsSort.TIMESTAMP_ASCENDING,
                page_limit=10,
            )
        )
        assert [event.attributes.attributes["asset"]["name"] for event in every] == NAMES
        found = api.search_audit_logs(
            body=AuditLogsSearchEventsRequest(
                filter=AuditLogsQueryFilter(query="@action:login", _from="now-1h", to="now"),
                sort=AuditLogsSort.TIMESTAMP_DESCENDING,
                page=AuditLogsQueryPageOptions(limit=5),
            )
        )
        assert found.meta.status.value == "done"
        assert found.data[0].attributes.service == "tocsin"
