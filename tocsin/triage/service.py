"""Triage: decide in one transaction of the state store, then show it in the explorer (design §5).

The transaction holds the decision, its history, its audit event and a message to the writer of signals; a kill
at any point after it loses nothing, because the message is delivered later.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from tocsin.access.actor import SYSTEM, Actor
from tocsin.access.audit import AuditTrail
from tocsin.clock import Clock
from tocsin.errors import BadRequest, NotFound, TocsinError
from tocsin.signal import UNASSIGNED, Person, Triage
from tocsin.store import outbox
from tocsin.store.state import StateStore
from tocsin.triage import history, repository
from tocsin.triage.transitions import MAX_STEPS, BadTriage, Change, StaleVersion, Step, decide, is_locked, written

TOPIC = "signals"
"""Outbox topic of the writer of signals; the key is the signal's id."""

MAX_BULK = 199
"""Signals in one call (siem.md §3.6)."""

REOPENED = "Further events joined after it was archived"

FindSignals = Callable[[Iterable[str]], Mapping[str, int]]
"""Signal ids to the timestamps (Unix milliseconds) of those that exist."""

FindPerson = Callable[[str], Person | None]
"""The user with this UUID, None if there is none who may be assigned."""

Project = Callable[[Sequence[str]], None]
"""Bring the rows of these signals up to date; returns when they are, or after a short while."""


class SignalNotFound(NotFound):
    def __init__(self, signal_id: str) -> None:
        super().__init__("Signal not found")
        self.signal_id = signal_id


