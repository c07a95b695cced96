"""The demonstration as visitors find it: its pages have something to show, and a restart adds and restores nothing."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from server import Server
from waiting import until

from tocsin.demo.cast import ATTACKER_WEB, TESTERS
from tocsin.demo.settled import JOB, TABLE, rule

pytestmark = pytest.mark.system

SUPPRESSIONS = "/api/v2/security_monitoring/configuration/suppressions"
TABLES = "/api/v2/reference-tables/tables"
JOBS = "/api/v2/siem-threat-hunting/jobs"
SCAN, PASSWORD, UPDATES = (
    "Brightwater tests the shop",
    "Monitoring has a stale password on the bastion",
    "Updates of the till software",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("demo") / "data", "--demo").running() as server:
        until(lambda: server.get(JOBS)["data"], lambda jobs: jobs and jobs[0]["attributes"]["jobStatus"] == "completed")
        yield server


def suppressions(server: Server) -> dict[str, str]:
    """Ids by name."""
    return {one["attributes"]["name"]: one["id"] for one in server.get(SUPPRESSIONS)["data"]}


def told(server: Server, name: str, what: str) -> Any:
    return server.get(f"{SUPPRESSIONS}/{suppressions(server)[name]}/{what}")["data"]["attributes"]


def signals(server: Server, query: str, track: str = "signals") -> list[Any]:
    body = {"filter": {"query": query, "from": "now-8d", "to": "now"}, "page": {"limit": 100}}
    found: list[Any] = server.post(f"/api/v2/explore/{track}/events", body)["data"]
    return found


def test_suppressions_hide_what_was_announced_and_nothing_else(server: Server) -> None:
    assert set(suppressions(server)) == {SCAN, PASSWORD, UPDATES}
    for name, address in ((SCAN, TESTERS), (PASSWORD, "10.20.0.9")):
        until(lambda name=name: told(server, name, "hidden")["signals"], lambda count: count >= 4)
        assert len(signals(server, f"@network.client.ip:{address}", "suppressed")) >= 4
        assert signals(server, f"@network.client.ip:{address}") == []
    assert told(server, UPDATES, "excluded")["events"] > 100
    path = f"{SUPPRESSIONS}/{suppressions(server)[SCAN]}/version_history"
    assert server.get(path)["data"]["attributes"]["count"] == 2, "there is a difference to look at"


def test_the_table_is_asked_by_a_rule_and_a_lookup(server: Server) -> None:
    (table,) = server.get(TABLES)["data"]
    assert [use["kind"] for use in table["attributes"]["used_by"]] == ["rule", "pipeline"]
    assert (table["attributes"]["table_name"], table["attributes"]["row_count"]) == (TABLE, 4)
    scan = {"query": f"@network.client.ip:{TESTERS}", "from": "now-8d", "to": "now"}
    search = {"filter": scan, "page": {"limit": 1000}}
    logs = server.post("/api/v2/logs/events/search", search)["data"]
    assert len(logs) > 200
    assert {log["attributes"]["attributes"]["scanner"]["company"] for log in logs} == {"Brightwater"}
    found = until(lambda: signals(server, f'@workflow.rule.name:"{rule()["name"]}"'), lambda found: len(found) >= 2)
    assert all(ATTACKER_WEB in str(one) for one in found)


def test_a_restart_adds_nothing_and_restores_nothing(server: Server) -> None:
    (job,) = server.get(JOBS)["data"]
    assert job["attributes"]["jobName"] == JOB
    assert job["attributes"]["resultCount"] >= 4
    with server.client() as client:
        client.delete(f"{SUPPRESSIONS}/{suppressions(server)[UPDATES]}").raise_for_status()
        client.delete(f"{JOBS}/{job['id']}").raise_for_status()
    server.stop()
    began = int(time.time() * 1000)
    server.start()
    later = {"filter": {"query": "source:nginx", "from": str(began), "to": "now+1d"}, "page": {"limit": 1}}
    until(lambda: server.post("/api/v2/logs/events/search", later)["data"])  # the player has begun, and gone past both
    assert set(suppressions(server)) == {SCAN, PASSWORD}
    assert server.get(JOBS)["data"] == []
    assert len(server.get(TABLES)["data"]) == 1
