"""The command line as its user meets it, beside a live server."""

import csv
import gzip
import io
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import orjson
import pytest
from ports import free_port
from server import API_KEY, APP_KEY, Server
from waiting import PATIENCE, TIMEOUT, until

import tocsin

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("cli") / "data").running() as server:
        yield server


def ran(server: Server, *arguments: str, stdin: bytes | None = None, code: int = 0) -> str:
    """What a command printed. Its errors are in one sentence, never a traceback."""
    run = server.tocsin(*arguments, stdin=stdin)
    errors = run.stderr.decode()
    assert "Traceback" not in errors, errors
    assert run.returncode == code, run.stdout.decode() + errors
    return run.stdout.decode() + errors


def found(server: Server, query: str, *options: str) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in ran(server, "search", query, "--format", "json", *options).splitlines()]


def logs(number: int, **more: object) -> bytes:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return b"\n".join(orjson.dumps({"message": f"line {n}", "timestamp": now, **more}) for n in range(number))


def test_version_help_and_settings(server: Server) -> None:
    assert ran(server, "--version") == f"tocsin {tocsin.__version__}\n"
    told = ran(server, "--help")
    for command in ("up", "ingest", "search", "user", "key", "rejected", "query", "config"):
        assert command in told
        assert "Usage:" in ran(server, command, "--help")
    shown = ran(server, "config")
    assert str(server.data) in shown
    assert API_KEY not in shown
    assert APP_KEY not in shown


def test_standard_input_with_defaults(server: Server) -> None:
    printed = ran(
        server, "ingest", "-", "--source", "shop", "--service", "till", "--tag", "env:test", "--tag", "team:a",
        stdin=b"plain text of the till\n",
    )  # fmt: skip
    assert re.search(r"\b1  stored", printed)
    (event,) = found(server, "source:shop service:till env:test team:a")
    assert event["attributes"]["message"] == "plain text of the till"


def test_two_equal_lines_are_two_events_and_again_are_none(server: Server, tmp_path: Path) -> None:
    """Also where requests part them: 1,000 events are one request."""
    began = f"{datetime.now(UTC):%b %d %H:%M:%S} twin-host sshd[7]"
    line = f"{began}: Failed password for root from 203.0.113.9 port 1 ssh2"
    others = [f"{line} {number}" for number in range(1500)]
    file = tmp_path / "auth.log.gz"
    file.write_bytes(gzip.compress("\n".join([line, line, *others, line]).encode()))
    assert re.search(r"1,503  stored", ran(server, "ingest", str(file)))
    again = ran(server, "ingest", str(file))
    assert re.search(r" 0  stored", again)
    assert re.search(r"1,503  were stored before", again)
    assert len(found(server, "host:twin-host", "--limit", "5000")) == 1503


def test_what_is_rejected_is_listed_and_replayed(server: Server) -> None:
    printed = ran(server, "ingest", "-", stdin=b'{"message": "good", "service": "half"}\n{}\n', code=1)
    assert re.search(r"\b2  accepted", printed)
    assert re.search(r"\b1  stored", printed)
    assert re.search(r"\b1  rejected, empty: ", printed)
    listed = ran(server, "rejected", "list", "--code", "empty")
    assert "an empty object says nothing" in listed
    identity = listed.splitlines()[1].split()[0]
    assert "rejected again 1" in ran(server, "rejected", "replay", identity, code=1)
    assert "ids that no rejected event has: 1" in ran(server, "rejected", "replay", identity, "AwAAAnone", code=2)
    assert "nothing was rejected" in ran(server, "rejected", "list", "--code", "no_such_code")


