"""The policy of triage, held against a model that is too simple to be wrong."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.signal import ARCHIVE_REASONS, LOCK_AFTER_MS, TRIAGE_STATES, UNASSIGNED, Person, Triage
from tocsin.triage.transitions import (
    BadTriage,
    Change,
    SignalLocked,
    StaleVersion,
    decide,
    is_locked,
)

ANA = Person("11111111-0000-4000-8000-000000000001", "ana@example.com", "Ana", 1)
BEN = Person("22222222-0000-4000-8000-000000000002", "ben@example.com", "Ben", 2)
BORN = 1_767_225_600_000
DAY = 24 * 3600 * 1000
FRESH = Triage("AwAAAsig", BORN)


def after(*changes: Change, now: int = BORN + 1000) -> Triage:
    triage = FRESH
    for change in changes:
        triage, _ = decide(triage, change, by=ANA, now=now)
    return triage


@pytest.mark.parametrize("before", TRIAGE_STATES)
@pytest.mark.parametrize("to", TRIAGE_STATES)
def test_every_state_can_follow_every_other(before: str, to: str) -> None:
    start = replace(FRESH, state=before)
    moved, steps = decide(start, Change(state=to), by=ANA, now=BORN + 1)
    assert moved.state == to
    if before == to:
        assert (moved, steps) == (start, ())
    else:
        assert (moved.version, moved.state_updated_at, moved.state_updated_by) == (2, BORN + 1, ANA)
        assert [(step.kind, step.before, step.after) for step in steps] == [("state", before, to)]


def test_archive_keeps_reason_and_comment_with_their_author() -> None:
    archived = after(Change(state="archived", archive_reason="false_positive", archive_comment="our scanner"))
    assert (archived.archive_reason, archived.archive_comment) == ("false_positive", "our scanner")
    assert (archived.archive_comment_at, archived.archive_comment_by) == (BORN + 1000, ANA)


def test_reopening_resets_the_reason() -> None:
    archived = Change(state="archived", archive_reason="other", archive_comment="x")
    reopened = after(archived, Change(state="open", archive_reason="none"))
    assert (reopened.archive_reason, reopened.archive_comment, reopened.archive_comment_by) == ("none", "", None)


def test_reason_of_an_archived_signal_can_be_corrected_without_naming_the_state() -> None:
    triage = after(Change(state="archived", archive_comment="kept"), Change(archive_reason="remediated"))
    assert (triage.state, triage.archive_reason, triage.archive_comment) == ("archived", "remediated", "kept")


@pytest.mark.parametrize(
    "change",
    [
        Change(state="open", archive_reason="false_positive"),
        Change(state="under_review", archive_comment="why"),
        Change(archive_reason="other"),
        Change(state="closed"),
        Change(state="archived", archive_reason="boredom"),
        Change(state="archived", archive_comment="x" * 10_001),
        Change(incident_ids=tuple(range(101))),
    ],
)
def test_senseless_changes_are_refused(change: Change) -> None:
    with pytest.raises(BadTriage):
        decide(FRESH, change, by=ANA, now=BORN)


def test_lock_begins_exactly_thirty_days_after_the_signal() -> None:
    archived = replace(FRESH, state="archived")
    last_moment = BORN + 30 * DAY - 1
    assert decide(archived, Change(state="open"), by=ANA, now=last_moment)[0].state == "open"
    with pytest.raises(SignalLocked, match=r"locked since 2026-01-31 00:00:00 UTC"):
        decide(archived, Change(state="open"), by=ANA, now=last_moment + 1)
    with pytest.raises(SignalLocked):
        decide(archived, Change(assignee=BEN), by=ANA, now=BORN + 31 * DAY)


def test_locked_signal_can_still_be_linked_to_an_incident() -> None:
    linked, steps = decide(FRESH, Change(incident_ids=(12,)), by=ANA, now=BORN + 400 * DAY)
    assert linked.incident_ids == (12,)
    assert [(step.kind, step.after) for step in steps] == [("incident", "12")]


def test_lock_can_be_switched_off() -> None:
    assert not is_locked(FRESH, BORN + 10_000 * DAY, lock_after_ms=0)
    assert decide(FRESH, Change(state="archived"), by=ANA, now=BORN + 10_000 * DAY, lock_after_ms=0)[0].version == 2


def test_second_of_two_people_is_refused() -> None:
    seen_by_both = FRESH.version
    first = after(Change(state="under_review", version=seen_by_both))
    with pytest.raises(StaleVersion, match="you saw version 1, it is at version 2"):
        decide(first, Change(state="archived", version=seen_by_both), by=BEN, now=BORN)
    assert decide(first, Change(state="archived", version=first.version), by=BEN, now=BORN)[0].version == 3


def test_unassign() -> None:
    triage, steps = decide(after(Change(assignee=BEN)), Change(assignee=UNASSIGNED), by=ANA, now=BORN)
    assert triage.assignee == UNASSIGNED
    assert [(step.before, step.after) for step in steps] == [("Ben", "")]


@dataclass
class Model:
    """What a signal's triage is, in the plainest terms."""

    state: str = "open"
    reason: str = "none"
    comment: str = ""
    assignee: str = ""
    incidents: tuple[int, ...] = ()
    version: int = 1

    def take(self, change: Change, now: int) -> bool:
        """Apply a change; False if it must be refused, whatever the reason."""
        state = change.state or self.state
        wants_archive_fields = change.archive_comment or change.archive_reason not in (None, "none")
        if state != "archived" and wants_archive_fields:
            return False
        decides = any(v is not None for v in (change.state, change.archive_reason, change.archive_comment))
        if (decides or change.assignee is not None) and now >= BORN + LOCK_AFTER_MS:
            return False
        if change.version is not None and change.version < self.version:
            return False
        fresh = self.state != "archived"
        before = (self.state, self.reason, self.comment, self.assignee, self.incidents)
        if state != "archived":
            self.reason, self.comment = "none", ""
        else:
            self.reason = "none" if fresh else self.reason
            self.reason = self.reason if change.archive_reason is None else change.archive_reason
            self.comment = self.comment if change.archive_comment is None else change.archive_comment
        self.state = state
        self.assignee = self.assignee if change.assignee is None else change.assignee.uuid
        self.incidents = self.incidents if change.incident_ids is None else change.incident_ids
        self.version += (self.state, self.reason, self.comment, self.assignee, self.incidents) != before
        return True


