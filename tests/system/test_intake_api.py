"""The log intake over HTTP: what shippers really send, and what they must be answered (api.md §2)."""

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
import zstandard
from api_server import API_KEY, Api, serve_api
from intake_doubles import MemoryRows, full_disk, make_intake
from waiting import TIMEOUT, until

from tocsin.api import intake as routes
from tocsin.clock import now_ms
from tocsin.intake.rejected import RejectedEvents

AGENT_ITEM = {
    "message": "Failed password for root",
    "status": "warn",
    "timestamp": 1_767_225_600_123,
    "hostname": "bastion-1",
    "service": "ssh",
    "ddsource": "sshd",
    "ddtags": "team:infra",
}
BATCH = json.dumps([AGENT_ITEM, {**AGENT_ITEM, "message": "Accepted password"}]).encode()
JSON = "application/json"
KEY = {"DD-API-KEY": API_KEY}
LINE = b"<40>1 2026-01-01T06:45:29+00:00 host app web.3 - State change"
FRAME = b"%d %s" % (len(LINE), LINE)

REQUESTS = [
    (
        "Agent, zstd",
        "/api/v2/logs",
        {**KEY, "content-encoding": "zstd", "DD-PROTOCOL": "agent-json"},
        zstandard.compress(BATCH),
        202,
        2,
    ),
    ("Agent, older, gzip", "/v1/input", {**KEY, "content-encoding": "gzip"}, gzip.compress(BATCH), 200, 2),
    ("Agent, probe", "/api/v2/logs", KEY, b"{}", 202, 0),
    ("Agent, probe of v1", "/v1/input", KEY, b"[]", 200, 0),
    (
        "Vector, zlib",
        "/api/v2/logs",
        {**KEY, "content-encoding": "deflate", "DD-EVP-ORIGIN": "vector"},
        zlib.compress(BATCH),
        202,
        2,
    ),
    ("Fluent Bit", "/api/v2/logs", {**KEY, "DD-EVP-ORIGIN": "Fluent-Bit"}, BATCH, 202, 2),
    ("Fluent Bit, trailing slash", "/api/v2/logs/", KEY, BATCH, 202, 2),
    (
        "Lambda forwarder",
        "/api/v2/logs",
        {**KEY, "content-encoding": "gzip", "DD-STORAGE-TAG": "s3"},
        gzip.compress(BATCH),
        202,
        2,
    ),
    ("Serilog, key in the path", f"/v1/input/{API_KEY}", {}, BATCH, 200, 2),
    (
        "winston, key in the query",
        f"/api/v2/logs?dd-api-key={API_KEY}&ddsource=nodejs&service=x",
        {},
        b'{"message":"hi"}',
        202,
        1,
    ),
    ("old shipper, key in the query", f"/v1/input?api_key={API_KEY}", {}, b'{"message":"hi"}', 200, 1),
    ("simple", "/v1/input", {**KEY, "content-type": "application/json;simple"}, b"[1,2]", 200, 1),
    (
        "lines",
        "/api/v2/logs?ddsource=nginx&ddtags=env:a,team:b",
        {**KEY, "content-type": "text/plain"},
        b"a\nb\n\nc\n",
        202,
        3,
    ),
    ("an object a line", "/api/v2/logs", KEY, b'{"message":"a"}\n{"message":"b"}', 202, 2),
    ("Heroku", "/v1/input", {**KEY, "content-type": "application/logplex-1"}, FRAME, 200, 1),
    ("zstd1", "/api/v2/logs", {**KEY, "content-encoding": "zstd1"}, zstandard.compress(BATCH), 202, 2),
    ("CloudTrail's file", "/api/v2/logs", KEY, b'{"Records":[{"eventName":"A"},{"eventName":"B"}]}', 202, 2),
    ("not only events", "/api/v2/logs", KEY, b'[{"message":"a"},5,null]', 202, 3),
    ("1,000 events", "/api/v2/logs", KEY, json.dumps([{"message": "x"}] * 1000).encode(), 202, 1000),
    ("no key", "/api/v2/logs", {}, BATCH, 401, 0),
    ("a wrong key", "/api/v2/logs", {"DD-API-KEY": "f" * 32}, BATCH, 403, 0),
    ("a wrong key, v1", f"/v1/input/{'f' * 32}", {}, BATCH, 403, 0),
    ("malformed", "/api/v2/logs", KEY, b'{"a":', 400, 0),
    ("malformed, v1", "/v1/input", KEY, b'{"a":', 400, 0),
    ("damaged gzip", "/api/v2/logs", {**KEY, "content-encoding": "gzip"}, b"no gzip", 400, 0),
    ("unknown encoding", "/api/v2/logs", {**KEY, "content-encoding": "br"}, BATCH, 400, 0),
    ("1,001 events", "/api/v2/logs", KEY, json.dumps([{"message": "x"}] * 1001).encode(), 413, 0),
    ("too large", "/api/v2/logs", KEY, b'{"message":"' + b"x" * 5_000_000 + b'"}', 413, 0),
    ("a bomb", "/api/v2/logs", {**KEY, "content-encoding": "gzip"}, gzip.compress(bytes(50_000_000)), 413, 0),
]


