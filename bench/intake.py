"""Intake over HTTP until events are durable and matched, against the engine's bare insert of the same rows.

A real server (`tocsin up`, all shipped rules on) takes the stream of `make_load.py` in requests of 1,000 events. Then
the rows that it has stored are read out and inserted once more, as many at a time, with nothing but the engine. Both
in turn, several times, and their times summed: in the minutes between, a shared machine may change by a third.
`python -m bench.intake 100000` takes fewer events.
"""

import contextlib
import http.client
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.load import load_lines
from bench.table import Row
from tocsin.config import Config
from tocsin.intake.service import COMMIT_EVENTS
from tocsin.store.events import open_event_store

EVENTS = 1_000_000
PASSES = 2
BATCH = 1_000
CONNECTIONS = 16
TARGET = 0.5
API_KEY = "0123456789abcdef0123456789abcdef"
WATCH_SECONDS = 0.5
EXPORT_ROWS = 20_000


def run(events: int = int(os.environ.get("BENCH_EVENTS", EVENTS))) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as scratch:
        load = Path(scratch) / "load.jsonl"
        with load.open("wb") as file:
            file.writelines(line + b"\n" for line in load_lines(events, batch=BATCH))
        passes = [_pass(Path(scratch) / str(number), load, events) for number in range(PASSES)]
    seconds, bare = sum(each.seconds for each in passes), sum(each.bare for each in passes)
    server, workers = max(each.usage.server for each in passes), max(each.usage.workers for each in passes)
    cpu = [(each.usage.server_cpu, each.usage.workers_cpu, each.bare_cpu) for each in passes]
    server_cpu, workers_cpu, bare_cpu = (sum(each) / PASSES / events * 1e6 for each in zip(*cpu, strict=True))
    ratios = ", ".join(f"{each.bare / each.seconds:.2f}" for each in passes)
    return [
        Row(
            "intake over HTTP, durable and matched",
            f"{PASSES * events / seconds:,.0f} events/s",
            f"{PASSES * events / bare:,.0f} rows/s bare",
            bare / seconds,
            f">= {TARGET}",
            f"{events:,} events, both sides {PASSES} times in turn ({ratios}); at most {server:,.0f} MB of the server, "
            f"{workers:,.0f} MB of workers; processor time {server_cpu:.0f} + {workers_cpu:.0f} us, "
            f"bare {bare_cpu:.0f}",
            bare / seconds >= TARGET,
        )
    ]


@dataclass(frozen=True, slots=True)
class _Pass:
    """Seconds of wall time for all events, and of processor time for the bare inserts."""

    seconds: float
    usage: "_Usage"
    bare: float
    bare_cpu: float


def _pass(folder: Path, load: Path, events: int) -> _Pass:
    folder.mkdir()
    seconds, usage = _over_http(folder / "data", load)
    rows = folder / "rows.jsonl"
    _child("export", folder / "data", rows)
    shutil.rmtree(folder / "data")
    stored, bare_seconds, bare_cpu = map(float, _child("bare", folder / "bare", rows).split())
    shutil.rmtree(folder)
    if stored != events:
        raise RuntimeError(f"{events} events were acknowledged, but {stored:.0f} are stored")
    return _Pass(seconds, usage, bare_seconds, bare_cpu)


