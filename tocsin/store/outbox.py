"""The outbox: what a transaction decided is told to others after its commit, at least once and in order.

A feature adds messages inside its own transaction; a worker drains them. A kill between the two loses nothing,
a kill inside a handler delivers the same messages again, so handlers must be safe to run twice.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from tocsin.clock import Clock
from tocsin.store.leases import Leases
from tocsin.store.state import StateStore
from tocsin.store.tables import leases, outbox

LEASE_SECONDS = 15
"""Longer than a handler takes for one batch, short enough that a killed process delays its heirs little."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `id` rises in the order of commits; `attempts` counts earlier deliveries that failed."""

    id: int
    topic: str
    key: str
    payload: dict[str, Any]
    created_at: int
    attempts: int


Handler = Callable[[Sequence[Message]], None]


def add(session: Session, topic: str, key: str, payload: dict[str, Any], now: int) -> None:
    """Leave a message in the caller's transaction. `key` names what it is about; `now` in Unix milliseconds."""
    session.execute(outbox.insert().values(topic=topic, key=key, payload=payload, created_at=now, attempts=0))


class Outbox:
    """Delivers messages. `holder` must be unique to this process; threads may share the object."""

    def __init__(self, state: StateStore, clock: Clock, holder: str) -> None:
        self._state = state
        self._clock = clock
        self._leases = Leases(state, clock)
        self._holder = holder

    def drain(self, topic: str, handler: Handler, limit: int = 500) -> int:
        """Give up to `limit` of a topic's oldest messages to the handler, in order, in one call; forget them when it
        returns. Returns how many; 0 too while another process drains the topic.

        If the handler raises, the messages stay, the failure is noted on the first of them, and the error goes on to
        the caller: a message that cannot be handled holds up its topic (see `waiting`), it is never skipped.
        """
        messages = self._oldest(topic, limit)
        lease = f"outbox:{topic}"
        holder = f"{self._holder}:{threading.get_ident()}"
        if not messages or not self._leases.acquire(lease, holder, LEASE_SECONDS):
            return 0
        messages = self._oldest(topic, limit)  # again, now that nobody else takes them
        try:
            if messages:
                handler(messages)
        except Exception as error:
            with self._state.transaction() as session:
                noted = {"attempts": outbox.c.attempts + 1, "last_error": f"{type(error).__name__}: {error}"[:2000]}
                session.execute(update(outbox).where(outbox.c.id == messages[0].id).values(noted))
            raise
        with self._state.transaction() as session:
            held = session.execute(select(leases.c.holder).where(leases.c.name == lease)).scalar()
            if held == holder:  # else it expired and the next holder delivers them again
                session.execute(
                    delete(outbox).where(outbox.c.topic == topic, outbox.c.id.in_([m.id for m in messages]))
                )
                session.execute(delete(leases).where(leases.c.name == lease))
        return len(messages)

    def waiting(self) -> dict[str, tuple[int, int, str | None]]:
        """By topic: number of messages, when the oldest was added (Unix milliseconds), the last error if any."""
        columns = (outbox.c.topic, func.count(), func.min(outbox.c.created_at), func.max(outbox.c.last_error))
        with self._state.reading() as session:
            rows = session.execute(select(*columns).group_by(outbox.c.topic))
            return {topic: (count, oldest, error) for topic, count, oldest, error in rows}

    def _oldest(self, topic: str, limit: int) -> list[Message]:
        columns = [outbox.c[name] for name in ("id", "topic", "key", "payload", "created_at", "attempts")]
        with self._state.reading() as session:
            rows = session.execute(select(*columns).where(outbox.c.topic == topic).order_by(outbox.c.id).limit(limit))
            return [Message(*row) for row in rows]
