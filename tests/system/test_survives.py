"""Kills, disorder and repetition change nothing (issue: "It survives").

The same requests are sent to an undisturbed server and to one that is killed again and again; what both hold
in the end must be the same, byte for byte where it is about signals.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import orjson
import pytest
from load import Requests, Sender, shuffled, story_requests
from server import Server
from waiting import PATIENCE, until

pytestmark = pytest.mark.system

EVENTS = 3_000
PER_REQUEST = 60
KILLS = 4


@pytest.fixture(scope="module")
def requests() -> Requests:
    # the story must not lie in the future, and its end must be the same for all servers of this module
    return story_requests(end=int(time.time() * 1000) - 60_000, events=EVENTS, per_request=PER_REQUEST)


@pytest.fixture(scope="module")
def at_peace(requests: Requests, tmp_path_factory: pytest.TempPathFactory) -> tuple[Server, dict[str, Any]]:
    """A server that was not disturbed and is stopped now, and what it held then."""
    server = Server(tmp_path_factory.mktemp("undisturbed") / "data")
    with server.running():
        Sender(server.url).send(requests)
        return server, settled(server)


@pytest.fixture(scope="module")
def undisturbed(at_peace: tuple[Server, dict[str, Any]]) -> dict[str, Any]:
    return at_peace[1]


def settled(server: Server) -> dict[str, Any]:
    """What the server holds once detection has nothing left to do."""
    server.rest(EVENTS)
    return {"events": server.count(), "signals": signals(server)}


def signals(server: Server) -> dict[str, bytes]:
    """Every signal by id, without what may differ between runs: when it was discovered and written."""
    found: dict[str, bytes] = {}
    cursor = None
    while True:
        page: dict[str, Any] = {"limit": 500} | ({"cursor": cursor} if cursor else {})
        body = {"filter": {"query": "*", "from": "now-30d", "to": "now+1d"}, "page": page}
        answer = server.post("/api/v2/explore/signals/events", body)
        for signal in answer["data"]:
            found[signal["id"]] = comparable(signal["attributes"])
        cursor = answer["meta"].get("page", {}).get("after")
        if not cursor:
            return found


def comparable(attributes: dict[str, Any]) -> bytes:
    custom = {k: v for k, v in attributes["custom"].items() if k != "discovery_timestamp"}
    workflow = dict(custom.get("workflow", {}))
    workflow.pop("window", None)  # closed by the clock, so it depends on when one looks
    content = {k: v for k, v in attributes.items() if k != "ingested_at"}
    return orjson.dumps({**content, "custom": {**custom, "workflow": workflow}}, option=orjson.OPT_SORT_KEYS)


def differences(expected: Any, actual: Any, path: str = "") -> Iterator[str]:
    """Where two JSON values differ, and how."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted(expected.keys() | actual.keys()):
            yield from differences(expected.get(key), actual.get(key), f"{path}.{key}")
    elif expected != actual:
        yield f"{path}: {expected!r} became {actual!r}"


def assert_same(actual: dict[str, Any], expected: dict[str, Any]) -> None:
    assert actual["events"] == expected["events"], "events were lost or doubled"
    missing = expected["signals"].keys() - actual["signals"].keys()
    extra = actual["signals"].keys() - expected["signals"].keys()
    assert not missing, f"{len(missing)} signals are missing"
    assert not extra, f"{len(extra)} signals are too many"
    for identity, content in expected["signals"].items():
        differing = list(differences(orjson.loads(content), orjson.loads(actual["signals"][identity])))
        assert not differing, f"{identity}: {differing}"


def test_there_is_something_to_lose(undisturbed: dict[str, Any]) -> None:
    assert undisturbed["events"] == EVENTS
    assert len(undisturbed["signals"]) >= 10


def test_kills_under_load_lose_and_double_nothing(
    requests: Requests, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    """Each kill comes in the middle of the load, and lasts until a request has met the dead server."""
    server = Server(tmp_path / "data")
    sender = Sender(server.url)
    share = len(requests) // (KILLS + 1)
    killed: SimpleQueue[int] = SimpleQueue()
    starting = threading.Lock()

    def kill(acknowledged: int) -> None:
        """Called while no other thread of the sender gets further than the request that it is at."""
        if acknowledged % share == 0 and acknowledged // share <= KILLS:
            with starting:
                server.kill()
            killed.put(sender.repeated)

    with server.running(), ThreadPoolExecutor(1) as threads:
        sending = threads.submit(sender.send, requests, kill)
        for _ in range(KILLS):
            repeated_before = killed.get(timeout=PATIENCE)
            until(lambda: sender.repeated, repeated_before.__lt__)
            with starting:
                server.start()
        sending.result()
        assert_same(settled(server), undisturbed)


def test_shuffled_and_repeated_arrival_gives_the_same_signals(
    requests: Requests, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    with Server(tmp_path / "data").running() as server:
        Sender(server.url).send(shuffled([*requests, *requests[::4]], seed=5))
        assert_same(settled(server), undisturbed)


def test_a_kill_while_evaluating_is_made_good_at_the_next_start(
    requests: Requests, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    server = Server(tmp_path / "data")
    with server.running():
        Sender(server.url).send(requests)
        server.kill()  # acknowledged, but hardly evaluated
        server.start()
        assert_same(settled(server), undisturbed)


def state_of(server: Server, path: str) -> str:
    triage = server.get(path)["data"]["attributes"]["custom"]["workflow"]["triage"]
    return str(triage["state"])


def test_decisions_survive_a_kill(at_peace: tuple[Server, dict[str, Any]]) -> None:
    server, held = at_peace
    with server.running():
        chosen = sorted(held["signals"])[:3]
        for identity in chosen:
            body = {"data": {"attributes": {"state": "archived", "archive_reason": "false_positive"}}}
            with server.client() as client:
                answer = client.patch(f"/api/v2/security_monitoring/signals/{identity}/state", json=body)
            assert answer.status_code == 200, answer.text
        server.kill()
        server.start()
        for identity in chosen:
            assert state_of(server, f"/api/v2/security_monitoring/signals/{identity}") == "archived"
        # Searches read the rows, which follow when the lease of the killed process has run out.
        query = "@workflow.triage.state:archived @workflow.triage.archive_reason:false_positive"
        body = {"filter": {"query": query, "from": "now-30d", "to": "now+1d"}, "page": {"limit": 100}}
        until(
            lambda: {s["id"] for s in server.post("/api/v2/explore/signals/events", body)["data"]}, set(chosen).__eq__
        )
