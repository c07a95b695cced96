"""One engine: a backtest equals what live detection produced over the range (design §9.4); preview; the command."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from load import Sender, story_requests
from server import Server

pytestmark = pytest.mark.system

RULES = "/api/v2/security_monitoring/rules"
EVENTS = 1_500


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("replay") / "data").running() as running:
        Sender(running.url).send(story_requests(int(time.time() * 1000) - 60_000, events=EVENTS, per_request=200))
        yield running


@pytest.fixture(scope="module")
def live(server: Server) -> dict[str, list[dict[str, Any]]]:
    """The signals that live detection raised once it has come to rest, by rule."""
    server.rest(EVENTS)
    body = {"filter": {"query": "*", "from": "now-30d", "to": "now+1d"}, "page": {"limit": 1000}}
    by_rule: dict[str, list[dict[str, Any]]] = {}
    for signal in server.post("/api/v2/security_monitoring/signals/search", body)["data"]:
        by_rule.setdefault(signal["attributes"]["custom"]["workflow"]["rule"]["id"], []).append(signal)
    return by_rule


def outline(signal: dict[str, Any]) -> tuple[Any, ...]:
    attributes = signal["attributes"]
    custom = attributes["custom"]
    workflow = custom["workflow"]
    counts = [query["aggregationDetails"] for query in custom["queries"]]
    times = (attributes["timestamp"], workflow["first_seen"], workflow["last_seen"])
    return (signal["id"], attributes["title"], attributes["status"], *times, workflow["events_matched"], counts)


def replayed(signal: dict[str, Any]) -> tuple[Any, ...]:
    counts = [query["aggregationDetails"] for query in signal["queries"]]
    times = (signal["timestamp"], signal["first_seen"], signal["last_seen"])
    return (signal["id"], signal["title"], signal["severity"], *times, signal["events_matched"], counts)


def backtest(server: Server, **body: Any) -> Any:
    return server.post(f"{RULES}/backtest", {"from": "now-10d", "to": "now+1d", "limit": 1000, **body})["data"]


def rules_over_logs(server: Server) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    for number in range(10):
        page = server.get(RULES, **{"page[size]": "100", "page[number]": str(number)})["data"]
        rules += page
        if len(page) < 100:
            break
    return [
        rule
        for rule in rules
        if rule["isEnabled"] and rule["queries"] and all(query.get("dataSource") == "logs" for query in rule["queries"])
    ]


def test_backtest_equals_what_live_produced(server: Server, live: dict[str, list[dict[str, Any]]]) -> None:
    """For every rule that raised something, and for some that raised nothing."""
    rules = rules_over_logs(server)
    raised = [rule for rule in rules if rule["id"] in live]
    quiet = [rule for rule in rules if rule["id"] not in live]
    assert len(raised) >= 5
    for rule in [*raised, *quiet[:4]]:
        found = backtest(server, ruleId=rule["id"])
        assert sorted(map(replayed, found["shown"])) == sorted(map(outline, live.get(rule["id"], []))), rule["name"]
        assert found["signals"] == len(found["shown"])
        assert found["comparison"] is None


def test_backtest_hides_what_live_hid(tmp_path_factory: pytest.TempPathFactory) -> None:
    """With suppressions and an exclusion in force before the logs came in."""
    now = int(time.time() * 1000)
    suppressions = "/api/v2/security_monitoring/configuration/suppressions"
    with Server(tmp_path_factory.mktemp("hiding") / "data").running() as server:
        made = {}
        for name, text in (
            ("low ones", {"suppression_query": "status:(info OR low)"}),
            ("a network", {"suppression_query": "@network.client.ip:203.0.113.*"}),
            ("one machine", {"data_exclusion_query": "host:bastion-1"}),
        ):
            attributes = {"name": name, "enabled": True, "rule_query": "*", **text}
            body = {"data": {"type": "suppressions", "attributes": attributes}}
            made[name] = server.post(suppressions, body)["data"]["id"]
        Sender(server.url).send(story_requests(now - 60_000, events=EVENTS, per_request=200))
        server.rest(EVENTS)
        shown, hidden = (of_track(server, track) for track in ("signals", "suppressed"))
        assert sum(map(len, hidden.values())) > 0
        assert sum(map(len, shown.values())) > 0
        by_all: dict[str, int] = {}
        for rule in rules_over_logs(server):
            if rule["id"] not in shown and rule["id"] not in hidden:
                continue
            found = backtest(server, ruleId=rule["id"])
            live = {signal["id"] for signal in found["shown"] if signal["hides"] != "signal"}
            assert live == shown.get(rule["id"], set()), rule["name"]
            kept = {signal["id"] for signal in found["shown"] if signal["hides"] is not None}
            assert kept == hidden.get(rule["id"], set()), rule["name"]
            assert found["hidden"]["signals"] + found["hidden"]["updates"] == len(kept)
            for one in found["hidden"]["by"]:
                by_all[one["id"]] = by_all.get(one["id"], 0) + one["signals"]
        for name in ("low ones", "a network"):
            body = {"filter": {"query": f"@workflow.suppression.id:{made[name]}", "from": "now-30d", "to": "now+1d"}}
            assert by_all.get(made[name], 0) == len(search(server, "suppressed", body))
        rule = next(rule for rule in rules_over_logs(server) if hidden.get(rule["id"]))
        previewed = server.post(f"{RULES}/preview", {"rule": rule, "from": "now-10d", "to": "now+1d"})["data"][
            "signals"
        ]
        assert previewed["hidden"]["signals"] + previewed["hidden"]["updates"] == len(hidden[rule["id"]])
        told = server.tocsin("rules", "backtest", rule["id"], "--from", "now-10d", "--to", "now+1d").stderr.decode()
        assert "suppressions would hide" in told


def search(server: Server, track: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    page = {"page": {"limit": 1000}}
    found: list[dict[str, Any]] = server.post(f"/api/v2/explore/{track}/events", {**body, **page})["data"]
    return found


def of_track(server: Server, track: str) -> dict[str, set[str]]:
    """Ids of the signals of a track, by rule."""
    found: dict[str, set[str]] = {}
    for signal in search(server, track, {"filter": {"query": "*", "from": "now-30d", "to": "now+1d"}}):
        found.setdefault(signal["attributes"]["custom"]["workflow"]["rule"]["id"], set()).add(signal["id"])
    return found


def test_difference_to_the_current_version(server: Server, live: dict[str, list[dict[str, Any]]]) -> None:
    rule = next(rule for rule in rules_over_logs(server) if rule["id"] in live)
    same = backtest(server, rule={**rule, "name": "Another name"}, against=rule["id"])["comparison"]
    count = len(live[rule["id"]])
    assert same["counts"] == {"new": 0, "gone": 0, "changed": 0, "same": count}
    quiet = {**rule, "queries": [{**query, "query": f"({query['query']}) AND nonsense"} for query in rule["queries"]]}
    gone = backtest(server, rule=quiet, against=rule["id"], limit=1)
    assert gone["signals"] == 0
    assert gone["comparison"]["counts"] == {"new": 0, "gone": count, "changed": 0, "same": 0}
    assert len(gone["comparison"]["gone"]) == 1
    milder = {**rule, "cases": [{**case, "status": "info"} for case in rule["cases"]]}
    changed = backtest(server, rule=milder, against=rule["id"])["comparison"]
    assert changed["counts"]["changed"] == sum(signal["attributes"]["status"] != "info" for signal in live[rule["id"]])
    assert all("severity" in signal["members"] for signal in changed["changed"])


def test_preview_counts_what_the_explorer_counts(server: Server, live: dict[str, list[dict[str, Any]]]) -> None:
    rule = max(rules_over_logs(server), key=lambda rule: len(live.get(rule["id"], [])))
    found = server.post(f"{RULES}/preview", {"rule": rule, "from": "now-10d", "to": "now+1d", "limit": 1})["data"]
    for query, shown in zip(rule["queries"], found["queries"], strict=True):
        body = {
            "filter": {"query": query["query"], "from": "now-10d", "to": "now+1d"},
            "compute": [{"aggregation": "count"}],
        }
        buckets = server.post("/api/v2/logs/analytics/aggregate", body)["data"]["buckets"]
        assert shown["total"] == sum(bar["count"] for bar in shown["series"])
        assert shown["total"] == (buckets[0]["computes"]["c0"] if buckets else 0)
    assert found["signals"]["total"] == len(live[rule["id"]])
    assert sum(bar["count"] for bar in found["signals"]["series"]) == len(live[rule["id"]])
    (signal,) = found["signals"]["shown"]
    assert signal["why"]["decided"]["condition"] in {case.get("condition", "") for case in rule["cases"]}
    assert len(found["queries"][0]["series"]) <= 70


def test_what_cannot_be_run_is_refused_with_the_reason(server: Server) -> None:
    with server.client() as http:
        empty = http.post(f"{RULES}/preview", json={"rule": {"name": "x"}})
        assert (empty.status_code, empty.json()["errors"][0]) == (400, "Invalid rule configuration")
        both = http.post(f"{RULES}/backtest", json={})
        assert (both.status_code, both.json()["errors"]) == (400, ["give either 'rule' or 'ruleId'"])
        backwards = http.post(f"{RULES}/backtest", json={"ruleId": "win-run-311", "from": "now", "to": "now-1d"})
        assert backwards.status_code == 400
        assert http.post(f"{RULES}/backtest", json={"ruleId": "aaa-bbb-ccc"}).status_code == 404
        old = http.post(f"{RULES}/backtest", json={"ruleId": "win-run-311", "version": 99})
        assert (old.status_code, old.json()["errors"]) == (404, ["Rule win-run-311 has no version 99"])
    keys = {"DD-API-KEY": server.headers["DD-API-KEY"]}
    assert httpx.post(f"{server.url}{RULES}/preview", json={}, headers=keys).status_code in (401, 403)


def test_the_command(server: Server, live: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    rule = next(rule for rule in rules_over_logs(server) if rule["id"] in live)
    ran = server.tocsin("rules", "backtest", rule["id"], "--from", "now-10d", "--to", "now+1d")
    assert ran.returncode == 0, ran.stderr.decode()
    assert len(ran.stdout.decode().strip().splitlines()) == 1 + len(live[rule["id"]])
    assert f"{len(live[rule['id']])} signals" in ran.stderr.decode()
    file = tmp_path / "rule.json"
    file.write_text(json.dumps({**rule, "cases": [{**case, "status": "info"} for case in rule["cases"]]}))
    told = server.tocsin("rules", "backtest", str(file), "--from", "now-10d", "--to", "now+1d")
    assert told.returncode == 0, told.stderr.decode()
    assert "changed" in told.stderr.decode()
    missing = server.tocsin("rules", "backtest", str(tmp_path / "no.json"))
    assert missing.returncode == 2
    assert "cannot be read" in missing.stderr.decode()
