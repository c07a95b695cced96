"""The real HTTP application with real people and a real state store, without the event store: for the parts that
need no events. Served on a loopback port, so that unmodified clients can be pointed at it."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from argon2 import PasswordHasher
from prometheus_client import CollectorRegistry
from server import ADMIN_EMAIL, ADMIN_PASSWORD, API_KEY, APP_KEY, free_port

from tocsin.access.audit import AuditTrail
from tocsin.access.service import Access
from tocsin.api.app import create_app
from tocsin.clock import Clock
from tocsin.config import Config
from tocsin.store.state import StateStore, open_state_store


@dataclass
class Services:
    """What `create_app` needs, filled by the test."""

    config: Config
    clock: Clock
    state: StateStore
    audit: AuditTrail
    access: Access
    metrics: CollectorRegistry
    rules: Any = None
    triage: Any = None
    events: Any = None
    intake: Any = None
    rejected: Any = None
    matcher: Any = None
    evaluator: Any = None
    signals: Any = None
    explore: Any = None


def services(data: Path, clock: Clock) -> Services:
    config = Config(data=data, admin_email=ADMIN_EMAIL, admin_password=ADMIN_PASSWORD, api_key=API_KEY, app_key=APP_KEY)
    state = open_state_store(config)
    audit = AuditTrail(clock)
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    access = Access(state, audit, clock, config, hasher=cheap)
    access.bootstrap()
    return Services(config, clock, state, audit, access, CollectorRegistry())


@contextlib.contextmanager
def served(given: Services) -> Iterator[str]:
    """Serve the application; yields its address."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(create_app(given), host="127.0.0.1", port=port, log_level="error", ws="none")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the application did not start"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        given.state.close()