@dataclass(frozen=True, slots=True)
class Failure:
    """A signal of a bulk change that stayed as it was, and why."""

    signal_id: str
    error: TocsinError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a bulk change did; every signal that was asked for is in one of the two, in the order of the request."""

    done: tuple[Triage, ...]
    failed: tuple[Failure, ...]


class TriageService:
    """What people decide about signals. Safe to use from many threads."""

    def __init__(
        self,
        state: StateStore,
        audit: AuditTrail,
        clock: Clock,
        *,
        find_signals: FindSignals,
        find_person: FindPerson,
        project: Project,
        lock_after_ms: int,
    ) -> None:
        self._state = state
        self._audit = audit
        self._clock = clock
        self._find_signals = find_signals
        self._find_person = find_person
        self._project = project
        self._lock_after_ms = lock_after_ms

    def decide(self, signal_id: str, change: Change, by: Actor, *, add_incident: int | None = None) -> Triage:
        """Change one signal; `add_incident` links one more incident to those that it has.

        Raises `SignalNotFound`, `BadTriage`, `SignalLocked` or `StaleVersion`.
        """
        outcome = self._decide_all([(signal_id, change)], by, add_incident)
        if outcome.failed:
            raise outcome.failed[0].error
        return outcome.done[0]

    def decide_all(self, changes: Sequence[tuple[str, Change]], by: Actor) -> Outcome:
        """Change up to 199 signals: each is decided for itself, all that succeed in one transaction.

        Raises `BadTriage` for an assignee who cannot be one; what is wrong with a single signal is in the outcome.
        """
        if not changes:
            raise BadRequest("No signals given")
        if len(changes) > MAX_BULK:
            raise BadRequest(f"{len(changes)} signals given, at most {MAX_BULK} can be changed in one call")
        return self._decide_all(changes, by)

    def triage_of(self, signal_ids: Iterable[str]) -> Mapping[str, Triage]:
        """What was decided about these signals; those that nobody touched are absent."""
        with self._state.reading() as session:
            return repository.load(session, signal_ids)

    def history_of(self, signal_id: str) -> list[history.Entry]:
        """Everything that happened to a signal, oldest first. Raises `SignalNotFound`."""
        with self._state.reading() as session:
            found = history.entries(session, signal_id)
        if not found and signal_id not in self._find_signals([signal_id]):
            raise SignalNotFound(signal_id)
        return found

    def hand_over(self, old_id: str, new_id: str) -> None:
        """Late events gave a signal a new id: what was decided about the old one holds for the new one.

        Harmless when repeated. If people have decided about the new one already, their decision stays.
        """
        now = self._clock()
        with self._state.transaction() as session:
            known = repository.load(session, (old_id, new_id))
            moved = history.move(session, old_id, new_id)
            old = known.get(old_id)
            if old is None and not moved:
                return
            if old is not None and new_id not in known:
                repository.save(session, replace(old, signal_id=new_id))
            repository.remove(session, old_id)
            comment = "Events that arrived late gave this signal a new id"
            history.add(session, new_id, "moved", now, before=old_id, after=new_id, comment=comment)
            outbox.add(session, TOPIC, new_id, {"signal_id": new_id}, now)

    def reopen(self, signal_ids: Iterable[str]) -> None:
        """Open those of these signals that are archived: their rule asks for it when they grow (siem.md §2.10).

        The caller writes their rows. Harmless when repeated; what is locked stays.
        """
        now = self._clock()
        with self._state.transaction() as session:
            for before in repository.load(session, signal_ids).values():
                if is_locked(before, now, self._lock_after_ms) or before.state != "archived":
                    continue
                after, steps = decide(
                    before, Change(state="open"), by=history.SYSTEM, now=now, lock_after_ms=self._lock_after_ms
                )
                said = [replace(step, comment=step.comment or REOPENED) for step in steps]
                self._record(session, before, after, said, SYSTEM, history.SYSTEM, now)

    def _decide_all(self, changes: Sequence[tuple[str, Change]], by: Actor, add_incident: int | None = None) -> Outcome:
        timestamps = self._find_signals([signal_id for signal_id, _ in changes])
        people = {asked.uuid: self._person(asked) for _, change in changes if (asked := change.assignee)}
        actor = Person(uuid=by.user_uuid, handle=by.handle, name=by.name, id=by.user_id)
        now = self._clock()
        done: list[Triage] = []
        failed: list[Failure] = []
        touched: list[str] = []
        with self._state.transaction() as session:
            known = repository.load(session, (signal_id for signal_id, _ in changes))
            for signal_id, change in changes:
                try:
                    if signal_id not in timestamps:
                        raise SignalNotFound(signal_id)
                    timestamp = timestamps[signal_id]
                    before = replace(known.get(signal_id, Triage(signal_id, timestamp)), signal_timestamp=timestamp)
                    resolved = _resolve(change, people, before, add_incident)
                    after, steps = decide(before, resolved, by=actor, now=now, lock_after_ms=self._lock_after_ms)
                except StaleVersion as stale:
                    failed.append(Failure(signal_id, _explained(session, stale)))
                    continue
                except TocsinError as error:
                    failed.append(Failure(signal_id, error))
                    continue
                done.append(after)
                if not steps:
                    continue
                touched.append(signal_id)
                known[signal_id] = after
                self._record(session, before, after, steps, by, actor, now)
                outbox.add(session, TOPIC, signal_id, {"signal_id": signal_id}, now)
        if touched:
            self._project(touched)
        return Outcome(tuple(done), tuple(failed))

    def _record(
        self,
        session: Session,
        before: Triage,
        after: Triage,
        steps: Sequence[Step],
        by: Actor,
        person: Person,
        now: int,
    ) -> None:
        """The decision, its lines of history and its audit event."""
        signal_id = after.signal_id
        repository.save(session, after)
        for index, step in enumerate(steps):
            sequence = after.version * MAX_STEPS + index
            history.add(
                session, signal_id, step.kind, now, person, step.before, step.after, step.comment, sequence=sequence
            )
        self._audit.record(
            session,
            by,
            "modified",
            "security_signal",
            signal_id,
            prev_value=_audited(before),
            new_value=_audited(after),
        )

    def _person(self, asked: Person) -> Person:
        if not asked.uuid:
            return UNASSIGNED
        person = self._find_person(asked.uuid)
        if person is None:
            raise BadTriage(f"Unknown assignee: no active user has the UUID '{asked.uuid[:64]}'")
        return person


def _resolve(change: Change, people: Mapping[str, Person], before: Triage, incident: int | None) -> Change:
    """The change with its assignee as the person whom the UUID names, and its incident beside those linked before."""
    if change.assignee is not None:
        change = replace(change, assignee=people[change.assignee.uuid])
    if incident is not None:
        linked = before.incident_ids if incident in before.incident_ids else (*before.incident_ids, incident)
        change = replace(change, incident_ids=linked)
    return change


def _explained(session: Session, stale: StaleVersion) -> StaleVersion:
    """The same refusal, saying who changed what and when."""
    last = history.last_decision(session, stale.signal_id)
    if last is None:
        return stale
    what = {
        "state": f"state from {last.before} to {last.after}",
        "assignee": f"assignee from {last.before or 'nobody'} to {last.after or 'nobody'}",
        "incident": f"incidents to {last.after or 'none'}",
        "comment": "the comment",
    }.get(last.kind, last.kind)
    return StaleVersion(
        stale.signal_id,
        given=stale.given,
        current=stale.current,
        last_change=f"{last.by.name or last.by.handle} changed {what} at {written(last.at)}",
    )


def _audited(triage: Triage) -> dict[str, object]:
    return {
        "state": triage.state,
        "archive_reason": triage.archive_reason,
        "archive_comment": triage.archive_comment,
        "assignee": {"uuid": triage.assignee.uuid, "handle": triage.assignee.handle, "name": triage.assignee.name},
        "incident_ids": list(triage.incident_ids),
        "version": triage.version,
    }
