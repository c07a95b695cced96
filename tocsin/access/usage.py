"""When sessions and keys were last used: remembered in memory, written together, so that reading costs no write."""

import threading
from contextlib import suppress

from sqlalchemy import Column, Table, update

from tocsin.access.tables import api_keys, application_keys, sessions
from tocsin.clock import Clock
from tocsin.errors import Unavailable
from tocsin.store.state import StateStore

LATEST_AFTER_MS = 60_000
"""A request writes what is remembered itself if the worker has not for this long."""

_PLACES: dict[str, tuple[Table, str, str]] = {
    "session": (sessions, "token_hash", "last_seen_at"),
    "api_key": (api_keys, "uuid", "last_used_at"),
    "application_key": (application_keys, "uuid", "last_used_at"),
}


class Usage:
    """Safe to use from many threads."""

    def __init__(self, state: StateStore, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._seen: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()
        self._flushed_at = clock()

    def note(self, kind: str, id: str) -> None:
        """It is being used now. `kind` is session, api_key or application_key."""
        now = self._clock()
        with self._lock:
            self._seen[kind, id] = now
            is_due = now - self._flushed_at > LATEST_AFTER_MS
            if is_due:
                self._flushed_at = now
        if is_due:
            with suppress(Unavailable):  # it is kept for the next time, and no reason to refuse the request
                self.flush()

    def latest(self, kind: str, id: str, stored: int | None) -> int | None:
        """When it was last used, given what is stored (Unix milliseconds)."""
        seen = self._seen.get((kind, id))
        return stored if seen is None else max(seen, stored or 0)

    def flush(self) -> None:
        """Write what is remembered. What cannot be written now is kept for the next time."""
        with self._lock:
            seen, self._seen, self._flushed_at = self._seen, {}, self._clock()
        if not seen:
            return
        try:
            with self._state.transaction() as session:
                for (kind, id), at in seen.items():
                    table, key, name = _PLACES[kind]
                    column: Column[int] = table.c[name]
                    older = (column < at) | column.is_(None)
                    session.execute(update(table).where(table.c[key] == id, older).values({name: at}))
        except BaseException:
            with self._lock:
                self._seen = {**seen, **self._seen}
            raise
