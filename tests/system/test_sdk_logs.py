"""Search and aggregation of logs through the released client, unmodified but for the host; and the explorer's own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from api_server import client_for, serve, services_in
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v1.api.logs_api import LogsApi as LogsApiV1
from datadog_api_client.v1.model.logs_list_request import LogsListRequest
from datadog_api_client.v1.model.logs_list_request_time import LogsListRequestTime
from datadog_api_client.v2.api.audit_api import AuditApi
from datadog_api_client.v2.api.logs_api import LogsApi
from datadog_api_client.v2.model.logs_aggregate_request import LogsAggregateRequest
from datadog_api_client.v2.model.logs_aggregate_sort import LogsAggregateSort
from datadog_api_client.v2.model.logs_aggregate_sort_type import LogsAggregateSortType
from datadog_api_client.v2.model.logs_aggregation_function import LogsAggregationFunction
from datadog_api_client.v2.model.logs_compute import LogsCompute
from datadog_api_client.v2.model.logs_compute_type import LogsComputeType
from datadog_api_client.v2.model.logs_group_by import LogsGroupBy
from datadog_api_client.v2.model.logs_list_request import LogsListRequest as LogsListRequestV2
from datadog_api_client.v2.model.logs_list_request_page import LogsListRequestPage
from datadog_api_client.v2.model.logs_query_filter import LogsQueryFilter
from datadog_api_client.v2.model.logs_sort import LogsSort
from datadog_api_client.v2.model.logs_sort_order import LogsSortOrder
from server import API_KEY, APP_KEY

from tocsin.api.app import create_app
from tocsin.event import Event, event_id
from tocsin.explore.service import ExploreService
from tocsin.store.events import open_event_store
from tocsin.store.rows import encode_audit, encode_event, encode_signal

pytestmark = pytest.mark.system

NOW = 1_795_000_000_000
LOGS = 250


def log(number: int) -> Event:
    at = NOW - number // 3 * 1000  # three share each second
    return Event(
        id=event_id(at, str(number).encode()),
        timestamp=at,
        ingested_at=NOW,
        message=f"Failed password for user{number % 7}",
        status="error" if number % 5 == 0 else "info",
        host=f"web-{number % 4}",
        service="ssh",
        source="sshd",
        tags=["env:prod" if number % 2 else "env:test"],
        attributes={"usr": {"id": f"user{number % 7}"}, "duration": number, "network": {"ip": {"list": ["10.0.0.1"]}}},
    )


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = tmp_path_factory.mktemp("data")
    with services_in(data, lambda: NOW) as given:
        events = open_event_store(given.config)
        events.migrate()
        events.insert("logs", b"\n".join(encode_event(log(number)) for number in range(LOGS)), LOGS)
        events.insert("audit", encode_audit(log(1)), 1)
        for number, severity in enumerate(("low", "critical", "info", "high", "medium")):
            at = NOW - number * 1000
            events.insert(
                "signals",
                encode_signal(
                    id=event_id(at, b"signal"),
                    timestamp=at,
                    ingested_at=NOW,
                    row_version=1,
                    rule_id="aaa-bbb-ccc",
                    title="Brute force",
                    message="someone",
                    status=severity,
                    custom={"title": "Brute force", "workflow": {"triage": {"state": "open"}}},
                    detail={"samples": [{"eventId": "x"}]},
                ),
                1,
            )
        given.events = events
        given.explore = ExploreService(events, lambda: NOW + 1)
        with serve(create_app(given)) as url:
            yield url
        events.close()


@pytest.fixture
def client(address: str) -> Iterator[ApiClient]:
    configuration = Configuration(host=address, api_key={"apiKeyAuth": API_KEY, "appKeyAuth": APP_KEY})
    with ApiClient(configuration) as opened:
        yield opened


@pytest.fixture
def http(address: str) -> Iterator[httpx.Client]:
    with client_for(address) as opened:
        yield opened


def test_list_pages_through_everything_once(client: ApiClient) -> None:
    body = LogsListRequestV2(
        filter=LogsQueryFilter(query="source:sshd failed", _from="now-1h", to="now", indexes=["main"]),
        sort=LogsSort.TIMESTAMP_ASCENDING,
        page=LogsListRequestPage(limit=40),
    )
    found = list(LogsApi(client).list_logs_with_pagination(body=body))
    assert [each.id for each in found] == sorted(log(number).id for number in range(LOGS))
    first = found[0].attributes
    assert first.host == "web-1"
    assert first.tags == ["source:sshd", "env:prod"]
    assert first.attributes["usr"] == {"id": "user4"}


def test_get_and_post_share_cursors(client: ApiClient) -> None:
    api = LogsApi(client)
    page = api.list_logs_get(
        filter_query="*", filter_from=datetime.fromtimestamp(NOW / 1000 - 3600, UTC), page_limit=100
    )
    assert len(page.data) == 100
    assert "page%5Bcursor%5D" in page.links.next
    rest = api.list_logs(body=LogsListRequestV2(page=LogsListRequestPage(cursor=page.meta.page.after, limit=1000)))
    assert len({each.id for each in [*page.data, *rest.data]}) == LOGS
    assert "page" not in rest.meta.to_dict()
    assert "links" not in rest.to_dict()


def test_a_wrong_query_is_400_with_its_place(client: ApiClient, http: httpx.Client) -> None:
    with pytest.raises(ApiException) as caught:
        LogsApi(client).list_logs(body=LogsListRequestV2(filter=LogsQueryFilter(query="service:")))
    assert caught.value.status == 400
    answer = http.post("/api/v2/explore/logs/events", json={"filter": {"query": "a service:"}})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "MISSING_VALUE"


@pytest.mark.parametrize("filter_", [{"from": "yesterday-ish"}, {"from": "now", "to": "now-1h"}])
def test_wrong_times_are_400(http: httpx.Client, filter_: dict[str, str]) -> None:
    answer = http.post("/api/v2/logs/events/search", json={"filter": filter_})
    assert answer.status_code == 400
    assert answer.json()["errors"]


def aggregate(client: ApiClient, **request: Any) -> list[Any]:
    answer = LogsApi(client).aggregate_logs(
        body=LogsAggregateRequest(filter=LogsQueryFilter(query="*", _from="now-1h", to="now"), **request)
    )
    assert answer.meta.status.value == "done"
    buckets: list[Any] = answer.data.buckets
    return buckets


def test_one_count_without_a_compute(client: ApiClient) -> None:
    (bucket,) = aggregate(client)
    assert bucket.computes["c0"] == LOGS


def test_every_compute(client: ApiClient) -> None:
    names = ["COUNT", "CARDINALITY", "SUM", "MIN", "MAX", "AVG", "MEDIAN", "PERCENTILE_75", "PERCENTILE_90"]
    names += ["PERCENTILE_95", "PERCENTILE_98", "PERCENTILE_99"]
    computes = [LogsCompute(aggregation=getattr(LogsAggregationFunction, name), metric="@duration") for name in names]
    (bucket,) = aggregate(client, compute=computes)
    values = [bucket.computes[f"c{number}"] for number in range(len(names))]
    assert values == pytest.approx(
        [LOGS, LOGS, sum(range(LOGS)), 0, 249, 124.5, 124.5, 186.75, 224.1, 236.55, 244.02, 246.51]
    )


def test_groups_in_order_with_series_and_total(client: ApiClient) -> None:
    buckets = aggregate(
        client,
        compute=[
            LogsCompute(aggregation=LogsAggregationFunction.COUNT),
            LogsCompute(
                aggregation=LogsAggregationFunction.SUM,
                metric="@duration",
                type=LogsComputeType.TIMESERIES,
                interval="1m",
            ),
        ],
        group_by=[
            LogsGroupBy(
                facet="host",
                limit=2,
                total="all",
                sort=LogsAggregateSort(
                    type=LogsAggregateSortType.MEASURE,
                    aggregation=LogsAggregationFunction.MAX,
                    metric="@duration",
                    order=LogsSortOrder.DESCENDING,
                ),
            )
        ],
    )
    assert [bucket.by["host"] for bucket in buckets] == ["web-1", "web-0", "all"]
    assert buckets[0].computes["c0"] == len(range(1, LOGS, 4))
    points = buckets[0].computes["c1"].value
    assert sum(point.value for point in points) == sum(range(1, LOGS, 4))
    assert points[0].time.endswith("Z")
    assert buckets[2].computes["c0"] == LOGS


def test_groups_of_the_missing_and_of_steps(http: httpx.Client) -> None:
    body = {"filter": {"from": "now-1h"}, "group_by": [{"facet": "@nothing", "missing": "none"}]}
    (bucket,) = http.post("/api/v2/logs/analytics/aggregate", json=body).json()["data"]["buckets"]
    assert bucket == {"by": {"@nothing": "none"}, "computes": {"c0": LOGS}}
    body["group_by"] = [
        {"facet": "@duration", "sort": {"type": "alphabetical"}, "histogram": {"interval": 100, "min": 0, "max": 250}}  # type: ignore[list-item]
    ]
    buckets = http.post("/api/v2/logs/analytics/aggregate", json=body).json()["data"]["buckets"]
    assert [(each["by"]["@duration"], each["computes"]["c0"]) for each in buckets] == [(0, 100), (100, 100), (200, 50)]


def test_old_clients_page_by_id(client: ApiClient) -> None:
    api, found, start = LogsApiV1(client), [], None
    while True:
        more = {"start_at": start} if start else {}
        hour = datetime.fromtimestamp(NOW / 1000 - 3600, UTC)
        time = LogsListRequestTime(_from=hour, to=datetime.fromtimestamp(NOW / 1000 + 1, UTC))
        page = api.list_logs(body=LogsListRequest(query="*", time=time, limit=70, **more))
        found += [each.id for each in page.logs]
        start = page.to_dict().get("next_log_id")
        if start is None:
            break
    assert found == sorted((log(number).id for number in range(LOGS)), reverse=True)


def test_audit_search(client: ApiClient) -> None:
    (found,) = AuditApi(client).list_audit_logs(filter_query="@usr.id:user1").data
    assert found.attributes.attributes["usr"] == {"id": "user1"}


def test_the_numbers_of_the_explorer_agree(http: httpx.Client) -> None:
    for query, expected in (("*", LOGS), ("status:error", 50), ("env:prod @duration:>=100", 75)):
        filter_ = {"query": query, "from": NOW - 3_600_000, "to": NOW + 1}
        base = "/api/v2/explore/logs"
        facets = http.post(f"{base}/facets", json={"filter": filter_, "facets": ["status", "@usr.id", "env"]}).json()
        series = http.post(f"{base}/timeseries", json={"filter": filter_, "group_by": "status"}).json()
        count = http.post(f"{base}/count", json={"filter": filter_}).json()
        events = http.post(f"{base}/events", json={"filter": filter_, "page": {"limit": 1000}}).json()
        assert (
            facets["meta"]["total"]
            == series["meta"]["total"]
            == count["data"]["count"]
            == len(events["data"])
            == expected
        )
        assert sum(bar["count"] for bar in series["data"]["buckets"]) == expected
        assert {sum(value["count"] for value in each["values"]) for each in facets["data"]} == {expected}


def test_signals_sort_by_severity(http: httpx.Client) -> None:
    body = {"filter": {"from": "now-1h"}, "sort": [{"field": "status", "order": "desc"}], "page": {"limit": 2}}
    seen = []
    while True:
        page = http.post("/api/v2/explore/signals/events", json=body).json()
        seen += [each["attributes"]["status"] for each in page["data"]]
        if "after" not in page["meta"]["page"]:
            break
        body["page"] = {"limit": 2, "cursor": page["meta"]["page"]["after"]}
    assert seen == ["critical", "high", "medium", "low", "info"]


def test_one_event_in_full(http: httpx.Client) -> None:
    found = http.get(f"/api/v2/explore/logs/events/{log(7).id}").json()["data"]
    assert (found["id"], found["type"]) == (log(7).id, "log")
    signal = http.get(f"/api/v2/explore/signals/events/{event_id(NOW, b'signal')}").json()["data"]
    assert signal["attributes"]["custom"]["samples"] == [{"eventId": "x"}]
    assert http.get("/api/v2/explore/logs/events/nothing").status_code == 404


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sta", ("field", "status:")),
        ("@us", ("field", "@usr.id:")),
        ("-en", ("field", "env:")),
        ("status:", ("value", "info")),
        ("source:sshd @usr.id:user3", ("value", "user3")),
        ("env:(test OR pr", ("value", "prod")),
    ],
)
def test_completion(http: httpx.Client, text: str, expected: tuple[str, str]) -> None:
    answer = http.post(
        "/api/v2/explore/logs/complete", json={"text": text, "cursor": len(text), "from": "now-1d", "to": "now"}
    ).json()["data"]
    assert (answer["kind"], answer["options"][0]["insert"]) == expected
    assert answer["options"][0]["count"] > 0 or answer["options"][0]["detail"] == "reserved"


def test_check_says_where_a_query_is_wrong(http: httpx.Client) -> None:
    good = http.post("/api/v2/explore/logs/check", json={"query": "status:error"}).json()["data"]
    assert good == {"ok": True, "hints": []}
    odd = http.post("/api/v2/explore/logs/check", json={"query": "@host:web-1 or b"}).json()["data"]
    assert odd["ok"] is True
    assert {hint["start"] for hint in odd["hints"]} == {0, 12}
    bad = http.post("/api/v2/explore/logs/check", json={"query": "a (b"}).json()["data"]
    assert (bad["ok"], bad["error"]["code"]) == (False, "MISSING_CLOSE_PAREN")


@pytest.mark.parametrize("track", ["logs", "signals", "audit"])
def test_every_track_answers_everything(http: httpx.Client, track: str) -> None:
    base = f"/api/v2/explore/{track}"
    for path, body in (
        ("events", {"sort": [{"field": "@usr.id", "order": "asc"}]}),
        ("facets", {"facets": ["host", "service", "source", "status", "env", "tags", "@a", "message"]}),
        ("timeseries", {"group_by": "host"}),
        ("timeseries", {"group_by": "@usr.id", "buckets": 1}),
        ("count", {"ingested_after": 0}),
        ("check", {"query": "*"}),
        ("complete", {"text": "tags:e", "cursor": 6}),
    ):
        answer = http.post(f"{base}/{path}", json=body)
        assert answer.status_code == 200, answer.text