def test_files_that_cannot_be_read(server: Server, tmp_path: Path) -> None:
    good = tmp_path / "good.log"
    good.write_bytes(logs(3, service="among-bad"))
    half = tmp_path / "half.gz"
    whole = gzip.compress(b"\n".join(b"%d %d" % (n, n * 7919 % 10007) for n in range(5000)))
    half.write_bytes(whole[: len(whole) // 2])
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    empty = tmp_path / "empty.json"
    empty.touch()
    bad = [str(tmp_path / "[missing]"), str(tmp_path), str(half), str(picture), str(empty)]
    printed = ran(server, "ingest", *bad, str(good), code=2)
    for reason in ("[missing]: No such file", "is a directory", "ended before", "not a text"):
        assert reason in printed
    assert len(found(server, "service:among-bad")) == 3


def test_the_server_refuses_or_is_not_there(server: Server) -> None:
    wrong = {**server.environment, "TOCSIN_API_KEY": "f" * 32}
    run = subprocess.run(
        [sys.executable, "-m", "tocsin", "ingest", "-"], env=wrong, input=b"x\n", capture_output=True, check=False
    )
    assert run.returncode == 2
    assert "the key is wrong" in run.stderr.decode()
    printed = ran(server, "ingest", "-", "--url", f"http://127.0.0.1:{free_port()}", stdin=b"x\n", code=2)
    assert "start one with `tocsin up`" in printed.replace("\n", " ")
    assert "key:value" in ran(server, "ingest", "-", "--tag", "nonsense", stdin=b"x\n", code=2)


def test_an_address_that_is_taken(server: Server, tmp_path: Path) -> None:
    data = tmp_path / "data"
    up = [sys.executable, "-m", "tocsin", "up", "--data", str(data), "--port", str(server.port)]
    run = subprocess.run(up, capture_output=True, check=False)
    assert run.returncode == 2
    assert f"cannot listen on 127.0.0.1:{server.port}" in run.stderr.decode()
    assert not data.exists(), "nothing was made"


def test_a_record_larger_than_a_request(server: Server) -> None:
    long = b'{"message": "' + b"x" * 5_000_000 + b'", "service": "long"}\n{"message": "short", "service": "long"}\n'
    printed = ran(server, "ingest", "-", stdin=long, code=1)
    assert "too_long" in printed
    assert len(found(server, "service:long")) == 1


def test_an_old_file_is_found_under_its_own_time(server: Server) -> None:
    old = b'{"message": "from long ago", "service": "old", "timestamp": "2019-05-05T05:05:05Z"}'
    assert re.search(r"\b1  stored", ran(server, "ingest", "-", stdin=old))
    assert len(found(server, "service:old", "--from", "2019-01-01T00:00:00Z", "--to", "2020-01-01T00:00:00Z")) == 1


def test_ingest_goes_on_after_a_kill(tmp_path: Path) -> None:
    """The server is killed while a file is sent, and comes back: nothing is lost, nothing is doubled."""
    file = tmp_path / "many.jsonl"
    file.write_bytes(logs(8_000, service="many"))
    server = Server(tmp_path / "data")
    with server.running():
        sender = subprocess.Popen(
            [sys.executable, "-m", "tocsin", "ingest", str(file)], env=server.environment, stdout=subprocess.PIPE
        )
        until(server.count)
        server.kill()
        server.start()
        output, _ = sender.communicate(timeout=PATIENCE)
        assert sender.returncode == 0
        numbers = {label: int(count.replace(",", "")) for count, label in _account(output.decode())}
        assert numbers["accepted"] == 8_000
        assert numbers["stored"] + numbers.get("were", 0) == 8_000
        messages = [event["attributes"]["message"] for event in found(server, "service:many", "--limit", "9000")]
        assert len(messages) == len(set(messages)) == 8_000


def _account(printed: str) -> list[tuple[str, str]]:
    """Number and first word of each line."""
    return [(line.split()[0], line.split()[1].rstrip(",")) for line in printed.splitlines()]


def test_search_formats_and_pages(server: Server) -> None:
    ran(server, "ingest", "-", stdin=logs(2300, service="pages"))
    events = found(server, "service:pages", "--limit", "2200")
    assert len({event["id"] for event in events}) == 2200
    table = ran(server, "search", "service:pages", "--limit", "5")
    assert len(table.splitlines()) == 6
    assert "message" in table.splitlines()[0]
    rows = list(csv.reader(io.StringIO(ran(server, "search", "service:pages", "--limit", "5", "--format", "csv"))))
    assert rows[0] == ["time", "status", "host", "source", "service", "message"]
    assert {row[4] for row in rows[1:]} == {"pages"}
    assert found(server, "service:pages", "--from", "now-2d", "--to", "now-1d") == []
    assert "widen the time" in ran(server, "search", "service:nobody")


def test_search_shows_where_a_query_is_wrong(server: Server) -> None:
    printed = ran(server, "search", "service:a AND (host:b", code=2)
    query, mark = printed.splitlines()[1:3]
    assert query.strip() == "service:a AND (host:b"
    assert query[mark.index("^")] == "("
    assert "error:" in ran(server, "search", "service:a", "--from", "yesterdayish", code=2)


def test_logs_cannot_command_the_terminal(server: Server) -> None:
    hostile = "\x1b]0;owned\x07\x1b[31mred\x9b2J [bold]not markup[/bold] =cmd|' /C calc'!A0"
    body = [{"message": hostile, "service": "evil", "host": "=1+1"}, {"message": "\t=2+2", "service": "evil"}]
    ran(server, "ingest", "-", stdin=orjson.dumps(body))
    for layout in ("table", "csv", "json"):
        printed = ran(server, "search", "service:evil", "--format", layout)
        assert not {"\x1b", "\x07"} & set(printed)
        assert "[bold]not markup[/bold]" in printed
    table = ran(server, "search", "service:evil", "--format", "csv")
    assert "'=1+1" in table and "'\t=2+2" in table
    ran(server, "ingest", "-", stdin=b'["\x1b[31m", 3]\n')


def test_users(server: Server) -> None:
    password = {"TOCSIN_NEW_PASSWORD": "a long enough sentence"}

    def user(*arguments: str, code: int = 0, stdin: bytes = b"") -> str:
        run = subprocess.run(
            [sys.executable, "-m", "tocsin", "user", *arguments],
            env={**server.environment, **password},
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert run.returncode == code, run.stderr.decode()
        return run.stdout.decode() + run.stderr.decode()

    assert "added ana@example.com" in user("add", "ana@example.com", "--name", "Ana [red]", "--role", "read only")
    listed = next(line for line in user("list").splitlines() if "ana@example.com" in line)
    assert "Ana [red]" in listed
    assert "Read-Only" in listed or "Read Only" in listed
    assert "never" in listed
    assert "error:" in user("add", "ana@example.com", code=2)
    assert "there are:" in user("add", "bo@example.com", "--role", "Emperor", code=2)
    assert "no user has the e-mail" in user("disable", "nobody@example.com", code=2)

    sign_in = {"email": "ana@example.com", "password": "a long enough sentence"}
    with server.client() as client:
        assert client.post("/api/v2/session", json=sign_in).status_code == 200
        password["TOCSIN_NEW_PASSWORD"] = "another long enough sentence"
        user("password", "ana@example.com")
        assert client.post("/api/v2/session", json=sign_in).status_code in (400, 401)
        sign_in["password"] = password["TOCSIN_NEW_PASSWORD"]
        password["TOCSIN_NEW_PASSWORD"] = ""
        assert "a password is needed" in user("password", "ana@example.com", code=2)
        sign_in["password"] = "a line of standard input"
        user("password", "ana@example.com", stdin=b"a line of standard input\r\n")
        assert client.post("/api/v2/session", json=sign_in).status_code == 200
        user("disable", "Ana@example.com")
        assert client.post("/api/v2/session", json=sign_in).status_code in (400, 401, 403)
        user("enable", "ana@example.com")
        assert client.post("/api/v2/session", json=sign_in).status_code == 200


def test_keys(server: Server) -> None:
    run = server.tocsin("key", "create", "shipper [of] logs")
    key = run.stdout.decode().strip()
    assert re.fullmatch(r"\w{32,}", key)
    listed = ran(server, "key", "list")
    (line,) = [line for line in listed.splitlines() if "shipper [of] logs" in line]
    assert key[-4:] in line
    assert key not in listed
    environment = {**server.environment, "TOCSIN_API_KEY": key}
    command = [sys.executable, "-m", "tocsin", "ingest", "-"]
    assert subprocess.run(command, env=environment, input=b"x\n", capture_output=True, check=False).returncode == 0
    ran(server, "key", "revoke", line.split()[0])
    assert subprocess.run(command, env=environment, input=b"y\n", capture_output=True, check=False).returncode == 2
    assert "error:" in ran(server, "key", "revoke", "no-such-key", code=2)
    assert re.search(r"\w{40}", server.tocsin("key", "create", "--kind", "application", "reader").stdout.decode())
    assert "reader" in ran(server, "key", "list", "--kind", "application")


@pytest.mark.parametrize("backend", ["predicate", "sql"])
def test_query_eval(server: Server, backend: str) -> None:
    event = {"message": "hello", "attributes": {"usr": {"id": "ana"}}}
    rows = [
        {"id": "1", "query": "@usr.id:ana", "event": event},
        {"id": "2", "query": "@usr.id:bo", "event": event},
        {"id": "3", "query": "(a", "event": event},
        {"id": "4", "query": "a OR b", "event": None},
    ]
    printed = ran(server, "query", "eval", "--backend", backend, stdin=b"\n".join(map(orjson.dumps, rows)))
    results = {row["id"]: row["result"] for row in map(orjson.loads, printed.splitlines())}
    assert results == {"1": "match", "2": "no_match", "3": "parse_error", "4": "parse_ok"}


def test_a_reader_that_has_seen_enough(server: Server) -> None:
    """`tocsin search … | head` ends without a word."""
    ran(server, "ingest", "-", stdin=logs(3000, service="enough"))
    command = [sys.executable, "-m", "tocsin", "search", "service:enough", "--limit", "3000", "--format", "json"]
    run = subprocess.Popen(command, env=server.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdout is not None and run.stderr is not None
    run.stdout.readline()
    run.stdout.close()
    assert run.stderr.read().decode() == ""
    assert run.wait(PATIENCE) == 1


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_a_progress_bar_on_a_terminal(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "bar.jsonl"
    file.write_bytes(logs(2500, service="bar"))
    master, slave = os.openpty()
    seen = bytearray()

    def read() -> None:
        try:
            while data := os.read(master, 4096):
                seen.extend(data)
        except OSError:  # the other end is closed
            return

    reader = threading.Thread(target=read)
    reader.start()
    environment = {**server.environment, "TERM": "xterm", "COLUMNS": "120"}
    run = subprocess.run(
        [sys.executable, "-m", "tocsin", "ingest", str(file)], env=environment, stderr=slave, check=False
    )
    os.close(slave)
    reader.join(PATIENCE)
    os.close(master)
    assert run.returncode == 0
    assert "bar.jsonl" in seen.decode("utf-8", "replace")
    assert "2,500 events" in seen.decode("utf-8", "replace")


def test_every_metric_is_documented(server: Server) -> None:
    """Counters and histograms have a second series that says when they began; it needs no words."""
    told = httpx.get(f"{server.url}/metrics", timeout=TIMEOUT).text
    exported = dict(re.findall(r"^# HELP (tocsin_\w+) (.+)$", told, re.MULTILINE))
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| `(tocsin_\w+)(?:\{[\w,]+\})?` \| (.+) \|$", page, re.MULTILINE)
    born = {name.removesuffix("_total") + "_created" for name in exported}
    assert dict(rows) == {name: text for name, text in exported.items() if name not in born}