@pytest.fixture(scope="module")
def rows() -> MemoryRows:
    return MemoryRows()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, rows: MemoryRows) -> Iterator[Api]:
    intake = make_intake(rows, clock=now_ms, buffer_bytes=1_000_000)
    intake.start()
    with serve_api(
        tmp_path_factory.mktemp("intake"), intake=intake, rejected=RejectedEvents(rows, intake, now_ms)
    ) as api:
        yield api
    intake.stop()


@pytest.mark.parametrize(
    ("name", "path", "headers", "body", "status", "events"), REQUESTS, ids=[row[0] for row in REQUESTS]
)
def test_request(server: Api, rows: MemoryRows, name, path, headers, body, status, events) -> None:
    def stored() -> int:
        return sum(map(len, rows.tables.values()))

    rows.tables["logs"].clear()
    server.services.intake._recent = None  # each case begins anew
    before = stored()
    answer = server.anonymous.post(path, content=body, headers={"content-type": JSON, **headers})
    assert answer.status_code == status, answer.text
    assert stored() - before == events
    if status < 300:
        assert answer.json() == {}
    elif path.startswith("/v1"):
        assert answer.json()["code"] == status
        assert answer.json()["message"]
    else:
        [error] = answer.json()["errors"]
        assert error["status"] == str(status)
        assert error["title"]
        assert error["detail"]


def test_the_answer_to_malformed_json_is_the_documented_one(server: Api) -> None:
    error = server.anonymous.post("/api/v2/logs", content=b"{", headers=KEY).json()["errors"][0]
    assert error["status"] == "400"
    assert error["title"] == "Bad Request"
    assert error["detail"].startswith("Invalid JSON")


def test_a_full_buffer_is_told_with_when_to_come_again(server: Api, rows: MemoryRows) -> None:
    intake = server.services.intake
    admission = intake.admit(1_000_000)
    answer = server.anonymous.post("/api/v2/logs", content=BATCH, headers=KEY)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    for name in ("Limit", "Period", "Remaining", "Reset", "Name"):
        assert answer.headers[f"X-RateLimit-{name}"]
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    admission.release()
    assert server.anonymous.post("/api/v2/logs", content=BATCH, headers=KEY).status_code == 202


def test_a_full_disk_is_503_and_nothing_is_acknowledged(server: Api, rows: MemoryRows) -> None:
    before = len(rows.tables["logs"])
    rows.fail(full_disk())
    fresh = json.dumps({"message": "not yet seen"}).encode()
    answer = server.anonymous.post("/api/v2/logs", content=fresh, headers=KEY)
    assert answer.status_code == 503
    assert "disk" in answer.json()["errors"][0]["detail"]
    assert len(rows.tables["logs"]) == before
    assert server.anonymous.post("/api/v2/logs", content=fresh, headers=KEY).status_code == 202


def connect(server: Api) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=TIMEOUT)


def test_a_slow_body_is_408(server: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "LIMITS", replace(routes.LIMITS, body_seconds=0.3))
    with connect(server) as connection:
        head = f"POST /api/v2/logs HTTP/1.1\r\nHost: x\r\nDD-API-KEY: {API_KEY}\r\nContent-Length: 50\r\n\r\n"
        connection.sendall(head.encode() + b"[")
        assert connection.recv(1000).startswith(b"HTTP/1.1 408")
    assert server.services.intake.buffered_bytes == 0


def test_a_request_that_is_cut_off_leaves_nothing_behind(server: Api, rows: MemoryRows) -> None:
    before = len(rows.tables["logs"])
    with ExitStack() as connections:
        for _ in range(5):
            connection = connections.enter_context(connect(server))
            head = f"POST /api/v2/logs HTTP/1.1\r\nHost: x\r\nDD-API-KEY: {API_KEY}\r\nContent-Length: 5000\r\n\r\n"
            connection.sendall(head.encode() + b'[{"message":"half')
        until(lambda: server.services.intake.buffered_bytes, lambda held: held == 5 * 5000)
    until(lambda: server.services.intake.buffered_bytes, lambda held: held == 0)
    assert len(rows.tables["logs"]) == before


def test_a_client_that_does_not_wait_loses_nothing(server: Api, rows: MemoryRows) -> None:
    intake = server.services.intake
    body = b'{"message":"sent and gone"}'
    rows.gate.clear()
    with connect(server) as connection:
        head = f"POST /api/v2/logs HTTP/1.1\r\nHost: x\r\nDD-API-KEY: {API_KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        until(lambda: intake.oldest_waiting_at)
    rows.gate.set()
    until(lambda: intake.buffered_bytes, lambda held: held == 0)
    assert any(row["n"] == {"message": "sent and gone"} for row in rows.tables["logs"])


def test_reading_needs_more_than_an_api_key(server: Api) -> None:
    for path in ("status", "rejected"):
        assert server.anonymous.get(f"/api/v2/tocsin/intake/{path}", headers=KEY).status_code == 403
    assert server.anonymous.post("/api/v2/tocsin/intake/rejected/replay", json={}, headers=KEY).status_code == 403
