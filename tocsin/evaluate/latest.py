"""The logs that were stored last, at hand for saying what signals show of them.

The store finds a log by reading the thousands that stand beside it. Signals name logs of the last seconds, and those
that have grown name some of each second since: five hundred such logs cost half as much as storing five thousand. So
what has just been stored stays in memory for a moment, and what will be asked for stays longer. A memory only: what is
not here is in the store, and says the same there.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from tocsin.event import Event
from tocsin.store.rows import decode_line, has_matches

LATEST_BYTES = 16_000_000
"""Of logs that match a rule: at 5,000 events/s some four seconds."""

KEPT_BYTES = 64_000_000
"""Of those that will be asked for."""

LINE_BYTES: Final = 250
"""Memory that a line takes beside its text, about."""


class _Line(NamedTuple):
    ingested_at: int
    text: bytes


class Latest:
    """Safe to use from several threads: who stores logs adds them, who decides signals takes them."""

    def __init__(self, latest_bytes: int = LATEST_BYTES, kept_bytes: int = KEPT_BYTES) -> None:
        self._lock = threading.Lock()
        self._latest = _Bounded(latest_bytes)
        self._kept = _Bounded(kept_bytes)

    def add(self, ingested_at: int, lines: Mapping[str, bytes]) -> None:
        """These logs are stored: their lines by id, as `store.rows.decode_line` reads them. `ingested_at` in Unix
        milliseconds."""
        matched = [(identity, _Line(ingested_at, line)) for identity, line in lines.items() if has_matches(line)]
        with self._lock:
            for identity, line in matched:
                self._latest.put(identity, line)

    def keep(self, event_ids: Iterable[str]) -> None:
        """These will be asked for: those that are here stay longer."""
        with self._lock:
            for identity in event_ids:
                line = self._latest.lines.get(identity)
                if line is not None and identity not in self._kept.lines:
                    self._kept.put(identity, line)

    def events(self, refs: Iterable[tuple[int, str]]) -> dict[str, Event]:
        """Those of these events (timestamp, id) that are here, by id, as the store would give them."""
        with self._lock:
            found = [
                (timestamp, identity, line)
                for timestamp, identity in refs
                if (line := self._kept.lines.get(identity) or self._latest.lines.get(identity)) is not None
            ]
        return {identity: decode_line(line.text, timestamp, line.ingested_at) for timestamp, identity, line in found}


class _Bounded:
    """Lines up to so many bytes; the first ones go first."""

    def __init__(self, most: int) -> None:
        self.lines: OrderedDict[str, _Line] = OrderedDict()
        self._most = most
        self._size = 0

    def put(self, identity: str, line: _Line) -> None:
        if (before := self.lines.pop(identity, None)) is not None:
            self._size -= _bytes(before)
        self.lines[identity] = line
        self._size += _bytes(line)
        while self._size > self._most:
            _, dropped = self.lines.popitem(last=False)
            self._size -= _bytes(dropped)


def _bytes(line: _Line) -> int:
    return len(line.text) + LINE_BYTES
