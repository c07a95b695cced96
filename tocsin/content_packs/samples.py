"""Sample logs: what a source that is not connected would say, for a while (siem.md §1.17).

They come out of the demonstration's story, carry the tag `sample:true`, and go through the ordinary intake. Records and
so their ids follow from the subscription alone (`demo.samples`): a part that is sent again after a kill is there once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import orjson
from sqlalchemy.orm import Session

from tocsin.access.actor import Actor
from tocsin.access.audit import AuditTrail
from tocsin.clock import Clock
from tocsin.content_packs import subscriptions_repository as repository
from tocsin.content_packs.packs import Pack, PackNotFound
from tocsin.content_packs.service import ASSET
from tocsin.content_packs.states import DAY_MS, HOUR_MS
from tocsin.content_packs.subscriptions_repository import Subscription
from tocsin.demo import samples
from tocsin.errors import BadRequest
from tocsin.store.leases import Leases
from tocsin.store.state import StateStore

TAG = "sample:true"
DURATIONS = {"1h": HOUR_MS, "1d": DAY_MS, "3d": 3 * DAY_MS, "7d": 7 * DAY_MS}
DEFAULT_DURATION = "3d"
MAX_BULK = 5
"""Packs in one call (siem.md §1.17)."""

CATCH_UP_MS = 10 * 60_000
"""What fell due longer ago, while nothing ran, is left out: samples are of the present."""

BATCH = 500
LEASE, LEASE_SECONDS = "sample-logs", 60.0

Send = Callable[[bytes], object]
"""Hands a JSON list of records to the intake and returns once they are stored. Raises `TocsinError`."""


class Outcome(StrEnum):
    SUBSCRIBED = "subscribed"
    RENEWED = "renewed"
    UNSUBSCRIBED = "unsubscribed"
    NONE = "no_active_subscription"
    NOT_AVAILABLE = "not_available"
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a subscription, or how it stands; without one nothing runs for the pack."""

    pack_id: str
    outcome: Outcome
    subscription: Subscription | None = None


