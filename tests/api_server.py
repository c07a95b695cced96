"""The real HTTP application over real stores, on a real socket: for tests of the API and of clients.

`serve` runs any application; the fixture `api` serves one with people, keys and roles, and nothing else.
"""

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import uvicorn
from argon2 import PasswordHasher
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.model_utils import validate_and_convert_types
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from waiting import PATIENCE, PLAIN, until

from tocsin.access.audit import AuditTrail
from tocsin.access.service import Access
from tocsin.api.app import create_app
from tocsin.api.context import Tocsin
from tocsin.bootstrap import Services, build
from tocsin.clock import Clock, now_ms
from tocsin.config import Config
from tocsin.store.state import StateStore, open_state_store

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Argon2 at its lowest cost: tests sign in often."""

ADMIN, PASSWORD = "admin@example.com", "sesame opens it 9"
API_KEY, APP_KEY = "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef01234567"

RULE: dict[str, Any] = {
    "type": "log_detection",
    "name": "Door rattled",
    "isEnabled": True,
    "message": "m",
    "tags": ["source:sshd"],
    "queries": [{"query": "source:sshd failed", "aggregation": "count", "groupByFields": [], "distinctFields": []}],
    "cases": [{"status": "high", "condition": "a > 5", "notifications": []}],
    "options": {"detectionMethod": "threshold", "evaluationWindow": 300, "keepAlive": 3600, "maxSignalDuration": 86400},
}
"""A body of a rule as the SDK knows it, for tests to which it does not matter which."""


class MovableClock:
    """The system's time, plus what a test adds to it (milliseconds). Once stopped, only the test moves it."""

    def __init__(self) -> None:
        self.ahead = 0
        self._stopped_at: int | None = None

    def __call__(self) -> int:
        return (now_ms() if self._stopped_at is None else self._stopped_at) + self.ahead

    def stop(self) -> None:
        """For tests of moments: how long their own work takes is nothing to them then."""
        self._stopped_at = now_ms()


@dataclass
class Api:
    """A running server. `admin` is a client with both keys of the administrator, `anonymous` one without any."""

    url: str
    app: FastAPI
    services: Any
    clock: MovableClock
    admin: httpx.Client
    anonymous: httpx.Client
    numbers: Iterator[int]

    def client(self, **headers: str) -> httpx.Client:
        """A new client with these headers (underscores for hyphens)."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.Client(base_url=self.url, headers=named, **PLAIN)

    def sign_in(self, email: str = ADMIN, password: str = PASSWORD) -> httpx.Client:
        """A browser: it keeps the cookie and sends the session's token."""
        browser = self.client()
        answer = browser.post("/api/v2/session", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        browser.headers["X-CSRF-Token"] = answer.json()["data"]["attributes"]["csrf_token"]
        return browser

    def person(self, *permissions: str, roles: tuple[str, ...] = (), password: str = PASSWORD) -> str:
        """E-mail address of a new person with a role of these permissions (or these roles by name)."""
        number = next(self.numbers)
        access, admin = self.services.access, self.admin_actor
        if permissions:
            access.roles.create(f"role {number}", permissions, admin)
            roles = (*roles, f"role {number}")
        ids = [role.uuid for role in access.roles.list(size=1000).items if role.name in roles]
        email = f"person{number}@example.com"
        access.users.create(email, admin, role_ids=ids, password=password)
        return email

    @property
    def admin_actor(self) -> Any:
        return self.services.access.keys.actor(API_KEY, APP_KEY)


def config_in(folder: Path, state_url: str = "") -> Config:
    """The settings of a test's server: its first administrator and keys are the constants above."""
    return Config(
        data=folder,
        state_url=state_url,
        admin_email=ADMIN,
        admin_password=PASSWORD,
        api_key=API_KEY,
        app_key=APP_KEY,
        memory_bytes=10**9,
    )


@contextmanager
def services_in(folder: Path, clock: Clock) -> Iterator[SimpleNamespace]:
    """People and keys over SQLite in a folder; the test adds the services that it is about."""
    config = config_in(folder)
    state = open_state_store(config)
    yield services_over(state, config, clock)
    state.close()


def services_over(state: StateStore, config: Config, clock: Clock, **others: Any) -> SimpleNamespace:
    """What the API finds behind `request.app.state.tocsin`; other services by name, None where a test has none."""
    audit = AuditTrail(clock)
    access = Access(state, audit, clock, config, hasher=CHEAP)
    access.bootstrap()
    names = [name for name, member in vars(Tocsin).items() if isinstance(member, property)]
    services = {
        "config": config,
        "clock": clock,
        "state": state,
        "audit": audit,
        "access": access,
        "metrics": CollectorRegistry(),
    }
    return SimpleNamespace(**{**dict.fromkeys(names), **services, **others})


@contextmanager
def serve(app: FastAPI) -> Iterator[str]:
    """URL of the application, served on a free port of loopback until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started or not thread.is_alive(), every=0.005)
    assert thread.is_alive(), "the server did not start"
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


@contextmanager
def serve_services(folder: Path, clock: Clock = now_ms) -> Iterator[tuple[str, Services]]:
    """A server with all services over stores in a folder, and their URL. The intake runs, the other workers do not."""
    services = build(replace(config_in(folder), intake_workers=-1), clock)
    services.access.bootstrap()
    services.intake.start()
    with serve(create_app(services)) as url:
        yield url, services
    services.close()


@contextmanager
def sdk_for(url: str, unstable: Sequence[str] = ()) -> Iterator[ApiClient]:
    """The released client, unmodified but for the host, with the administrator's keys; it wants to be asked twice for
    its `unstable` operations."""
    settings = Configuration(host=url)
    settings.api_key = {"apiKeyAuth": API_KEY, "appKeyAuth": APP_KEY}
    for operation in unstable:
        settings.unstable_operations[operation] = True
    with ApiClient(settings) as client:
        yield client


@contextmanager
def client_for(url: str) -> Iterator[httpx.Client]:
    """A plain client with the administrator's keys."""
    keys = {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": APP_KEY}
    with httpx.Client(base_url=url, headers=keys, **PLAIN) as client:
        yield client


def as_model(kind: Any, body: Any) -> Any:
    """A body as the released client's own model, checked by it."""
    return validate_and_convert_types(body, (kind,), ["body"], True, True, Configuration())


@contextmanager
def serve_api(folder: Path, state_url: str = "", **others: Any) -> Iterator[Api]:
    """A server over a state store: SQLite in the folder, or PostgreSQL by URL."""
    clock = MovableClock()
    config = config_in(folder, state_url)
    state = open_state_store(config)
    services = services_over(state, config, clock, **others)
    app = create_app(services, web_files=folder / "web")
    with serve(app) as url, client_for(url) as admin, httpx.Client(base_url=url, **PLAIN) as anonymous:
        yield Api(url, app, services, clock, admin, anonymous, itertools.count(1))
    state.close()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server that the tests of a module share; each makes the people and keys that it needs."""
    with serve_api(tmp_path_factory.mktemp("api")) as served:
        yield served


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def fresh_api(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Api]:
    """A server of one test's own, over each state store."""
    state_url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with serve_api(tmp_path, state_url) as served:
        yield served


def run_what_is_due(services: Services) -> None:
    """All runs of scheduled rules, of one's own and of shipped ones, which are due at full hours."""
    while services.scheduled_runner.step():
        pass
