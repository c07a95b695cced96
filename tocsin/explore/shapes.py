"""What shape attributes have in the events there are, remembered and kept up to date by what arrives.

An attribute may hold anything, so counting its values has to look for lists and for every type. Nearly all attributes
hold one type and no lists; to know that saves a facet a second pass over all events, and a conversion of each value.
"""

import threading
from collections.abc import Callable
from functools import partial

from tocsin.explore.names_repository import list_paths, value_types
from tocsin.explore.scope import Shapes
from tocsin.query import Track
from tocsin.query.columns import encode_path
from tocsin.store.events import EventStore

OVERLAP_MS = 60_000
"""Looked at again each time, for batches that became visible after one that had arrived later."""

MAX_KNOWN = 5000
"""Attributes remembered; beyond that all are forgotten and learned anew."""

_BEGINNING = -(2**53)

Learn = Callable[[int, int], frozenset[str]]
"""What is found among the events that arrived between two times (Unix milliseconds)."""


class ShapeMemory:
    """Safe to use from several threads; what was seen once stays, also when the events that had it are gone."""

    def __init__(self, events: EventStore) -> None:
        self._events = events
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[int, frozenset[str]]] = {}

    def of(self, track: Track, newest: int) -> Shapes:
        """`newest` is the newest arrival on the track (Unix milliseconds), as the store says it now."""
        lists = self._learned((track.name, ""), newest, partial(list_paths, self._events, track))
        return Shapes(lists, partial(self._types, track, newest))

    def _types(self, track: Track, newest: int, path: str) -> frozenset[str]:
        encoded = encode_path(path)
        return self._learned((track.name, encoded), newest, partial(value_types, self._events, track, encoded))

    def _learned(self, key: tuple[str, str], newest: int, learn: Learn) -> frozenset[str]:
        seen, found = self._known.get(key, (_BEGINNING, frozenset()))
        if seen == newest:
            return found
        found |= learn(seen - OVERLAP_MS, newest)
        with self._lock:
            latest, others = self._known.get(key, (_BEGINNING, frozenset()))
            found |= others
            if len(self._known) > MAX_KNOWN:
                self._known.clear()
            self._known[key] = (max(newest, latest), found)
        return found
