"""Triage decided in a real state store: history, audit, messages; what survives, what is refused."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tocsin.access.actor import Actor
from tocsin.access.audit import AuditTrail
from tocsin.errors import BadRequest
from tocsin.signal import LOCK_AFTER_MS, UNASSIGNED, Person, Triage
from tocsin.store.outbox import Message, Outbox
from tocsin.store.state import StateStore
from tocsin.triage import history
from tocsin.triage.service import SignalNotFound, TriageService
from tocsin.triage.tables import signal_history
from tocsin.triage.transitions import BadTriage, Change, SignalLocked, StaleVersion

BORN = 1_767_225_600_000
ANA = Person("11111111-0000-4000-8000-000000000001", "ana@example.com", "Ana", 1)
BEN = Person("22222222-0000-4000-8000-000000000002", "ben@example.com", "Ben", 2)


def actor(person: Person) -> Actor:
    return Actor(person.uuid, person.id, person.handle, person.name, frozenset())


class World:
    """A triage service with its surroundings: a clock to turn, signals that exist, what was projected."""

    def __init__(self, state: StateStore) -> None:
        self.state = state
        self.now = BORN + 1000
        self.signals: dict[str, int] = {f"sig-{i}": BORN for i in range(300)}
        self.projected: list[str] = []
        self.service = TriageService(
            state,
            AuditTrail(self.clock),
            self.clock,
            find_signals=self.find_signals,
            find_person={ANA.uuid: ANA, BEN.uuid: BEN}.get,
            project=self.project,
            lock_after_ms=LOCK_AFTER_MS,
        )

    def clock(self) -> int:
        return self.now

    def find_signals(self, ids: Iterable[str]) -> Mapping[str, int]:
        return {id: self.signals[id] for id in ids if id in self.signals}

    def project(self, ids: Sequence[str]) -> None:
        self.projected += ids

    def messages(self, topic: str) -> list[Message]:
        heard: list[Message] = []
        Outbox(self.state, self.clock, "test").drain(topic, heard.extend)
        return heard


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "postgres":
        state = StateStore(str(request.getfixturevalue("postgres_url")))
    else:
        state = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    state.migrate()
    yield World(state)
    state.close()


def test_decision_leaves_row_history_audit_and_message_together(world: World) -> None:
    change = Change(
        state="archived", archive_reason="false_positive", archive_comment="ours", assignee=Person(BEN.uuid)
    )
    decided = world.service.decide("sig-1", change, actor(ANA))
    assert (decided.state, decided.assignee, decided.version) == ("archived", BEN, 2)
    assert world.service.triage_of(["sig-1", "sig-2"]) == {"sig-1": decided}
    assert world.service.history_of("sig-1") == [
        history.Entry(world.now, "state", ANA, "open", "archived: false_positive", "ours"),
        history.Entry(world.now, "assignee", ANA, "", "Ben"),
    ]
    assert world.projected == ["sig-1"]
    assert [m.payload for m in world.messages("signals")] == [{"signal_id": "sig-1"}]
    (audited,) = world.messages("audit")
    asset = audited.payload["attributes"]["asset"]
    assert (asset["type"], asset["id"]) == ("security_signal", "sig-1")
    assert (asset["prev_value"]["state"], asset["new_value"]["state"]) == ("open", "archived")


def test_decision_that_changes_nothing_leaves_no_trace(world: World) -> None:
    world.service.decide("sig-1", Change(state="open", assignee=UNASSIGNED), actor(ANA))
    assert world.service.history_of("sig-1") == []
    assert world.messages("signals") == world.messages("audit") == []


def test_second_person_is_told_who_changed_what_and_when(world: World) -> None:
    world.service.decide("sig-1", Change(state="under_review", version=1), actor(ANA))
    with pytest.raises(StaleVersion) as refused:
        world.service.decide("sig-1", Change(state="archived", version=1), actor(BEN))
    assert "Ana changed state from open to under_review at 2026-01-01 00:00:01 UTC" in str(refused.value)
    assert world.service.triage_of(["sig-1"])["sig-1"].state == "under_review"


def test_of_many_who_decide_on_the_same_version_one_wins(world: World) -> None:
    def decide(number: int) -> str:
        try:
            world.service.decide("sig-1", Change(state="archived", archive_comment=f"{number}", version=1), actor(ANA))
        except StaleVersion:
            return "stale"
        return "won"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(decide, range(8)))
    assert sorted(outcomes) == ["stale"] * 7 + ["won"]
    (entry,) = world.service.history_of("sig-1")
    assert entry.comment == world.service.triage_of(["sig-1"])["sig-1"].archive_comment == str(outcomes.index("won"))


def test_unknown_signal_unknown_assignee_and_locked_signal_are_refused(world: World) -> None:
    with pytest.raises(SignalNotFound, match="Signal not found"):
        world.service.decide("no-such", Change(state="open"), actor(ANA))
    with pytest.raises(SignalNotFound):
        world.service.history_of("no-such")
    with pytest.raises(BadTriage, match="no active user"):
        world.service.decide("sig-1", Change(assignee=Person("99999999-0000-4000-8000-000000000009")), actor(ANA))
    world.now = BORN + LOCK_AFTER_MS
    with pytest.raises(SignalLocked, match="signal_locked"):
        world.service.decide("sig-1", Change(state="open", archive_comment=""), actor(ANA))


def test_bulk_reports_each_signal(world: World) -> None:
    world.signals["old"] = BORN - LOCK_AFTER_MS
    world.service.decide("sig-3", Change(state="under_review"), actor(BEN))
    asked = [("sig-1", None), ("no-such", None), ("old", None), ("sig-3", 1), ("sig-4", None)]
    outcome = world.service.decide_all([(id, Change(state="archived", version=v)) for id, v in asked], actor(ANA))
    assert [triage.signal_id for triage in outcome.done] == ["sig-1", "sig-4"]
    assert [(failure.signal_id, type(failure.error)) for failure in outcome.failed] == [
        ("no-such", SignalNotFound),
        ("old", SignalLocked),
        ("sig-3", StaleVersion),
    ]
    assert world.service.triage_of(["sig-3"])["sig-3"].state == "under_review"


def test_bulk_takes_199_and_refuses_200(world: World) -> None:
    changes = [(f"sig-{i}", Change(state="under_review")) for i in range(200)]
    assert len(world.service.decide_all(changes[:199], actor(ANA)).done) == 199
    with pytest.raises(BadRequest, match="at most 199"):
        world.service.decide_all(changes, actor(ANA))
    with pytest.raises(BadRequest):
        world.service.decide_all([], actor(ANA))


def test_incident_is_added_to_those_that_are_linked(world: World) -> None:
    for incident in (12, 7, 12):
        world.service.decide("sig-1", Change(), actor(ANA), add_incident=incident)
    assert world.service.triage_of(["sig-1"])["sig-1"].incident_ids == (12, 7)


def test_heir_takes_over_decision_and_history(world: World) -> None:
    world.service.decide("sig-1", Change(state="under_review", assignee=Person(BEN.uuid)), actor(ANA))
    with world.state.transaction() as session:
        history.add(session, "sig-1", "created", BORN)
        history.add(session, "sig-1", "severity", BORN + 5, before="low", after="high")
        history.add(session, "sig-2", "created", BORN)
    world.messages("signals")
    world.now += 1000
    for _ in range(2):
        world.service.hand_over("sig-1", "sig-2")
    assert world.service.triage_of(["sig-1"]) == {}
    inherited = world.service.triage_of(["sig-2"])["sig-2"]
    assert (inherited.state, inherited.assignee, inherited.signal_id) == ("under_review", BEN, "sig-2")
    kinds = [entry.kind for entry in world.service.history_of("sig-2")]
    assert kinds == ["created", "state", "assignee", "moved"]
    assert [message.key for message in world.messages("signals")] == ["sig-2"]


def test_heir_about_which_people_have_decided_keeps_its_own_decision(world: World) -> None:
    world.service.decide("sig-1", Change(state="under_review"), actor(ANA))
    world.service.decide("sig-2", Change(state="archived"), actor(BEN))
    world.service.hand_over("sig-1", "sig-2")
    assert world.service.triage_of(["sig-1", "sig-2"])["sig-2"].state == "archived"


def test_reopening_opens_only_what_is_archived_and_only_once(world: World) -> None:
    for signal_id, state in (("sig-1", "archived"), ("sig-2", "under_review")):
        world.service.decide(signal_id, Change(state=state), actor(ANA))
    world.messages("audit")
    for _ in range(2):
        world.service.reopen(["sig-1", "sig-2", "sig-3"])
    found = world.service.triage_of(["sig-1", "sig-2", "sig-3"])
    assert [found[signal_id].state for signal_id in sorted(found)] == ["open", "under_review"]
    last = world.service.history_of("sig-1")[-1]
    assert (last.kind, last.by, last.after) == ("state", history.SYSTEM, "open")
    (audited,) = world.messages("audit")
    assert audited.payload["attributes"]["asset"]["id"] == "sig-1"


def test_reopening_leaves_what_is_locked(world: World) -> None:
    world.service.decide("sig-1", Change(state="archived"), actor(ANA))
    world.now = BORN + LOCK_AFTER_MS
    world.service.reopen(["sig-1"])
    assert world.service.triage_of(["sig-1"])["sig-1"].state == "archived"


def test_hand_over_of_an_untouched_signal_leaves_no_trace(world: World) -> None:
    world.service.hand_over("sig-1", "sig-2")
    assert world.service.triage_of(["sig-2"]) == {}
    assert world.messages("signals") == []


def test_history_entry_written_twice_is_there_once(world: World) -> None:
    for _ in range(2):
        with world.state.transaction() as session:
            history.add(session, "sig-1", "severity", BORN + 5, before="low", after="high")
    with world.state.reading() as session:
        assert len(session.execute(select(signal_history)).all()) == 1
    assert world.service.history_of("sig-1") == [
        history.Entry(BORN + 5, "severity", history.SYSTEM, before="low", after="high")
    ]


def test_unknown_kind_of_entry_is_a_mistake_of_ours(world: World) -> None:
    with world.state.transaction() as session, pytest.raises(ValueError, match="unknown kind"):
        history.add(session, "sig-1", "surprise", BORN)


def test_all_fields_survive_the_store(world: World) -> None:
    world.service.decide("sig-1", Change(state="archived", archive_comment="x", incident_ids=(3, 1)), actor(ANA))
    found: Any = world.service.triage_of(["sig-1"])["sig-1"]
    assert found == Triage(
        "sig-1",
        BORN,
        state="archived",
        archive_comment="x",
        archive_comment_at=BORN + 1000,
        archive_comment_by=ANA,
        incident_ids=(3, 1),
        state_updated_at=BORN + 1000,
        state_updated_by=ANA,
        version=2,
    )
