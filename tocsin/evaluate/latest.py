"""The logs that were stored last, at hand for saying what signals show of them.

The store finds a log by reading the thousands that stand beside it. Signals name logs of the last seconds, and those
that have grown name some of each second since: five hundred such logs cost half as much as storing five thousand. So
what has just been stored stays in memory for a moment, and what will be asked for stays longer. A memory only: what is
not here is in the store, and says the same there.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final, NamedTuple

from tocsin.evaluate.packing import SAMPLES, Packing
from tocsin.event import Event
from tocsin.store.rows import decode_line, has_matches, shown_line

LATEST_BYTES = 16_000_000
"""Of logs that match a rule: at 5,000 events/s some four seconds."""

KEPT_BYTES = 48_000_000
"""Of those that will be asked for, packed: 140,000. At 5,000 events/s signals that grow name a thousand a second, and
wait for a minute and a half."""

WINDOW_BYTES = 32_000_000
"""Of those that may be asked for, when a signal opens."""

LINE_BYTES: Final = 250
"""Memory that a line takes beside its text, about."""

LEARNED_EVERY: Final = 500_000
"""Lines: some minutes under load, after which others may be common."""


class _Line(NamedTuple):
    """What is shown of a log. `packing`: how `text` is packed, if it is."""

    ingested_at: int
    text: bytes
    packing: Packing | None = None


class Latest:
    """Safe to use from several threads: who stores logs adds them, who decides signals takes them."""

    def __init__(
        self, latest_bytes: int = LATEST_BYTES, kept_bytes: int = KEPT_BYTES, window_bytes: int = WINDOW_BYTES
    ) -> None:
        self._lock = threading.Lock()
        self._packing_lock = threading.Lock()
        self._packing = Packing(())
        self._packed = LEARNED_EVERY
        self._latest = _Bounded(latest_bytes)
        self._kept = _Bounded(kept_bytes)
        self._windows = _Bounded(window_bytes)

    def add(self, ingested_at: int, lines: Mapping[str, bytes]) -> None:
        """These logs are stored: their lines by id, as `store.rows.decode_line` reads them. `ingested_at` in Unix
        milliseconds."""
        matched = [
            (identity, _Line(ingested_at, shown_line(line))) for identity, line in lines.items() if has_matches(line)
        ]
        with self._lock:
            for identity, line in matched:
                self._latest.put(identity, line)

    def keep(self, event_ids: Iterable[str]) -> None:
        """These will be asked for: those that are here stay longer."""
        self._put(self._kept, event_ids)

    def keep_window(self, event_ids: Iterable[str]) -> None:
        """These will be asked for if a signal opens soon. They do not drive out those of which that is known."""
        self._put(self._windows, event_ids)

    def _put(self, into: "_Bounded", event_ids: Iterable[str]) -> None:
        with self._lock:
            found = {
                identity: line
                for identity in event_ids
                if identity not in into.lines and (line := self._latest.lines.get(identity)) is not None
            }
            samples = self._samples() if self._packed >= LEARNED_EVERY else []
        with self._packing_lock:  # who stores logs need not wait
            if samples:
                self._packing, self._packed = Packing(samples), 0
            packing = self._packing
            self._packed += len(found)
            packed = {
                identity: line._replace(text=packing.pack(line.text), packing=packing)
                for identity, line in found.items()
            }
        with self._lock:
            for identity, line in packed.items():
                into.put(identity, line)

    def _samples(self) -> list[bytes]:
        """Of the lines of some seconds; none as long as there are few."""
        lines = self._latest.lines
        if len(lines) < SAMPLES:
            return []
        return [line.text for line in islice(lines.values(), 0, None, len(lines) // SAMPLES)]

    def events(self, refs: Iterable[tuple[int, str]]) -> dict[str, Event]:
        """Those of these events (timestamp, id) that are here, by id, as the store would give them."""
        with self._lock:
            found = [
                (timestamp, identity, line)
                for timestamp, identity in refs
                if (line := self._line(identity)) is not None
            ]
        with self._packing_lock:
            texts = [line.text if line.packing is None else line.packing.unpack(line.text) for _, _, line in found]
        return {
            identity: decode_line(text, timestamp, line.ingested_at)
            for (timestamp, identity, line), text in zip(found, texts, strict=True)
        }

    def _line(self, identity: str) -> _Line | None:
        for held in (self._latest, self._kept, self._windows):
            if (line := held.lines.get(identity)) is not None:
                return line
        return None


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