def _over_http(data: Path, load: Path) -> "tuple[float, _Usage]":
    """Seconds from the first request to the last answer, and what the server and its workers used."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"TOCSIN_DATA": str(data), "TOCSIN_PORT": str(port), "TOCSIN_API_KEY": API_KEY}
    settings |= {"TOCSIN_LOGS_RETENTION_DAYS": "0"}
    with (data.parent / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "tocsin", "up"], env=os.environ | settings, stdout=log, stderr=log
        )
    try:
        _wait_until_ready(server, port)
        memory = _Usage(server.pid)
        memory.start()
        with load.open("rb") as lines:
            began = time.perf_counter()
            _send_all(port, lines)
            seconds = time.perf_counter() - began
        memory.is_done.set()
        memory.join()
        return seconds, memory
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def _wait_until_ready(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("POST", "/api/v2/logs", b"{}", {"DD-API-KEY": API_KEY})
            if connection.getresponse().status == 202:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise RuntimeError("the server did not start")


def _send_all(port: int, lines: Iterator[bytes]) -> None:
    taking = threading.Lock()
    faults: list[str] = []

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while not faults:
            with taking:
                line = next(lines, None)
            if line is None:
                return
            while True:
                connection.request(
                    "POST", "/api/v2/logs", line, {"DD-API-KEY": API_KEY, "Content-Type": "application/json"}
                )
                answer = connection.getresponse()
                text = answer.read()
                if answer.status == 202:
                    break
                if answer.status != 429:
                    faults.append(f"{answer.status} {text[:2000]!r}")
                    return
                time.sleep(float(answer.headers["Retry-After"]))

    threads = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(f"the server answered {faults[0]}")


class _Usage(threading.Thread):
    """Watches a process and its children: highest resident memory in MB, seconds of processor time."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self.is_done = threading.Event()
        self.server = self.workers = self.server_cpu = self.workers_cpu = 0.0
        self._start = self._cpu()

    def run(self) -> None:
        while not self.is_done.wait(WATCH_SECONDS):
            self.server = max(self.server, _resident(self._pid))
            self.workers = max(self.workers, sum(map(_resident, self._children())))
        end = self._cpu()
        self.server_cpu, self.workers_cpu = end[0] - self._start[0], end[1] - self._start[1]

    def _children(self) -> set[int]:
        found: set[int] = set()
        for task in Path(f"/proc/{self._pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError):  # a thread that ended meanwhile
                found |= set(map(int, (task / "children").read_text().split()))
        return found

    def _cpu(self) -> tuple[float, float]:
        return _processor_seconds(self._pid), sum(map(_processor_seconds, self._children()))


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0.0)


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _child(part: str, data: Path, rows: Path) -> str:
    """A part in a process of its own, since an embedded engine opens one directory in its lifetime."""
    found = subprocess.run(
        [sys.executable, "-m", "bench.intake", part, str(data), str(rows)], stdout=subprocess.PIPE, check=True
    )
    return found.stdout.decode()


def _export(data: Path, rows: Path) -> None:
    """Write all rows of `logs` as the JSON lines that an insert takes, in the order of their times."""
    import clickhouse_connect

    store = Config(data=data)
    client = clickhouse_connect.get_client(interface="chdb", path=str(store.data / "events"))
    span = "SELECT toUnixTimestamp64Milli(min(timestamp)), toUnixTimestamp64Milli(max(timestamp)), count() FROM logs"
    first, last, count = client.query(span).result_rows[0]
    step = max(1, (last - first) * EXPORT_ROWS // count)
    with rows.open("wb") as file:
        for start in range(first, last + 1, step):
            file.write(
                client.raw_query(
                    "SELECT * FROM logs WHERE timestamp >= fromUnixTimestamp64Milli({start:Int64}) "
                    "AND timestamp < fromUnixTimestamp64Milli({end:Int64}) "
                    "SETTINGS output_format_json_quote_64bit_integers = 0",
                    parameters={"start": start, "end": start + step},
                    fmt="JSONEachRow",
                )
            )


def _bare(data: Path, rows: Path) -> None:
    """Insert the lines, as many at a time as the intake does; print their number and the seconds the inserts took."""
    store = open_event_store(Config(data=data, logs_retention_days=0))
    store.migrate()
    count, seconds, cpu = 0, 0.0, time.process_time()
    with rows.open("rb") as file:
        while lines := list(itertools.islice(file, COMMIT_EVENTS)):
            block = b"".join(lines)
            began = time.perf_counter()
            store.insert("logs", block, len(lines))
            seconds += time.perf_counter() - began
            count += len(lines)
    print(count, seconds, time.process_time() - cpu)
    store.close()


if __name__ == "__main__":
    if sys.argv[1:2] in (["export"], ["bare"]):
        {"export": _export, "bare": _bare}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        from bench.table import show

        show(run(*map(int, sys.argv[1:2])), "intake")
