"""A kill in the middle of changing content: a table, a feed and a pack are as before the change or as after it.

Changes go on while the server is killed again and again. What was acknowledged is there, what was on its way is there
as a whole or not at all, and logs are enriched with what the pages show.
"""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from server import Server
from waiting import PATIENCE, until

pytestmark = pytest.mark.system

TABLES = "/api/v2/reference-tables"
FEEDS = "/api/v2/security/siem/threat-intel/feeds"
PACKS = "/api/v2/security_monitoring/content_packs"
PACK = "okta"
ROWS = 150
KILLS = 2
TURNS_BETWEEN = 12
"""Changes that are acknowledged before the next kill."""


class Turns:
    """One thing that is changed again and again; each change repeated until the server acknowledges it."""

    def __init__(self, change: Callable[[httpx.Client, int], httpx.Response]) -> None:
        self._change = change
        self.done = 0
        self.begun = 0

    def go_on(self, server: Server, is_over: threading.Event) -> None:
        with server.client() as http:
            while not is_over.is_set():
                self.begun = max(self.begun, self.done + 1)
                try:
                    answer = self._change(http, self.done + 1)
                except httpx.TransportError:
                    time.sleep(0.05)  # it is away, or about to be
                    continue
                assert answer.is_success or answer.status_code in (429, 503), answer.text
                self.done += answer.is_success

    @property
    def possible(self) -> Iterator[int]:
        """The turns at which it may be found: the last one acknowledged, or the one that was on its way."""
        return iter(range(self.done, self.begun + 1))


def named(turn: int) -> str:
    return f"turn{turn:04}"


def row(number: int, turn: int) -> dict[str, Any]:
    values = {"user": f"user{number}", "turn": turn}
    return {"id": values["user"], "type": "row", "attributes": {"values": values}}


def table_of(server: Server) -> str:
    asked = {"table_name": "turns", "headers": ["user", "turn"], "part_count": 1, "part_size": 10_000}
    begun = server.post(f"{TABLES}/uploads", {"data": {"type": "upload", "attributes": asked}})["data"]
    content = "user,turn\n" + "".join(f"user{number},0\n" for number in range(ROWS))
    with server.client() as http:
        http.put(begun["attributes"]["part_urls"][0], content=content.encode()).raise_for_status()
    fields = [{"name": "user", "type": "STRING"}, {"name": "turn", "type": "INT32"}]
    attributes = {
        "table_name": "turns",
        "source": "LOCAL_FILE",
        "schema": {"primary_keys": ["user"], "fields": fields},
        "file_metadata": {"upload_id": begun["id"]},
    }
    made = server.post(f"{TABLES}/tables", {"data": {"type": "reference_table", "attributes": attributes}})
    return str(made["data"]["id"])


def feed_of(server: Server) -> str:
    given = {"name": "turns", "format": "csv", "location": {"type": "upload"}}
    made = server.post(FEEDS, {"data": {"type": "threat_intel_feed", "attributes": given}})["data"]["id"]
    with server.client() as http:
        assert upload(http, made, 0).is_success
    return str(made)


def upload(http: httpx.Client, feed: str, turn: int) -> httpx.Response:
    rows = "".join(f"203.0.113.{number},{named(turn)},malicious,turns,\n" for number in range(ROWS))
    content = f"ip_address,category,intention,source,additional_data\n{rows}"
    return http.put(f"{FEEDS}/{feed}/content", content=content.encode(), headers={"Content-Type": "text/csv"})


def turns_in_table(server: Server, table: str) -> set[int]:
    page = server.get(f"{TABLES}/tables/{table}/rows/list", **{"page[limit]": "1000"})["data"]
    assert len(page) == ROWS
    return {each["attributes"]["values"]["turn"] for each in page}


def indicators(server: Server, feed: str, turn: int) -> int:
    found = server.get(f"{FEEDS}/{feed}/indicators", query=named(turn))
    return int(found["meta"]["page"]["total_count"])


def enriched(server: Server, text: str) -> str:
    """The category that a log that is sent now gets."""
    server.post("/api/v2/logs", [{"message": f"{text} from 203.0.113.7", "ddsource": "test"}])
    body = {"filter": {"query": f'"{text}"', "from": "now-1h", "to": "now+1d"}, "page": {"limit": 1}}
    (log,) = until(lambda: server.post("/api/v2/logs/events/search", body)["data"])
    return str(log["attributes"]["attributes"]["threat_intel"]["results"][0]["category"])


def pack_of(server: Server) -> dict[str, Any]:
    (found,) = (each for each in server.get(PACKS)["data"] if each["id"] == PACK)
    return dict(found["attributes"])


def rules_on_and_off(server: Server) -> tuple[int, int]:
    """How many rules of the pack are enabled while it is active, and while it is not: those that another has too."""
    counts = []
    with server.client() as http:
        for name in ("deactivate", "activate"):
            http.put(f"{PACKS}/{PACK}/{name}").raise_for_status()
            counts.append(pack_of(server)["rules"]["enabled"])
    return counts[1], counts[0]


def test_what_is_changed_at_a_kill_is_whole(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    with server.running():
        table, feed = table_of(server), feed_of(server)
        enabled, rest = rules_on_and_off(server)
        assert enabled > rest
        rows = Turns(
            lambda http, turn: http.post(
                f"{TABLES}/tables/{table}/rows", json={"data": [row(number, turn) for number in range(ROWS)]}
            )
        )
        contents = Turns(lambda http, turn: upload(http, feed, turn))
        switches = Turns(lambda http, turn: http.put(f"{PACKS}/{PACK}/{('activate', 'deactivate')[turn % 2]}"))
        everything = (rows, contents, switches)
        for kill in range(KILLS):
            is_over = threading.Event()
            threads = [threading.Thread(target=each.go_on, args=(server, is_over)) for each in everything]
            for thread in threads:
                thread.start()
            until(lambda: min(each.done for each in everything), (TURNS_BETWEEN * (kill + 1)).__le__, every=0.001)
            server.kill()
            is_over.set()
            for thread in threads:
                thread.join(PATIENCE)
                assert not thread.is_alive()
            server.start()

            (turn,) = turns_in_table(server, table)
            assert turn in rows.possible
            counts = {turn: indicators(server, feed, turn) for turn in contents.possible}
            (shown,) = (turn for turn, count in counts.items() if count)
            assert counts[shown] == ROWS
            assert enriched(server, f"after kill {kill}") == named(shown)
            found = pack_of(server)
            assert found["rules"]["enabled"] in {(enabled, rest)[turn % 2] for turn in switches.possible}
            assert (found["rules"]["enabled"] == rest) == (found["details"]["cp_activation"] == "deactivated")