changes = st.builds(
    Change,
    state=st.none() | st.sampled_from(TRIAGE_STATES),
    archive_reason=st.none() | st.sampled_from(ARCHIVE_REASONS),
    archive_comment=st.none() | st.sampled_from(("", "why", "because")),
    assignee=st.none() | st.sampled_from((ANA, BEN, UNASSIGNED)),
    incident_ids=st.none() | st.sampled_from(((), (1,), (1, 2))),
    version=st.none() | st.integers(1, 6),
)


@given(st.lists(st.tuples(changes, st.integers(0, 40)), max_size=12))
def test_any_sequence_of_changes_ends_where_the_model_does(sequence: list[tuple[Change, int]]) -> None:
    model, triage = Model(), FRESH
    for change, days in sequence:
        now = BORN + days * DAY
        try:
            following, steps = decide(triage, change, by=ANA, now=now)
        except (BadTriage, SignalLocked, StaleVersion):
            assert not model.take(change, now)
            continue
        assert model.take(change, now)
        assert bool(steps) == (following.version > triage.version)
        triage = following
        assert (
            triage.state,
            triage.archive_reason,
            triage.archive_comment,
            triage.assignee.uuid,
            triage.incident_ids,
            triage.version,
        ) == (model.state, model.reason, model.comment, model.assignee, model.incidents, model.version)
        assert (triage.archive_comment_at is None) == (triage.archive_comment == "")
