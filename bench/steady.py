"""A steady load of events on a real server, with probes among them whose signals are looked for as a person would.

Every fifth request of 100 events carries a probe that raises a signal of its own; the search API is asked five times a
second for those from the first that was not found yet on, so what is measured is what a person with the explorer open
would see, to 0.2 s. (More often, or for all of half a minute, would cost the machine a good part of what it is to do.)
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
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import httpx
import orjson

from bench.load import own_events

PER_REQUEST = 100
PROBE_EVERY = 5
POLL_SECONDS = 0.2
SOUGHT_SECONDS = 30
"""A signal that comes later than that is not found."""

PREPARED_SECONDS = 90
"""Bodies for so long are made before the measurement begins; a longer one uses them again with other times."""

MILLIS, CLF = b"@millis@", b"@clf@"
"""Where a body takes the time of its sending."""

API_KEY, APP_KEY = "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef01234567"
KEYS = {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": APP_KEY}

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


class Server(NamedTuple):
    url: str
    pid: int


@contextmanager
def server() -> Iterator[Server]:
    """A fresh `tocsin up`, stopped at the end."""
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
                yield Server(url, process.pid)
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
        for line in own_events(number * PER_REQUEST, 1)
    )
    return [b"[" + b",".join(part) for part in iter(lambda: list(itertools.islice(lines, PER_REQUEST)), [])]


def _happening_now(body: bytes) -> bytes:
    now = datetime.now(UTC)
    clf = f"[{now:%d/%b/%Y:%H:%M:%S} +0000]".encode()
    return body.replace(MILLIS, b"%d" % round(now.timestamp() * 1000)).replace(CLF, clf)


class Load:
    """Sends `rate` events a second from several connections; notes when each probe was acknowledged. `sought` are those
    that were not found yet, with the times of their events."""

    def __init__(self, url: str, rate: int) -> None:
        self.url = url
        self.rate = rate
        self.acknowledged: dict[str, float] = {}
        self.sought: dict[str, float] = {}
        self.sent = 0
        self.refused = 0
        self._bodies = _bodies(rate * PREPARED_SECONDS // PER_REQUEST)
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
                due = self._began + number * PER_REQUEST / self.rate
                time.sleep(max(0.0, due - time.monotonic()))
                body = _happening_now(self._bodies[number % len(self._bodies)])
                probe = f"p{number}" if number % PROBE_EVERY == 0 else ""
                if probe:
                    self.sought[probe] = time.time()
                    at = round(self.sought[probe] * 1000)
                    event = {"service": "latency-probe", "probe": {"id": probe}, "timestamp": at}
                    body += b"," + orjson.dumps(event)
                headers = {"Content-Type": "application/json"}
                while client.post("/api/v2/logs", content=body + b"]", headers=headers).status_code != 202:
                    self.refused += 1
                    time.sleep(0.2)
                if probe:
                    self.acknowledged[probe] = time.monotonic()
                self.sent += PER_REQUEST

    def took(self, seen: Mapping[str, float], after: float) -> tuple[list[float], int]:
        """Seconds from the acknowledgement of each probe to its signal, ascending, and how many were never found; of
        those acknowledged at least `after` seconds after the beginning."""
        measured = {probe: at for probe, at in self.acknowledged.items() if at - self._began >= after}
        found = sorted(seen[probe] - at for probe, at in measured.items() if probe in seen)
        return found, len(measured) - len(found)


def watch(load: Load, seen: dict[str, float], until: float) -> None:
    """Notes when each probe's signal is first found by the search."""
    with httpx.Client(base_url=load.url, headers=KEYS, timeout=30) as client:
        while time.monotonic() < until:
            now = time.time()
            first = max(min(load.sought.copy().values(), default=now), now - SOUGHT_SECONDS)
            since = datetime.fromtimestamp(first, UTC).isoformat()
            asked = {"query": "service:latency-probe", "from": since, "to": "now+1m"}
            body = {"filter": asked, "page": {"limit": 200}}
            answer = client.post("/api/v2/security_monitoring/signals/search", json=body)
            found_at = time.monotonic()
            for signal in answer.json()["data"]:
                probe = signal["attributes"]["custom"]["probe"]["id"]
                seen.setdefault(probe, found_at)
                load.sought.pop(probe, None)
            time.sleep(POLL_SECONDS)


def steady(url: str, rate: int, seconds: float, senders: int) -> tuple[Load, dict[str, float]]:
    """Add the probe's rule and send for so long: the load, and when each probe's signal was first seen."""
    create_rules(url, [PROBE_RULE])
    load, seen = Load(url, rate), dict[str, float]()
    end = load.begin() + seconds
    threads = [threading.Thread(target=load.send, args=(end,)) for _ in range(senders)]
    threads.append(threading.Thread(target=watch, args=(load, seen, end + 10)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return load, seen


def create_rules(url: str, rules: Iterable[Mapping[str, object]]) -> list[str]:
    """Their ids."""
    with httpx.Client(base_url=url, headers=KEYS, timeout=60) as client:
        return [_created(client, rule) for rule in rules]


def _created(client: httpx.Client, rule: Mapping[str, object]) -> str:
    answer = client.post("/api/v2/security_monitoring/rules", json=dict(rule))
    answer.raise_for_status()
    return str(answer.json()["id"])


def metrics(url: str) -> str:
    return httpx.get(f"{url}/metrics", headers=KEYS, timeout=30).text
