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

ADMIN_EMAIL = "admin@example.com"
ADMIN_PASSWORD = "correct horse battery staple"
API_KEY = "0123456789abcdef0123456789abcdef"
APP_KEY = "0123456789abcdef0123456789abcdef01234567"
START_SECONDS = 60

COUNTED_SECONDS = 1.5
"""After this, a round of detection has asked the store anew for what it holds (`evaluate/feed.py`)."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"the server did not become ready:\n{self.log.read_text()[-4000:]}")

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
        self.process.wait(30)

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
        return httpx.Client(base_url=self.url, headers=self.headers, timeout=30)

    def post(self, path: str, body: Any) -> Any:
        answer = httpx.post(self.url + path, json=body, headers=self.headers, timeout=30)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def get(self, path: str, **params: str) -> Any:
        answer = httpx.get(self.url + path, params=params, headers=self.headers, timeout=30)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def rest(self, events: int, seconds: float = 90) -> None:
        """Wait until the server holds at least so many events and detection has nothing left to do about them."""
        deadline = time.monotonic() + seconds
        body = {
            "filter": {"query": "-source:tocsin", "from": 0, "to": "now+1d"},
            "compute": [{"aggregation": "count"}],
        }
        stored_at = None
        while time.monotonic() < deadline:
            if stored_at is None:
                buckets = self.post("/api/v2/logs/analytics/aggregate", body)["data"]["buckets"]
                if buckets and buckets[0]["computes"]["c0"] >= events:
                    stored_at = time.time()
            elif self._rested_at() > stored_at + COUNTED_SECONDS:
                return
            time.sleep(0.2)
        raise AssertionError(f"detection did not come to rest:\n{self.log.read_text()[-4000:]}")

    def _rested_at(self) -> float:
        """When detection last began a round that left nothing to do; 0 if it never did. Unix seconds."""
        for line in httpx.get(f"{self.url}/metrics", timeout=30).text.splitlines():
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
