"""Threat intelligence end to end: feeds over the API, by HTTP and TAXII; enriched logs; signals (siem.md §6)."""

import base64
import gzip
import http.server
import itertools
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_server import ADMIN, API_KEY, APP_KEY, PASSWORD, client_for, serve
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi
from datadog_api_client.v2.model.io_c_triage_state import IoCTriageState
from datadog_api_client.v2.model.io_c_triage_write_request import IoCTriageWriteRequest
from datadog_api_client.v2.model.io_c_triage_write_request_attributes import IoCTriageWriteRequestAttributes
from datadog_api_client.v2.model.io_c_triage_write_request_data import IoCTriageWriteRequestData
from waiting import until

from tocsin.api.app import create_app
from tocsin.bootstrap import Services, build
from tocsin.config import Config
from tocsin.threat_intel import hunts_repository
from tocsin.workers.threads import Workers

pytestmark = pytest.mark.system

FEEDS = "/api/v2/security/siem/threat-intel/feeds"
SECRET = "open sesame, please"

STIX = {
    "type": "indicator",
    "id": "indicator--11111111-1111-4111-8111-111111111111",
    "spec_version": "2.1",
    "created": "2025-11-01T00:00:00Z",
    "modified": "2025-11-01T00:00:00Z",
    "pattern": "[domain-name:value = 'taxii.example.net' OR ipv4-addr:value = '203.0.113.90']",
    "pattern_type": "stix",
    "indicator_types": ["malicious-activity"],
    "valid_from": "2025-11-01T00:00:00Z",
}


