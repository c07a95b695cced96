"""Which attributes are lists somewhere, remembered and kept up to date by what arrives.

Looking for lists costs a facet a second pass over all events, and nearly all attributes have none.
"""

import threading

from tocsin.explore.names_repository import list_paths
from tocsin.explore.scope import Lists
from tocsin.query import Track
from tocsin.store.events import EventStore

OVERLAP_MS = 60_000
"""Looked at again each time, for batches that became visible after one that had arrived later."""

_BEGINNING = -(2**53)


class ListPaths:
    """Safe to use from several threads; what was a list once stays one."""

    def __init__(self, events: EventStore) -> None:
        self._events = events
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, frozenset[str]]] = {}

    def of(self, track: Track, newest: int) -> Lists:
        """`newest` is the newest arrival on the track (Unix milliseconds), as the store says it now."""
        seen, paths = self._known.get(track.name, (_BEGINNING, frozenset()))
        if seen != newest:
            paths |= list_paths(self._events, track, seen - OVERLAP_MS, newest)
            with self._lock:
                latest, others = self._known.get(track.name, (_BEGINNING, frozenset()))
                paths |= others
                self._known[track.name] = (max(newest, latest), paths)
        return Lists(paths)
