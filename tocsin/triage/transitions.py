"""The whole policy of triage, as one pure function (siem.md §3.4–3.6).

Every state can follow every other one. What is refused: any decision about a signal that is too old, a
reason or comment for a signal that is not archived, a decision taken on a version that is not the current one.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tocsin.errors import BadRequest, Conflict, Forbidden
from tocsin.signal import ARCHIVE_REASONS, LOCK_AFTER_MS, TRIAGE_STATES, Person, Triage

MAX_COMMENT = 10_000
"""Characters of an archive comment: a page and a half, and still no way to fill the state store."""

MAX_INCIDENTS = 100

MAX_STEPS = 3
"""Most lines of history that one change leaves: state or comment, assignee, incidents."""


class BadTriage(BadRequest):
    """What was asked for makes no sense whatever the signal's state is."""


class SignalLocked(Forbidden):
    """The signal is too old: what people decided about it stays (siem.md §3.4)."""

    code = "signal_locked"

    def __init__(self, signal_id: str, locked_at: int) -> None:
        super().__init__(
            f"signal_locked: signal {signal_id} is locked since {written(locked_at)}; "
            "its state, assignee and comments can no longer change. It can still be linked to cases and incidents."
        )
        self.locked_at = locked_at


class StaleVersion(Conflict):
    """Somebody decided about the signal after the caller had looked at it."""

    code = "stale_version"

    def __init__(self, signal_id: str, *, given: int, current: int, last_change: str = "") -> None:
        super().__init__(
            f"Signal {signal_id} was changed meanwhile: you saw version {given}, it is at version {current}"
            + (f" ({last_change})" if last_change else "")
            + ". Look at it again, then decide."
        )
        self.signal_id, self.given, self.current = signal_id, given, current


@dataclass(frozen=True, slots=True)
class Change:
    """What a person asks for; None leaves a field as it is. `assignee` with an empty `uuid` is nobody."""

    state: str | None = None
    archive_reason: str | None = None
    archive_comment: str | None = None
    assignee: Person | None = None
    incident_ids: tuple[int, ...] | None = None
    version: int | None = None

    @property
    def decides(self) -> bool:
        """Whether it touches what the lock protects; links to incidents are free (siem.md §3.4)."""
        return any(
            value is not None for value in (self.state, self.archive_reason, self.archive_comment, self.assignee)
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a signal's history that a change leaves: `before` and `after` as text."""

    kind: str
    before: str
    after: str
    comment: str = ""


def locks_at(triage: Triage, lock_after_ms: int = LOCK_AFTER_MS) -> int | None:
    """When the signal locks, in Unix milliseconds; None if it never does (`lock_after_ms` = 0)."""
    return triage.signal_timestamp + lock_after_ms if lock_after_ms else None


def is_locked(triage: Triage, now: int, lock_after_ms: int = LOCK_AFTER_MS) -> bool:
    at = locks_at(triage, lock_after_ms)
    return at is not None and now >= at


def decide(
    triage: Triage, change: Change, *, by: Person, now: int, lock_after_ms: int = LOCK_AFTER_MS
) -> tuple[Triage, tuple[Step, ...]]:
    """What a change makes of a signal's triage, and the lines of history that it leaves.

    A change that changes nothing leaves the version and the history alone, so that a repeated request is harmless.
    Raises `BadTriage`, `SignalLocked` or `StaleVersion`.
    """
    _check(change)
    at = locks_at(triage, lock_after_ms)
    if change.decides and at is not None and now >= at:
        raise SignalLocked(triage.signal_id, at)
    if change.version is not None and change.version < triage.version:
        raise StaleVersion(triage.signal_id, given=change.version, current=triage.version)
    after, steps = _change_state(triage, change, by, now)
    if change.assignee is not None and change.assignee.uuid != triage.assignee.uuid:
        after = replace(after, assignee=change.assignee)
        steps += (Step("assignee", _name(triage.assignee), _name(change.assignee)),)
    if change.incident_ids is not None and change.incident_ids != triage.incident_ids:
        after = replace(after, incident_ids=change.incident_ids)
        steps += (Step("incident", _list(triage.incident_ids), _list(change.incident_ids)),)
    if not steps:
        return triage, ()
    return replace(after, version=triage.version + 1), steps


def written(at: int) -> str:
    """A time in Unix milliseconds as a person reads it: `2026-01-31 09:05:00 UTC`."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _check(change: Change) -> None:
    if change.state is not None and change.state not in TRIAGE_STATES:
        raise BadTriage(f"Unknown state '{change.state}'; use one of {', '.join(TRIAGE_STATES)}")
    if change.archive_reason is not None and change.archive_reason not in ARCHIVE_REASONS:
        raise BadTriage(f"Unknown archive_reason '{change.archive_reason}'; use one of {', '.join(ARCHIVE_REASONS)}")
    if change.archive_comment is not None and len(change.archive_comment) > MAX_COMMENT:
        raise BadTriage(f"archive_comment has {len(change.archive_comment)} characters, {MAX_COMMENT} are allowed")
    if change.incident_ids is not None and len(change.incident_ids) > MAX_INCIDENTS:
        raise BadTriage(f"{len(change.incident_ids)} incident_ids given, {MAX_INCIDENTS} are allowed")


def _change_state(triage: Triage, change: Change, by: Person, now: int) -> tuple[Triage, tuple[Step, ...]]:
    state = change.state or triage.state
    if state != "archived":
        if (change.archive_reason or "none") != "none" or change.archive_comment:
            raise BadTriage("archive_reason and archive_comment go with state 'archived' only")
        reason, comment = "none", ""
    elif triage.state == "archived":
        reason = triage.archive_reason if change.archive_reason is None else change.archive_reason
        comment = triage.archive_comment if change.archive_comment is None else change.archive_comment
    else:
        reason, comment = change.archive_reason or "none", change.archive_comment or ""
    if (state, reason) == (triage.state, triage.archive_reason):
        if comment == triage.archive_comment:
            return triage, ()
        return _comment(triage, comment, by, now), (Step("comment", "", "", comment),)
    moved = replace(triage, state=state, archive_reason=reason, state_updated_at=now, state_updated_by=by)
    if comment != triage.archive_comment:
        moved = _comment(moved, comment, by, now)
    said = comment if comment != triage.archive_comment else ""
    step = Step("state", _state(triage.state, triage.archive_reason), _state(state, reason), said)
    return moved, (step,)


def _comment(triage: Triage, comment: str, by: Person, now: int) -> Triage:
    if not comment:
        return replace(triage, archive_comment="", archive_comment_at=None, archive_comment_by=None)
    return replace(triage, archive_comment=comment, archive_comment_at=now, archive_comment_by=by)


def _state(state: str, reason: str) -> str:
    return state if reason == "none" else f"{state}: {reason}"


def _name(person: Person) -> str:
    return (person.name or person.handle) if person.uuid else ""


def _list(ids: tuple[int, ...]) -> str:
    return ", ".join(map(str, ids))
