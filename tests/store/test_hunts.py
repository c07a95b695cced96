"""Hunts over real stores: cut off anywhere and repeated, they add each match once, and alter no log (decision 0105)."""

import functools
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tocsin.access.actor import SYSTEM
from tocsin.access.audit import AuditTrail
from tocsin.access.vault import Vault
from tocsin.bootstrap import content_directory
from tocsin.config import Config
from tocsin.enrich.indicators import Indicator
from tocsin.event import Event
from tocsin.query import Sql
from tocsin.rule import Rule
from tocsin.rules.shape import rule_from_api
from tocsin.rules.shipped import read_shipped
from tocsin.store.events import EventStore
from tocsin.store.leases import Leases
from tocsin.store.rows import encode_event
from tocsin.store.state import StateStore, open_state_store
from tocsin.threat_intel import hunts, hunts_repository, logs_repository
from tocsin.threat_intel.feed import FeedSettings
from tocsin.threat_intel.fetching import Fetcher
from tocsin.threat_intel.hunts import Hunter, needles_of
from tocsin.threat_intel.service import FeedsService

DAY = 86_400_000
NOW = 1_795_305_600_000


class Killed(BaseException):
    """Like SIGKILL: nothing that runs afterwards may be relied on."""


@pytest.fixture
def events(event_store: EventStore) -> EventStore:
    lines = [encode_event(event) for event in logs()]
    event_store.insert("logs", b"\n".join(lines), len(lines))
    return event_store


def logs() -> list[Event]:
    """One log each half day, of which every third holds the indicator; one of these was enriched with it live."""
    found = []
    for number in range(24):
        address = "203.0.113.200" if number % 3 == 0 else "203.0.113.1"
        attributes: dict[str, Any] = {"network": {"ip": {"list": [address]}}}
        if number == 6:
            attributes["threat_intel"] = {"results": [{"indicator": address, "type": "IP"}]}
        at = NOW - number * DAY // 2 - 1
        found.append(Event(f"e{number:02}", at, f"from {address}", attributes=attributes, ingested_at=at))
    return found


EXPECTED = {f"e{number:02}" for number in range(0, 24, 3)} - {"e06"}


@pytest.fixture
def state(tmp_path: Path) -> StateStore:
    return open_state_store(Config(data=tmp_path))


@functools.cache
def rules() -> list[Rule]:
    shipped = read_shipped(content_directory() / "rules")
    return [rule_from_api({**one.body, "id": one.id, "version": 1}) for one in shipped]


def feeds(state: StateStore, folder: Path) -> FeedsService:
    numbers = itertools.count(1)

    def no_way_out(*_: Any) -> Any:
        raise AssertionError("nothing is fetched here")

    return FeedsService(
        state,
        AuditTrail(lambda: NOW),
        lambda: NOW,
        Vault(folder),
        Fetcher(folder, no_way_out),
        Leases(state, lambda: NOW),
        directory=folder / "indicators",
        holder="test",
        new_id=lambda: f"{next(numbers):08}-0000-4000-8000-000000000000",
        hunt_days=30,
    )


def hunter(state: StateStore, events: EventStore) -> Hunter:
    def later() -> int:
        return NOW + hunts_repository.GRACE_MS

    return Hunter(state, events, later, Leases(state, later), holder="test", rules=rules)


def matches(events: EventStore) -> list[str]:
    sql = Sql("SELECT DISTINCT event_id, rule_id, `group`, query_index, is_backfill FROM matches ORDER BY event_id", {})
    rows = events.query(sql)
    assert all(row["rule_id"] == "thi-ret-804" and row["is_backfill"] == 1 for row in rows)
    assert all(row["group"] == ["203.0.113.200", "c2", "true"] for row in rows)
    return [row["event_id"] for row in rows]


def ask_for_a_hunt(state: StateStore, folder: Path, content: bytes) -> None:
    service = feeds(state, folder)
    settings = FeedSettings("f", "csv", "upload", category="c2", retro_hunt=True)
    service.upload(service.create(settings, None, SYSTEM).id, content, SYSTEM)


@pytest.mark.parametrize("content", [b"203.0.113.200\n", b"203.0.113.200\n198.51.100.0/24\n"], ids=["found", "read"])
def test_killed_anywhere_it_adds_each_match_once(
    events: EventStore, state: StateStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(hunts, "SLICE", 5)
    monkeypatch.setattr(hunts, "FILTERED_SLICE", 5)
    ask_for_a_hunt(state, tmp_path, content)
    before = events.query(Sql("SELECT id, document FROM logs ORDER BY id", {}))
    deaths = 0
    for module, name in ((logs_repository, "add_matches"), (hunts_repository, "change")):
        done = getattr(module, name)

        def then_die(*arguments: Any, done: Callable[..., Any] = done, **named: Any) -> None:
            done(*arguments, **named)
            raise Killed

        def die_first(*_: Any, **__: Any) -> None:
            raise Killed

        for dying in (die_first, then_die):
            monkeypatch.setattr(module, name, dying)
            with pytest.raises(Killed):
                hunter(state, events).run()
            deaths += 1
        monkeypatch.setattr(module, name, done)
    assert deaths == 4
    assert hunter(state, events).run() == 1
    assert matches(events) == sorted(EXPECTED)
    assert hunter(state, events).run() == 0, "it is done"
    with state.reading() as session:
        (hunt,) = hunts_repository.latest(session, 5, feeds(state, tmp_path).all()[0].id)
    assert (hunt.state, hunt.error) == ("done", "")
    assert (hunt.found, dict(hunt.matched)) == (len(EXPECTED), {"203.0.113.200": len(EXPECTED)})
    assert events.query(Sql("SELECT id, document FROM logs ORDER BY id", {})) == before


def test_only_what_is_new_is_hunted(state: StateStore, tmp_path: Path) -> None:
    service = feeds(state, tmp_path)
    feed = service.create(FeedSettings("f", "csv", "upload", retro_hunt=True), None, SYSTEM)
    for content in (b"203.0.113.1\n", b"203.0.113.1\n203.0.113.2\n", b"203.0.113.2\n203.0.113.1\n", b"203.0.113.1\n"):
        service.upload(feed.id, content, SYSTEM)
    with state.reading() as session:
        found = hunts_repository.latest(session, 9, feed.id)
        wanted = [[each.value for each in hunts_repository.wanted(session, hunt.id)] for hunt in found]
    assert sorted(wanted) == [["203.0.113.1"], ["203.0.113.2"]]
    service.delete(feed.id, SYSTEM)
    with state.reading() as session:
        assert not hunts_repository.running(session)


@pytest.mark.parametrize(
    ("kind", "value", "needle"),
    [
        ("ip_address", "2001:db8::1", "2001:db8::1"),
        ("domain", "evil.example", "evil.example"),
        ("url", "http://evil.example/x", "evil.example"),
        ("aws_account_id", "000123456789", "123456789"),
        ("container_image_name", "docker.io/library/nginx:latest", "nginx"),
        ("user_agent", 'a "b"', 'a \\"b\\"'),
        ("ip_address", "198.51.100.0/24", None),
        ("domain", "xn--bcher-kva.example", None),
    ],
)
def test_what_a_log_must_hold(kind: str, value: str, needle: str | None) -> None:
    assert needles_of([Indicator(kind, value, "c2", "malicious", "f")]) == (None if needle is None else [needle])
