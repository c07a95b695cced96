"""What the rule editor asks of the API while somebody types: checks, texts, logs that are kept, previews that end."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from api_server import serve, services_in
from server import API_KEY, APP_KEY
from waiting import PATIENCE, PLAIN, TIMEOUT

from tocsin.access.audit import AuditTrail
from tocsin.api.app import create_app
from tocsin.clock import now_ms
from tocsin.event import Event
from tocsin.rules.service import RulesService

pytestmark = pytest.mark.system

BASE = "/api/v2/security_monitoring/rules"
BODY: dict[str, Any] = {
    "name": "Door rattled by {{@usr.id}}",
    "message": "{{@usr.id}} at {{host}}",
    "isEnabled": True,
    "queries": [{"query": "source:sshd failed", "groupByFields": ["@usr.id"]}],
    "cases": [{"name": "often", "status": "high", "condition": "a > 3"}],
    "options": {},
}


class Endless:
    """Previews and backtests that run until nobody wants them."""

    def __init__(self) -> None:
        self.began, self.ended = threading.Event(), threading.Event()

    def preview(self, *given: Any) -> Any:
        self._wait(next(filter(callable, given)))

    def backtest_stored(self, *given: Any) -> Any:
        self._wait(given[-1])

    def backtest_unsaved(self, *given: Any) -> Any:
        self._wait(given[-1])

    def _wait(self, is_wanted: Callable[[], bool]) -> None:
        self.began.set()
        while is_wanted():
            threading.Event().wait(0.02)
        self.ended.set()
        raise AssertionError("nobody hears of it")


def to_event(payload: Any) -> Event:
    return Event("e", 0, message=payload.get("message", ""), source=payload.get("ddsource"), attributes=dict(payload))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    with services_in(Path(tmp_path_factory.mktemp("editor")), now_ms) as given:
        given.backtests = Endless()
        given.rules = RulesService(
            given.state, given.audit, given.clock, to_event=to_event, is_table_too_large="huge".__eq__
        )
        with serve(create_app(given)) as address:
            headers = {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": APP_KEY}
            with httpx.Client(base_url=address, headers=headers, **PLAIN) as client:
                yield SimpleNamespace(http=client, services=given)


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({"cases": [{"status": "high", "condition": "b > 3"}]}, "cases[0].condition"),
        ({"referenceTables": [{"tableName": "huge", "columnName": "c", "logFieldPath": "@x"}]}, "referenceTables[0]"),
        (
            {"type": "signal_correlation", "queries": [{"ruleId": "not-the-re1", "correlatedByFields": ["host"]}]},
            "queries[0].ruleId",
        ),
        ({"tests": {"match": [{"query": 1, "event": {}}]}}, "tests.match[0].query"),
    ],
)
def test_hints_refuse_what_storing_would(served: SimpleNamespace, changes: dict[str, Any], target: str) -> None:
    answer = served.http.post(f"{BASE}/hints", json={**BODY, **changes})
    assert answer.status_code == 400
    assert [detail["target"][: len(target)] for detail in answer.json()["error"]["details"]] == [target]
    assert served.http.post(f"{BASE}/validation", json={**BODY, **changes}).json() == answer.json()


def test_typing_leaves_no_trace_in_the_audit_trail(served: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded: list[str] = []
    monkeypatch.setattr(AuditTrail, "record", lambda _self, _session, _by, action, *_: recorded.append(action))
    for path in ("hints", "render", "validation"):
        served.http.post(f"{BASE}/{path}", json={"rule": BODY} if path == "render" else BODY).raise_for_status()
    assert recorded == ["validated"]


def test_texts_are_rendered_for_a_log(served: SimpleNamespace) -> None:
    log = {"ddsource": "sshd", "message": "failed", "usr": {"id": "root"}}
    shown = served.http.post(f"{BASE}/render", json={"rule": BODY, "payload": log}).json()["data"]
    assert (shown["title"], shown["message"]) == ("Door rattled by root - often", "root at ")
    assert (shown["severity"], shown["matched"], shown["hints"]) == ("high", ["a"], [])
    broken = {**BODY, "message": "{{#if x}}"}
    hints = served.http.post(f"{BASE}/render", json={"rule": broken}).json()["data"]["hints"]
    assert [(hint["target"], hint["start"], hint["end"]) for hint in hints] == [("message", 0, 9)]
    assert served.http.post(f"{BASE}/render", json={"rule": BODY, "case": 1}).status_code == 400


def test_logs_are_kept_with_the_rule(served: SimpleNamespace) -> None:
    tests = {"match": [{"query": 0, "event": {"message": "failed", "ddsource": "sshd"}}], "no_match": []}
    made = served.http.post(BASE, json={**BODY, "tests": tests}).json()
    assert served.http.get(f"{BASE}/{made['id']}").json()["tests"] == tests
    changed = served.http.put(f"{BASE}/{made['id']}", json={"tests": {"match": []}, "version": 1}).json()
    assert (changed["tests"], changed["version"]) == ({"match": []}, 2)


@pytest.mark.parametrize(
    ("path", "body"),
    [("preview", {"rule": BODY}), ("backtest", {"rule": BODY}), ("backtest", {"ruleId": "aaa-bbb-ccc"})],
)
def test_what_nobody_waits_for_ends(served: SimpleNamespace, path: str, body: dict[str, Any]) -> None:
    endless = served.services.backtests = Endless()
    content = json.dumps(body)
    keys = f"DD-API-KEY: {API_KEY}\r\nDD-APPLICATION-KEY: {APP_KEY}\r\n"
    head = f"POST {BASE}/{path} HTTP/1.1\r\nHost: x\r\n{keys}Content-Type: application/json\r\n"
    url = served.http.base_url
    with socket.create_connection((url.host, url.port), timeout=TIMEOUT) as connection:
        connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n{content}".encode())
        assert endless.began.wait(PATIENCE)
    assert endless.ended.wait(PATIENCE)
