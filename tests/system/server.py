"""A real server process for system tests: started, killed and started again on the same data."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from ports import free_port
from waiting import PATIENCE, PLAIN, until

ADMIN_EMAIL = "admin@example.com"
ADMIN_PASSWORD = "correct horse battery staple"
API_KEY = "0123456789abcdef0123456789abcdef"
APP_KEY = "0123456789abcdef0123456789abcdef01234567"

COUNTED_SECONDS = 1.5
"""After this, a round of detection has asked the store anew for what it holds (`evaluate/feed.py`)."""


class Server:
    """One `tocsin up` on a data directory. Use `running()` around a test, or `start`, `kill`, `stop`."""

    def __init__(self, data: Path, *arguments: str, **settings: str) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.arguments = arguments
        self.settings = settings
        self.log = data.parent / f"{data.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "TOCSIN_DATA": str(self.data),
            "TOCSIN_PORT": str(self.port),
            "TOCSIN_URL": self.url,
            "TOCSIN_ADMIN_EMAIL": ADMIN_EMAIL,
            "TOCSIN_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "TOCSIN_API_KEY": API_KEY,
            "TOCSIN_APP_KEY": APP_KEY,
            **{f"TOCSIN_{name.upper()}": value for name, value in self.settings.items()},
        }

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tocsin", "up", *self.arguments],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        with self._log_at_failure():
            until(self._is_ready)

    def _is_ready(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            pytest.fail(f"the server ended with code {self.process.returncode}")
        # A refused connection costs nothing, a client of HTTP some milliseconds: twenty times a second while it starts.
        with contextlib.suppress(OSError, httpx.HTTPError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return httpx.get(f"{self.url}/health/ready", **PLAIN | {"timeout": 10}).status_code == 200
        return False

    @contextlib.contextmanager
    def _log_at_failure(self) -> Iterator[None]:
        try:
            yield
        except pytest.fail.Exception as failure:
            pytest.fail(f"{failure}; the server's log ends with:\n{self.log.read_text()[-4000:]}")

    def kill(self) -> None:
        """SIGKILL to the server and all processes that it started."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and a wait for an orderly end."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        if number is signal.SIGKILL:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        self.process.wait(PATIENCE)

    @contextlib.contextmanager
    def running(self) -> Iterator["Server"]:
        try:
            self.start()
            yield self
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.stop()
            self.kill()

    @property
    def headers(self) -> dict[str, str]:
        return {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": APP_KEY}

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=self.headers, **PLAIN)

    def post(self, path: str, body: Any) -> Any:
        answer = httpx.post(self.url + path, json=body, headers=self.headers, **PLAIN)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def get(self, path: str, **params: str) -> Any:
        answer = httpx.get(self.url + path, params=params, headers=self.headers, **PLAIN)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def rest(self, events: int) -> None:
        """Wait until the server holds at least so many events and detection has nothing left to do about them."""
        with self._log_at_failure():
            until(self.count, lambda count: count >= events, every=0.2)
            stored_at = time.time()
            until(self._rested_at, lambda rested_at: rested_at > stored_at + COUNTED_SECONDS, every=0.2)

    def count(self) -> int:
        """How many events of others' sources the server holds."""
        body = {
            "filter": {"query": "-source:tocsin", "from": 0, "to": "now+1d"},
            "compute": [{"aggregation": "count"}],
        }
        buckets = self.post("/api/v2/logs/analytics/aggregate", body)["data"]["buckets"]
        return int(buckets[0]["computes"]["c0"]) if buckets else 0

    def _rested_at(self) -> float:
        """When detection last began a round that left nothing to do; 0 if it never did. Unix seconds."""
        for line in httpx.get(f"{self.url}/metrics", **PLAIN).text.splitlines():
            if line.startswith("tocsin_evaluator_rested_at "):
                return float(line.split()[1])
        return 0.0

    def tocsin(self, *arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """Run the command line as its user would, beside this server."""
        return subprocess.run(
            [sys.executable, "-m", "tocsin", *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            timeout=300,
            check=False,
        )
