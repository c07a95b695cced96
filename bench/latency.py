"""How long from the acknowledgement of a log to its signal in the search, while 2,000 events/s come in over HTTP.

A real server process with all shipped rules, on loopback. Every fifth request of 100 events carries a probe that raises
a signal of its own; the search API is asked for these five times a second, so what is measured is what a person
with the explorer open would see, to 0.2 s. (Ten times a second would cost the machine as much as the parsing of all
events.)
"""

import itertools
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import orjson

from bench.load import _own_events
from bench.table import Row

RATE = 2_000
SECONDS = 75
WARM_UP = 15
PER_REQUEST = 100
PROBE_EVERY = 5
SENDERS = 16
POLL_SECONDS = 0.2
TARGET_P99 = 2.0

MILLIS, CLF = b"@millis@", b"@clf@"
"""Where a body takes the time of its sending."""

API_KEY, APP_KEY = "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef01234567"

PROBE_RULE = {
    "name": "Latency probe",
    "type": "log_detection",
    "isEnabled": True,
    "message": "{{@probe.id}}",
    "queries": [
        {"name": "a", "query": "service:latency-probe", "aggregation": "count", "groupByFields": ["@probe.id"]}
    ],
    "cases": [{"name": "", "status": "info", "condition": "a > 0"}],
    "options": {"detectionMethod": "threshold", "evaluationWindow": 0, "keepAlive": 0, "maxSignalDuration": 0},
    "tags": [],
}


@contextmanager
def server() -> Iterator[str]:
    """Address of a fresh `tocsin up`."""
    with socket.socket() as probe, tempfile.TemporaryDirectory() as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        settings = {
            "TOCSIN_DATA": f"{folder}/data",
            "TOCSIN_PORT": str(port),
            "TOCSIN_ADMIN_EMAIL": "admin@example.com",
            "TOCSIN_ADMIN_PASSWORD": "sesame opens it 9",
            "TOCSIN_API_KEY": API_KEY,
            "TOCSIN_APP_KEY": APP_KEY,
        }
        with Path(folder, "log").open("wb") as log:
            command = [sys.executable, "-m", "tocsin", "up"]
            process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=log, stderr=log)
            try:
                url = f"http://127.0.0.1:{port}"
                _wait_until_ready(url, process)
                yield url
            finally:
                process.terminate()
                process.wait(30)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError("the server did not start")
        try:
            if httpx.get(f"{url}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the server did not become ready in a minute")


def _bodies(number: int) -> list[bytes]:
    """So many bodies of `PER_REQUEST` events, without the closing bracket and with marks for the time.

    Made before the measurement begins: the client shares two cores with the server and must cost it little.
    """
    lines = (
        re.sub(rb"\[\d+/\w+/\d+:[\d:]+ \+0000\]", CLF, re.sub(rb'"timestamp":\d+', b'"timestamp":' + MILLIS, line))
        for line in _own_events(number * PER_REQUEST, 1)
    )
    return [b"[" + b",".join(part) for part in iter(lambda: list(itertools.islice(lines, PER_REQUEST)), [])]


def _happening_now(body: bytes) -> bytes:
    now = datetime.now(UTC)
    clf = f"[{now:%d/%b/%Y:%H:%M:%S} +0000]".encode()
    return body.replace(MILLIS, b"%d" % round(now.timestamp() * 1000)).replace(CLF, clf)


class Load:
    """Sends at a steady rate from several connections; notes when each probe was acknowledged."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.acknowledged: dict[str, float] = {}
        self.sent = 0
        self.refused = 0
        self._bodies = _bodies(RATE * (WARM_UP + SECONDS) // PER_REQUEST)
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._began = 0.0

    def begin(self) -> float:
        """The load is due from now on."""
        self._began = time.monotonic()
        return self._began

    def send(self, until: float) -> None:
        with httpx.Client(base_url=self.url, headers={"DD-API-KEY": API_KEY}, timeout=30) as client:
            while time.monotonic() < until:
                with self._lock:
                    number = next(self._numbers)
                due = self._began + number * PER_REQUEST / RATE
                time.sleep(max(0.0, due - time.monotonic()))
                body = _happening_now(self._bodies[number % len(self._bodies)])
                probe = f"p{number}" if number % PROBE_EVERY == 0 else ""
                if probe:
                    event = {"service": "latency-probe", "probe": {"id": probe}, "timestamp": round(time.time() * 1000)}
                    body += b"," + orjson.dumps(event)
                headers = {"Content-Type": "application/json"}
                while client.post("/api/v2/logs", content=body + b"]", headers=headers).status_code != 202:
                    self.refused += 1
                    time.sleep(0.2)
                if probe:
                    self.acknowledged[probe] = time.monotonic()
                self.sent += PER_REQUEST


def watch(url: str, seen: dict[str, float], until: float) -> None:
    """Notes when each probe's signal is first found by the search."""
    keys = {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": APP_KEY}
    body = {"filter": {"query": "service:latency-probe", "from": "now-30s", "to": "now+1m"}, "page": {"limit": 200}}
    with httpx.Client(base_url=url, headers=keys, timeout=30) as client:
        while time.monotonic() < until:
            answer = client.post("/api/v2/security_monitoring/signals/search", json=body)
            now = time.monotonic()
            for signal in answer.json()["data"]:
                seen.setdefault(signal["attributes"]["custom"]["probe"]["id"], now)
            time.sleep(POLL_SECONDS)


def run() -> list[Row]:
    with server() as url:
        keys = {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": APP_KEY}
        answer = httpx.post(f"{url}/api/v2/security_monitoring/rules", json=PROBE_RULE, headers=keys, timeout=60)
        answer.raise_for_status()
        load, seen = Load(url), {}
        end = load.begin() + WARM_UP + SECONDS
        threads = [threading.Thread(target=load.send, args=(end,)) for _ in range(SENDERS)]
        threads.append(threading.Thread(target=watch, args=(url, seen, end + 10)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        signals = httpx.get(f"{url}/metrics", headers=keys).text
    begin = end - SECONDS
    measured = {probe: at for probe, at in load.acknowledged.items() if at >= begin}
    took = sorted(seen[probe] - at for probe, at in measured.items() if probe in seen)
    lost = len(measured) - len(took)
    rate = load.sent / (WARM_UP + SECONDS)
    raised = sum(float(n) for n in re.findall(r"^tocsin_signals_created_total\{.*\} (\S+)$", signals, re.M))
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    note = (
        f"{rate:,.0f} events/s, {len(took)} probes, {lost} not seen, max {took[-1]:.2f} s, {raised:,.0f} signals raised"
    )
    met = p99 <= TARGET_P99 and not lost and rate >= RATE * 0.95
    return [
        Row("log acknowledged to signal found, p50", f"{p50:.2f} s", note=note),
        Row("log acknowledged to signal found, p99", f"{p99:.2f} s", target=f"<= {TARGET_P99:.0f} s", is_met=met),
    ]
