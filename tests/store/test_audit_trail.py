"""From a change to the audit trail: nothing lost, nothing doubled, whatever happens in between."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tocsin.access import audit
from tocsin.access.actor import SYSTEM, Actor
from tocsin.access.audit import AuditTrail
from tocsin.errors import Unavailable
from tocsin.query import Sql
from tocsin.store.events import EventStore
from tocsin.store.outbox import Message, Outbox
from tocsin.store.state import StateStore

ANA = Actor(
    "11111111-1111-4111-8111-111111111111",
    7,
    "ana@example.com",
    "Ana",
    frozenset({"security_monitoring_rules_write"}),
    ip="198.51.100.7",
    request=("PUT", "/api/v2/security_monitoring/rules/abc-def-ghi", "curl/8"),
)
NOW = 1_790_000_000_123


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateStore]:
    store = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    store.migrate()
    yield store
    store.close()


def clock() -> int:
    return NOW


def change_some_rules(state: StateStore, count: int) -> None:
    trail = AuditTrail(clock)
    for number in range(count):
        with state.transaction() as session:
            trail.record(
                session,
                ANA,
                "modified",
                "security_rule",
                f"rule-{number}",
                "SSH brute force",
                prev_value={"isEnabled": True, "version": number},
                new_value={"isEnabled": False, "version": number + 1},
            )


def rows(events: EventStore) -> list[dict[str, object]]:
    return events.query(Sql("SELECT id, timestamp, message, service, source, document FROM audit ORDER BY id"))


def test_a_change_becomes_a_searchable_event(state: StateStore, event_store: EventStore) -> None:
    change_some_rules(state, 1)
    assert audit.drain(Outbox(state, clock, "p"), event_store, clock) == 1
    (row,) = rows(event_store)
    assert row["timestamp"] == NOW
    assert row["message"] == "ana@example.com modified security rule SSH brute force"
    found = event_store.query(
        Sql(
            "SELECT document FROM audit WHERE attributes.asset.type::String = 'security_rule' "
            "AND attributes.usr.email::String = 'ana@example.com'"
        )
    )
    assert len(found) == 1
    import orjson

    assert orjson.loads(str(found[0]["document"])) == {
        "evt": {"name": "Cloud Security Platform", "actor": {"type": "USER"}},
        "action": "modified",
        "asset": {
            "type": "security_rule",
            "id": "rule-0",
            "name": "SSH brute force",
            "prev_value": {"isEnabled": True, "version": 0},
            "new_value": {"isEnabled": False, "version": 1},
        },
        "usr": {"id": "ana@example.com", "uuid": ANA.user_uuid, "email": "ana@example.com", "name": "Ana"},
        "auth_method": "SESSION",
        "network": {"client": {"ip": "198.51.100.7"}},
        "http": {
            "method": "PUT",
            "url_details": {"path": "/api/v2/security_monitoring/rules/abc-def-ghi"},
            "useragent": "curl/8",
        },
    }


def test_delivered_twice_it_is_there_once(state: StateStore, event_store: EventStore) -> None:
    change_some_rules(state, 5)
    box, seen = Outbox(state, clock, "p"), []

    def project_then_die(messages: list[Message]) -> None:
        seen.append(len(messages))
        audit.project(event_store, clock, messages[:3] if len(seen) == 1 else messages)
        if len(seen) < 3:
            raise Unavailable("killed before the outbox forgot them")

    for _ in range(2):
        with pytest.raises(Unavailable):
            box.drain(audit.TOPIC, project_then_die)
    box.drain(audit.TOPIC, project_then_die)
    assert seen == [5, 5, 5]
    assert len(rows(event_store)) == 5
    assert len({row["id"] for row in rows(event_store)}) == 5


def test_equal_changes_in_one_millisecond_are_two_entries(state: StateStore, event_store: EventStore) -> None:
    trail = AuditTrail(clock)
    with state.transaction() as session:
        for _ in range(2):
            trail.record(session, SYSTEM, "created", "role", "r", "R")
    audit.drain(Outbox(state, clock, "p"), event_store, clock)
    assert len(rows(event_store)) == 2


def test_an_entry_lives_and_dies_with_its_change(state: StateStore) -> None:
    with pytest.raises(ZeroDivisionError), state.transaction() as session:
        AuditTrail(clock).record(session, ANA, "deleted", "role", "r")
        raise ZeroDivisionError
    assert Outbox(state, clock, "p").waiting() == {}


def test_while_the_event_store_is_away_entries_wait(state: StateStore, event_store: EventStore) -> None:
    change_some_rules(state, 2)
    box = Outbox(state, clock, "p")

    class Away:
        def query(self, *arguments: object) -> list[dict[str, object]]:
            raise Unavailable("the event store does not answer")

    with pytest.raises(Unavailable):
        audit.drain(box, Away(), clock)  # type: ignore[arg-type]
    assert box.waiting()["audit"][0] == 2
    assert audit.drain(box, event_store, clock) == 2
    assert len(rows(event_store)) == 2
