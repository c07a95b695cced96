"""Leases: work that must run once, among any number of processes (design §3)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import delete, select, update

from tocsin.clock import Clock
from tocsin.errors import Unavailable
from tocsin.store.state import StateStore
from tocsin.store.tables import leases


class Leases:
    """Each lease is held by at most one holder until it expires; holders compare times, so their clocks must agree
    to within a second or two (NTP)."""

    def __init__(self, state: StateStore, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    def acquire(self, name: str, holder: str, seconds: float) -> bool:
        """Take or renew a lease. `holder` must be unique to the caller, such as a process and its task.

        False if another holds it.
        """
        now = self._clock()
        values = {"holder": holder, "expires_at": now + int(seconds * 1000)}
        with self._state.transaction() as session:
            row = session.execute(select(leases.c.holder, leases.c.expires_at).where(leases.c.name == name)).first()
            if row is None:
                session.execute(leases.insert().values(name=name, **values))
                return True
            if row.holder != holder and row.expires_at > now:
                return False
            session.execute(update(leases).where(leases.c.name == name).values(values))
            return True

    def release(self, name: str, holder: str) -> None:
        """Give a lease back early. Nothing happens if the holder has lost it."""
        with self._state.transaction() as session:
            session.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))

    @contextmanager
    def held(self, name: str, holder: str, seconds: float, renew_seconds: float) -> Iterator[threading.Event | None]:
        """Hold a lease while the block runs, however long one statement in it takes: a thread renews it.

        Gives None if another holds it, else an event that is set when it was lost.
        """
        asked_at = self._clock()
        if not self.acquire(name, holder, seconds):
            yield None
            return
        done, lost = threading.Event(), threading.Event()

        def keep(renewed_at: int) -> None:
            try:
                while not done.wait(renew_seconds):
                    now = self._clock()
                    try:
                        if not self.acquire(name, holder, seconds):
                            return
                        renewed_at = now
                    except Unavailable:
                        if now >= renewed_at + seconds * 1000:
                            return
            finally:
                lost.set()  # also by an error that nobody thought of: whoever works must know

        keeper = threading.Thread(target=keep, args=(asked_at,), name=f"tocsin-lease-{name}", daemon=True)
        keeper.start()
        try:
            yield lost
        finally:
            done.set()
            keeper.join()
            self.release(name, holder)

    def holder(self, name: str) -> str | None:
        """Who holds a lease now."""
        with self._state.reading() as session:
            held = (leases.c.name == name) & (leases.c.expires_at > self._clock())
            return session.execute(select(leases.c.holder).where(held)).scalar()

    def clear(self) -> None:
        """Drop all leases: only for the single process of an embedded installation, at its start, so that it need
        not wait for those of its killed predecessor to expire."""
        with self._state.transaction() as session:
            session.execute(delete(leases))