class Publisher(http.server.BaseHTTPRequestHandler):
    """The feeds of others: a list behind a password, a MISP feed, a TAXII collection in two pages."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        headers: dict[str, str] = {}
        status, body = 200, b""
        if path == "/list.csv.gz":
            expected = "Basic " + base64.b64encode(f"reader:{SECRET}".encode()).decode()
            status = 200 if self.headers["Authorization"] == expected else 401
            body = gzip.compress(b"203.0.113.77\n198.51.100.0/24\nnonsense here\n")
        elif path == "/moved":
            status, headers["Location"] = 302, "/list.csv.gz"
        elif path == "/misp/manifest.json":
            body = json.dumps({"aaaa-1": {"info": "one", "timestamp": "1790000000"}}).encode()
        elif path == "/misp/aaaa-1.json":
            attribute = {
                "type": "ip-dst|port",
                "value": "203.0.113.91|443",
                "to_ids": True,
                "category": "Network activity",
            }
            body = json.dumps(
                {"Event": {"info": "one", "Attribute": [attribute], "Orgc": {"name": "friends"}}}
            ).encode()
        elif path == "/taxii/collections/c1/":
            body = json.dumps({"id": "c1", "title": "T", "can_read": True, "can_write": False}).encode()
        elif path == "/taxii/collections/c1/objects/":
            if "next=2" in query:
                body = json.dumps({"objects": [STIX]}).encode()
            else:
                other = STIX | {"id": "indicator--2", "pattern": "[ipv4-addr:value = '203.0.113.92']"}
                body = json.dumps({"more": True, "next": "2", "objects": [other]}).encode()
        else:
            status = 404
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def publisher() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Services]]:
    """The whole application with its workers."""
    settings = Config(
        data=tmp_path_factory.mktemp("intel"),
        admin_email=ADMIN,
        admin_password=PASSWORD,
        api_key=API_KEY,
        app_key=APP_KEY,
        intake_workers=-1,
        memory_bytes=10**9,
        outbound_internal=True,
    )
    services = build(settings)
    services.access.bootstrap()
    with serve(create_app(services)) as url:
        workers = Workers(services, url)
        workers.start()
        with client_for(url) as client:
            yield client, services
        workers.stop()


@pytest.fixture
def client(running: tuple[httpx.Client, Services]) -> httpx.Client:
    return running[0]


def body_of(name: str, **attributes: Any) -> dict[str, Any]:
    given = {"name": name, "format": "csv", "location": {"type": "upload"}, **attributes}
    return {"data": {"type": "threat_intel_feed", "attributes": given}}


def create(client: httpx.Client, name: str, **attributes: Any) -> str:
    answer = client.post(FEEDS, json=body_of(name, **attributes))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"]["id"])


def health(client: httpx.Client, feed_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"{FEEDS}/{feed_id}").json()["data"]["attributes"]["health"]
    return found


def logged(client: httpx.Client, message: str, **fields: Any) -> dict[str, Any]:
    """The attributes of a log that is sent now, as it is found again."""
    answer = client.post("/api/v2/logs", json=[{"message": message, "ddsource": "test", **fields}])
    assert answer.status_code == 202

    def look() -> Any:
        asked = {"filter": {"query": f'"{message}"', "from": "now-30d", "to": "now+1d"}, "page": {"limit": 1}}
        return client.post("/api/v2/logs/events/search", json=asked).json()["data"]

    found: dict[str, Any] = until(look)[0]["attributes"]["attributes"]
    return found


def results(client: httpx.Client, message: str, **fields: Any) -> list[str]:
    intel = logged(client, message, **fields).get("threat_intel", {})
    return [f"{result['source']['name']}:{result['indicator']}" for result in intel.get("results", [])]


def soon(client: httpx.Client, text: str, expected: list[str]) -> None:
    """Logs that are sent one after the other get these results at some time soon: a fetch reaches the intake later."""
    numbers = itertools.count(1)
    until(lambda: results(client, f"{text} for the {next(numbers)}th time") == expected)


def test_an_upload_is_seen_by_the_next_logs(client: httpx.Client) -> None:
    feed_id = create(client, "ours")
    assert results(client, "before it from 203.0.113.7") == []
    rows = (
        "ip_address,category,intention,source,additional_data\n"
        '203.0.113.7,C2,Malicious,"{""name"":""hunters"",""url"":""https://example.org""}","{""seen"": 3}"\n'
        "203.0.113.7,tor,suspicious,twice,\n"
        "nonsense,tor,suspicious,x,\n"
        "192.0.2.0/28,scanner,benign,,\n"
    )
    answer = client.put(f"{FEEDS}/{feed_id}/content", content=rows.encode(), headers={"Content-Type": "text/csv"})
    assert answer.status_code == 200, answer.text
    told = answer.json()["data"]["attributes"]["health"]
    assert (told["status"], told["indicators"], told["skipped"]) == ("ok", 2, 2)
    assert told["problems"] == [
        "row 3: 203.0.113.7 is in the feed already",
        "row 4: 'nonsense' is no IP address or network",
    ]
    intel = logged(client, "after it from 203.0.113.7")["threat_intel"]
    assert intel["indicators_matched"] == ["IP"]
    assert intel["results"] == [
        {
            "indicator": "203.0.113.7",
            "type": "IP",
            "category": "c2",
            "intention": "malicious",
            "source": {"name": "hunters", "url": "https://example.org"},
            "additional_data": {"seen": 3},
        }
    ]
    assert results(client, "harmless one from 192.0.2.3") == ["ours:192.0.2.0/28"]
    listed = client.get(f"{FEEDS}/{feed_id}/indicators", params={"query": "scanner"}).json()
    assert listed["meta"]["page"]["total_count"] == 1
    assert listed["data"][0]["attributes"]["indicator"] == "192.0.2.0/28"

    disabled = client.put(f"{FEEDS}/{feed_id}", json=body_of("ours", is_enabled=False))
    assert disabled.json()["data"]["attributes"]["health"]["status"] == "disabled"
    assert results(client, "disabled now, from 203.0.113.7") == []
    client.put(f"{FEEDS}/{feed_id}", json=body_of("ours"))
    assert results(client, "enabled again, from 203.0.113.7") == ["hunters:203.0.113.7"]
    assert client.delete(f"{FEEDS}/{feed_id}").status_code == 204
    assert results(client, "deleted now, from 203.0.113.7") == []
    assert client.get(f"{FEEDS}/{feed_id}").status_code == 404


def test_content_that_is_no_feed_changes_nothing(client: httpx.Client) -> None:
    feed_id = create(client, "fragile", format="stix")
    good = json.dumps({"type": "bundle", "objects": [STIX]}).encode()
    assert client.put(f"{FEEDS}/{feed_id}/content", content=good).status_code == 200
    for bad in (b"", b"{", b"[]", b"\x1f\x8bnot gzip"):
        answer = client.put(f"{FEEDS}/{feed_id}/content", content=bad)
        assert answer.status_code == 400, bad
    assert health(client, feed_id)["indicators"] == 2
    client.delete(f"{FEEDS}/{feed_id}")


def test_a_feed_is_fetched_by_itself_and_keeps_its_secret(
    client: httpx.Client, running: tuple[httpx.Client, Services], publisher: str
) -> None:
    asked = {"type": "basic", "user_name": "reader", "secret": SECRET}
    location = {"type": "url", "url": f"{publisher}/moved"}
    feed_id = create(client, "theirs", location=location, authentication=asked, defaults={"category": "tor"})
    told = until(lambda: (found := health(client, feed_id))["refreshed_at"] and found)
    assert (told["status"], told["indicators"], told["skipped"]) == ("ok", 2, 1)
    soon(client, "fetched 198.51.100.9", ["theirs:198.51.100.0/24"])
    shown = client.get(f"{FEEDS}/{feed_id}").text + client.get(FEEDS).text
    assert SECRET not in shown
    assert '"has_secret":true' in shown
    folder = running[1].config.data
    assert not [path for path in folder.glob("*.db*") if SECRET.encode() in path.read_bytes()]
    assert (folder / "secret.key").stat().st_mode & 0o077 == 0

    wrong = {**asked, "secret": "wrong"}
    changed = body_of("theirs", location=location, authentication=wrong)
    assert client.put(f"{FEEDS}/{feed_id}", json=changed).status_code == 200
    told = until(lambda: (found := health(client, feed_id))["error"] and found)
    assert told["status"] == "failing"
    assert "401" in told["error"]
    assert told["indicators"] == 2, "what was there stays"
    soon(client, "still known 198.51.100.9", ["theirs:198.51.100.0/24"])

    client.put(f"{FEEDS}/{feed_id}", json=body_of("theirs", location=location, authentication=asked))
    until(lambda: health(client, feed_id)["status"] == "ok")
    answer = client.post(f"{FEEDS}/{feed_id}/refresh")
    assert answer.status_code == 202
    client.delete(f"{FEEDS}/{feed_id}")


def test_misp_and_taxii(client: httpx.Client, publisher: str) -> None:
    misp = create(client, "misp", format="misp", location={"type": "url", "url": f"{publisher}/misp/manifest.json"})
    url = f"{publisher}/taxii/collections/c1/"
    taxii = create(client, "taxii", format="taxii", location={"type": "url", "url": url})
    until(lambda: health(client, misp)["indicators"] == 1)
    until(lambda: health(client, taxii)["indicators"] == 3)
    soon(client, "seen 203.0.113.91", ["friends:203.0.113.91"])
    soon(client, "seen 203.0.113.92", ["taxii:203.0.113.92"])
    found = logged(client, "all of 203.0.113.91, 203.0.113.92", dns={"question": {"name": "a.taxii.example.net"}})
    told = {result["indicator"]: result for result in found["threat_intel"]["results"]}
    assert told.keys() == {"203.0.113.91", "203.0.113.92", "taxii.example.net"}
    assert told["203.0.113.91"]["source"] == {"name": "friends"}
    assert told["203.0.113.91"]["category"] == "c2"
    for feed_id in (misp, taxii):
        client.delete(f"{FEEDS}/{feed_id}")


def test_files_below_the_data_directory(client: httpx.Client, running: tuple[httpx.Client, Services]) -> None:
    folder: Path = running[1].config.data / "feeds"
    folder.mkdir()
    (folder / "mine.csv").write_text("203.0.113.55\n")
    mine = create(client, "mine", location={"type": "file", "file": "mine.csv"})
    escaping = create(client, "escaping", location={"type": "file", "file": "../secret.key"})
    until(lambda: health(client, mine)["indicators"] == 1)
    assert "leads out" in until(lambda: health(client, escaping)["error"])
    for feed_id in (mine, escaping):
        client.delete(f"{FEEDS}/{feed_id}")


def test_a_value_is_looked_up_in_all_feeds(client: httpx.Client) -> None:
    nets, off = create(client, "nets"), create(client, "off", is_enabled=False)
    rows = b"indicator,category,intention\n203.0.113.0/25,scanner,suspicious\nevil-lookup.example,c2,malicious\n"
    assert client.put(f"{FEEDS}/{nets}/content", content=rows).status_code == 200
    assert client.put(f"{FEEDS}/{off}/content", content=b"indicator\n203.0.113.77\n").status_code == 200

    def listed(value: str) -> list[tuple[str, str, str, bool]]:
        answer = client.get(f"{FEEDS.removesuffix('feeds')}lookup", params={"indicator": value})
        assert answer.status_code == 200, answer.text
        found = [each["attributes"] for each in answer.json()["data"]]
        return [(one["indicator"], one["relation"], one["feed_name"], one["in_use"]) for one in found]

    assert listed("203.0.113.77") == [
        ("203.0.113.77", "exact", "off", False),
        ("203.0.113.0/25", "network", "nets", True),
    ]
    assert listed("hxxps://a.evil-lookup[.]example/x") == [("evil-lookup.example", "parent_domain", "nets", True)]
    assert listed("203.0.113.200") == []
    assert client.get(f"{FEEDS.removesuffix('feeds')}lookup", params={"indicator": ""}).status_code == 400
    for feed_id in (nets, off):
        client.delete(f"{FEEDS}/{feed_id}")


def test_a_hunt_finds_earlier_logs_once(
    client: httpx.Client, running: tuple[httpx.Client, Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hunts_repository, "GRACE_MS", 0)
    old = (running[1].clock() - 5 * 86_400_000) // 1000 * 1000
    for number in range(3):
        before = logged(client, f"{number}. contact with 203.0.113.200", timestamp=old + number, hostname="db-1")
        assert "threat_intel" not in before
    logged(client, "unrelated 203.0.113.201", timestamp=old)

    def signals(query: str = "@threat_intel.retroactive:true") -> list[dict[str, Any]]:
        asked = {"filter": {"query": query, "from": "now-30d", "to": "now+1d"}}
        found = client.post("/api/v2/security_monitoring/signals/search", json=asked).json()["data"]
        return [signal["attributes"]["custom"] | {"id": signal["id"]} for signal in found]

    def hunted(feed_id: str) -> dict[str, Any]:
        done: dict[str, Any] = until(
            lambda: [
                hunt["attributes"]
                for hunt in client.get(f"{FEEDS}/{feed_id}/hunts").json()["data"]
                if hunt["attributes"]["state"] == "done"
            ]
        )[0]
        return done

    rows = b"ip_address,category,intention\n203.0.113.200,c2,malicious\n"
    feed_id = create(client, "hunted", retro_hunt=True)
    assert client.put(f"{FEEDS}/{feed_id}/content", content=rows).status_code == 200
    told = hunted(feed_id)
    assert told["logs_found"] == 3
    assert told["logs_scanned"] >= 4
    assert told["found"] == [{"indicator": "203.0.113.200", "logs": 3}]
    for moment, count in ((told["created_at"], told["indicators"]), ("2026-01-01T00:00:00Z", 0)):
        listed = client.get(f"{FEEDS}/{feed_id}/indicators", params={"first_seen": moment}).json()
        assert listed["meta"]["page"]["total_count"] == len(listed["data"]) == count
    (signal,) = until(signals)
    assert signal["threat_intel"]["results"]["indicator"] == "203.0.113.200"
    assert signal["workflow"]["rule"]["id"] == "thi-ret-804"

    # what came after the feed is enriched live, so a second hunt of the same indicator has nothing new to say
    live = logged(client, "live contact with 203.0.113.200", timestamp=old + 10, hostname="db-1")
    assert live["threat_intel"]["results"][0]["indicator"] == "203.0.113.200"
    client.delete(f"{FEEDS}/{feed_id}")
    again = create(client, "hunted again", retro_hunt=True)
    assert client.put(f"{FEEDS}/{again}/content", content=rows).status_code == 200
    assert hunted(again)["logs_found"] == 3, "the live one is not among them"
    at = f"{datetime.now(UTC):%d/%b/%Y:%H:%M:%S} +0000"
    shell = f'203.0.113.7 - - [{at}] "GET /a.php?cmd=id HTTP/1.1" 200 5 "-" "curl/8.14.1"'
    client.post("/api/v2/logs", json=[{"message": shell, "ddsource": "nginx", "ddtags": "backfill:true"}])
    until(lambda: signals("@workflow.rule.id:web-shl-204"))  # the evaluator has read all that came before
    assert [each["id"] for each in signals()] == [signal["id"]], "the same matches make the same signal"
    assert "retroactive" not in str(logged(client, "later 203.0.113.200")["threat_intel"]), "no log says so"
    client.delete(f"{FEEDS}/{again}")


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"location": {"type": "url", "url": "ftp://example.org/x"}}, "location.url"),
        ({"format": "taxii"}, "TAXII"),
        ({"format": "stix", "columns": {"indicator": "x"}}, "only a CSV"),
        ({"indicator_type": "shoe_size"}, "indicator_type"),
        ({"authentication": {"type": "bearer"}}, "only a URL"),
        ({"name": "   "}, "name"),
    ],
)
def test_refuses_feeds_that_make_no_sense(client: httpx.Client, attributes: dict[str, Any], reason: str) -> None:
    answer = client.post(FEEDS, json=body_of("senseless", **{k: v for k, v in attributes.items() if k != "name"}))
    if "name" in attributes:
        answer = client.post(FEEDS, json=body_of(attributes["name"]))
    assert answer.status_code == 400
    assert reason in answer.text


def test_names_are_given_once_and_changes_are_audited(client: httpx.Client) -> None:
    feed_id = create(client, "audited")
    assert client.post(FEEDS, json=body_of("audited")).status_code == 409
    client.delete(f"{FEEDS}/{feed_id}")

    def look() -> Any:
        query = f"@asset.type:threat_intel_table @asset.id:{feed_id}"
        params = {"filter[query]": query, "filter[from]": "now-1h", "filter[to]": "now+1h"}
        found = client.get("/api/v2/audit/events", params=params).json()["data"]
        actions = {entry["attributes"]["attributes"]["action"] for entry in found}
        return actions == {"created", "deleted"}

    until(look)


@pytest.mark.filterwarnings("ignore:Using unstable operation")
def test_the_explorer_of_indicators_through_the_released_client(
    client: httpx.Client, running: tuple[httpx.Client, Services]
) -> None:
    feed_id = create(client, "explored", defaults={"category": "c2"})
    other = create(client, "other", defaults={"category": "C2", "intention": "suspicious"})
    for feed in (feed_id, other):
        client.put(f"{FEEDS}/{feed}/content", content=b"203.0.113.66\nbad.explored.example\n")
    for number in range(3):
        logged(client, f"explored {number}: 203.0.113.66", hostname=f"pc-{number}", usr={"id": "mira"}, service="vpn")
    logged(client, "explored dns", dns={"question": {"name": "x.bad.explored.example"}})

    configuration = Configuration(host=str(client.base_url).rstrip("/"))
    configuration.api_key = {"apiKeyAuth": API_KEY, "appKeyAuth": APP_KEY}
    for name in ("list_indicators_of_compromise", "get_indicator_of_compromise", "create_io_c_triage_state"):
        configuration.unstable_operations[name] = True
    with ApiClient(configuration) as sdk:
        api = SecurityMonitoringApi(sdk)

        def signalled() -> Any:
            found = api.list_indicators_of_compromise(query="@source:explored", sort_column="log_count", limit=10)
            return found.data.attributes

        listed = until(signalled, lambda listed: listed.data[0].signal_matches == 3)
        assert listed.metadata.count == 2
        first, second = listed.data
        assert (first.indicator, first.indicator_type, first.log_matches) == ("203.0.113.66", "IP", 3)
        assert (second.indicator, second.indicator_type, second.log_matches) == ("bad.explored.example", "DOMAIN", 1)
        assert first.categories == ["c2"]
        assert [source.name for source in first.malicious_sources] == ["explored"]
        assert [source.name for source in first.suspicious_sources] == ["other"]
        assert first.benign_sources is None
        assert str(first.m_sources) == str(first.m_signal) == "RAISE_SCORE"
        assert first.score == 100
        assert str(first.triage_state) == "not_reviewed"

        made = api.create_io_c_triage_state(
            IoCTriageWriteRequest(
                data=IoCTriageWriteRequestData(
                    attributes=IoCTriageWriteRequestAttributes(
                        indicator="203.0.113.66", triage_state=IoCTriageState("reviewed")
                    ),
                )
            )
        )
        assert made.data.attributes.triaged_by == ADMIN
        detail = api.get_indicator_of_compromise("203.0.113.66", include_triage_history=True).data.attributes.data
        assert detail.hosts == ["pc-0", "pc-1", "pc-2"]
        assert detail.services == ["vpn"]
        assert detail.users == {"usr.id": ["mira"]}
        assert [str(entry.triage_state) for entry in detail.triage_history] == ["reviewed"]
        assert {str(entry.severity): entry.count for entry in detail.signal_severity} == {"high": 3}
        assert not detail._unparsed
        reviewed = api.list_indicators_of_compromise(triage_state=IoCTriageState("reviewed"), worked_by=ADMIN)
        assert [ioc.indicator for ioc in reviewed.data.attributes.data] == ["203.0.113.66"]

    base = "/api/v2/security/siem/ioc-explorer"
    assert client.get(f"{base}/indicator", params={"indicator": "203.0.113.254"}).status_code == 404
    wrong = client.get(base, params={"query": "!"})
    assert wrong.status_code == 400
    (told,) = wrong.json()["errors"]
    assert (told["status"], told["title"]) == ("400", "Bad Request"), "the shape of this family, also for a query"
    assert told["detail"].startswith(wrong.json()["error"]["message"])
    assert client.get(base, params={"query": "@score:>99"}).json()["data"]["attributes"]["metadata"]["count"] == 1
    facets = {each["name"]: each["values"] for each in client.get(f"{base}/facets").json()["data"]}
    assert {"value": "reviewed", "count": 1} in facets["triage_state"]
    total = sum(value["count"] for value in facets["triage_state"])
    assert total == client.get(base).json()["data"]["attributes"]["metadata"]["count"], "facets agree with the list"
    chosen = {"query": "@triage_state:reviewed"}
    narrowed = {each["name"]: each["values"] for each in client.get(f"{base}/facets", params=chosen).json()["data"]}
    assert narrowed["triage_state"] == facets["triage_state"], "counted without the facet's own choice"
    assert sum(value["count"] for value in narrowed["indicator_type"]) == 1
    assert client.get(f"{base}/facets", params={"query": "("}).status_code == 400
    wrong = {"data": {"type": "ioc_triage_state", "attributes": {"indicator": "x", "triage_state": "seen"}}}
    assert client.post(f"{base}/triage", json=wrong).status_code == 400