class SampleLogs:
    """Subscriptions, and the trickle of logs that they are for. Safe to use from many threads and processes."""

    def __init__(
        self,
        state: StateStore,
        audit: AuditTrail,
        clock: Clock,
        packs: Sequence[Pack],
        leases: Leases,
        *,
        holder: str,
        new_id: Callable[[], str],
        kept_ms: int,
    ) -> None:
        """`kept_ms`: how long logs are stored, 0 for ever."""
        self._state = state
        self._audit = audit
        self._clock = clock
        self._packs = {pack.id: pack for pack in packs}
        self._leases = leases
        self._holder = holder
        self._new_id = new_id
        self._kept_ms = kept_ms

    # Reading

    def all(self, *, only_active: bool = True) -> list[Answer]:
        """Subscriptions, newest first."""
        now = self._clock()
        with self._state.reading() as session:
            found = repository.load(session, ending_after=now if only_active else None)
        return [self._standing(one, now) for one in found if one.is_active(now) or not only_active]

    def within(self, start: int, end: int) -> list[Answer]:
        """Those that were active at any moment of `[start, end]` (Unix milliseconds), newest first."""
        now = self._clock()
        with self._state.reading() as session:
            found = repository.load(session, ending_after=start)
        return [self._standing(one, now) for one in found if one.created_at <= end and one.until > start]

    def active(self) -> dict[str, Subscription]:
        """What runs now, by pack."""
        return {one.pack_id: one.subscription for one in self.all() if one.subscription is not None}

    def is_available(self, pack_id: str) -> bool:
        """Whether there are sample logs of the pack. Raises `PackNotFound`."""
        if pack_id not in self._packs:
            raise PackNotFound(pack_id)
        return samples.source_of(self._packs[pack_id].sources) is not None

    def may_be_stored(self) -> bool:
        """Whether there can still be sample logs among the stored ones."""
        with self._state.reading() as session:
            last = repository.newest_end(session)
        return last is not None and (not self._kept_ms or last > self._clock() - self._kept_ms - DAY_MS)

    # Changing

    def subscribe(self, pack_id: str, duration: str, by: Actor) -> Answer:
        """Begin sample logs of a pack, or let those that run last `duration` from now. Raises `PackNotFound`."""
        if duration not in DURATIONS:
            raise BadRequest(f"duration: '{duration}' is none of {', '.join(DURATIONS)}")
        if not self.is_available(pack_id):
            return Answer(pack_id, Outcome.NOT_AVAILABLE)
        now = self._clock()
        until = now + DURATIONS[duration]
        with self._state.transaction() as session:
            running = repository.active(session, pack_id, now)
            if running is not None:
                made, outcome = replace(running, expires_at=max(running.expires_at, until)), Outcome.RENEWED
                repository.change(session, made)
            else:
                made, outcome = Subscription(self._new_id(), pack_id, now, until, None, now), Outcome.SUBSCRIBED
                repository.add(session, made)
            self._record(session, by, pack_id, {"sample_logs": outcome.value, "expires_at": made.expires_at})
        return Answer(pack_id, outcome, made)

    def subscribe_all(self, pack_ids: Sequence[str], duration: str, by: Actor) -> list[Answer | PackNotFound]:
        """Each pack by itself, in order: what became of it, or why nothing did. Raises `BadRequest`."""
        if not 1 <= len(pack_ids) <= MAX_BULK:
            raise BadRequest(f"content_pack_ids: {len(pack_ids)} given, 1 to {MAX_BULK} are allowed in one call")
        answers: list[Answer | PackNotFound] = []
        for pack_id in pack_ids:
            try:
                answers.append(self.subscribe(pack_id, duration, by))
            except PackNotFound as error:
                answers.append(error)
        return answers

    def unsubscribe(self, pack_id: str, by: Actor) -> Answer:
        """End sample logs of a pack at once; harmless when repeated. Raises `PackNotFound`."""
        if not self.is_available(pack_id):
            return Answer(pack_id, Outcome.NOT_AVAILABLE)
        now = self._clock()
        with self._state.transaction() as session:
            running = repository.active(session, pack_id, now)
            if running is None:
                return Answer(pack_id, Outcome.NONE)
            made = replace(running, ended_at=now)
            repository.change(session, made)
            self._record(session, by, pack_id, {"sample_logs": Outcome.UNSUBSCRIBED.value})
        return Answer(pack_id, Outcome.UNSUBSCRIBED, made)

    # The trickle

    def send_due(self, send: Send) -> int:
        """Send what has fallen due since the last time; returns how many logs. One process at a time does so."""
        running = self.active()
        if not running or not self._leases.acquire(LEASE, self._holder, LEASE_SECONDS):
            return 0
        sent = 0
        for one in running.values():
            now = self._clock()
            source = samples.source_of(self._packs[one.pack_id].sources) if one.pack_id in self._packs else None
            if source is None:  # a pack that this version does not ship any more
                continue
            after = max(one.sent_until, now - CATCH_UP_MS)
            due = samples.between(source, one.id, one.created_at, after, min(now, one.until))
            for at in range(0, len(due), BATCH):
                send(orjson.dumps([record.payload(TAG) for record in due[at : at + BATCH]]))
            with self._state.transaction() as session:
                repository.advance(session, one.id, now)
            sent += len(due)
        return sent

    # Inside

    def _record(self, session: Session, by: Actor, pack_id: str, changed: dict[str, object]) -> None:
        self._audit.record(session, by, "modified", ASSET, pack_id, self._packs[pack_id].name, None, changed)

    @staticmethod
    def _standing(one: Subscription, now: int) -> Answer:
        return Answer(one.pack_id, Outcome.ACTIVE if one.is_active(now) else Outcome.EXPIRED, one)
