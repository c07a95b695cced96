"""The events of one scope within the evaluation window, as the methods that count read them."""

from array import array
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import groupby
from typing import Final

from tocsin.evaluate.aggregates import SlidingTally
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.evidence import Entry, Part

CHUNK: Final = 128
"""Entries in a part of a window that is never changed again: copies share it."""

DEAD: Final = 16
"""So many entries that have left a window are kept until they are half of all, since to cut them moves the others."""

SHARED_PARTS = 16_384
"""Different parts of events that are one object each: some 4 MB, for values that come again, as most do."""

_PACKED: Final = 18
"""Bytes of a packed id (`refs.py`)."""


def row_order(row: MatchRow) -> tuple[tuple[str, ...], int, str, float]:
    """The order of an event's matches: by scope, then by query."""
    return (row.group, row.query_index, row.distinct or "", float("-inf") if row.value is None else row.value)


class _Chunk:
    """Entries one after the other, in columns."""

    __slots__ = ("ids", "others", "parts", "serials", "times")

    def __init__(self) -> None:
        self.serials = array("q")
        self.times = array("q")
        self.ids = bytearray()
        self.others: dict[int, str] | None = None
        """Ids of another shape, by the serials of their entries; there is no such event, but senders may be anybody."""
        self.parts: list[tuple[Part, ...]] = []

    def add(self, entry: Entry) -> None:
        self.serials.append(entry.serial)
        self.times.append(entry.timestamp)
        self.parts.append(entry.parts)
        identity = entry.identity
        if isinstance(identity, bytes):
            self.ids += identity
        else:
            if self.others is None:
                self.others = {}
            self.others[entry.serial] = identity
            self.ids += bytes(_PACKED)

    def entry(self, index: int) -> Entry:
        serial = self.serials[index]
        other = None if self.others is None else self.others.get(serial)
        identity = bytes(self.ids[index * _PACKED : (index + 1) * _PACKED]) if other is None else other
        return Entry(serial, self.times[index], identity, self.parts[index])

    def rest(self, start: int) -> "_Chunk":
        """The same without what is before an index."""
        twin = _Chunk()
        twin.serials = self.serials[start:]
        twin.times = self.times[start:]
        twin.ids = self.ids[start * _PACKED :]
        twin.parts = self.parts[start:]
        if self.others is not None:
            twin.others = {serial: self.others[serial] for serial in twin.serials if serial in self.others}
        return twin


class Window:
    """The events of one scope within the evaluation window, with each query's value over them.

    Kept in columns: windows are most of what the evaluator holds. An entry takes 50 bytes, as an `Entry` five times as
    much; and copies share all but the last chunk.
    """

    __slots__ = ("_chunks", "_head", "_last", "_size", "group", "tallies")

    def __init__(self, group: tuple[str, ...], aggregations: Sequence[str]) -> None:
        self.group = group
        self.tallies = [SlidingTally(aggregation) for aggregation in aggregations]
        self._last = _Chunk()
        self._chunks = [self._last]
        self._head = 0  # in the first chunk
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Entry]:
        start = self._head
        for chunk in self._chunks:
            for index in range(start, len(chunk.times)):
                yield chunk.entry(index)
            start = 0

    @property
    def latest(self) -> int:
        """When the last event was (Unix milliseconds); there has been one."""
        return self._last.times[-1]

    def enter(self, entry: Entry, span: int) -> int:
        """Slide to the entry's time and take it in; returns by how many entries the window grew (may be negative)."""
        before = self._size
        if before:
            self._leave(entry.timestamp - span, everything=span == 0)
        if len(self._last.times) >= CHUNK:
            self._last = _Chunk()
            self._chunks.append(self._last)
        self._last.add(entry)
        self._size += 1
        for part in entry.parts:
            self.tallies[part.query_index].enter(entry.serial, part.distinct, part.value)
        return self._size - before

    def since(self, serial: int, newest: Entry) -> list[Entry]:
        """The window's entries after this serial; `newest` is the last that entered, and one of them."""
        found = [newest]
        number = len(self._chunks) - 1
        chunk, end = self._last, len(self._last.serials) - 1
        while True:
            start = self._head if number == 0 else 0
            while end > start and chunk.serials[end - 1] > serial:
                end -= 1
                found.append(chunk.entry(end))
            if end > start or number == 0:
                break
            number -= 1
            chunk = self._chunks[number]
            end = len(chunk.serials)
        found.reverse()
        return found

    def last(self, count: int) -> tuple[Entry, ...]:
        """So many of the last entries, or all."""
        found: list[Entry] = []
        for number in range(len(self._chunks) - 1, -1, -1):
            chunk = self._chunks[number]
            end, start = len(chunk.times), self._head if number == 0 else 0
            start = max(start, end - (count - len(found)))
            found += [chunk.entry(index) for index in range(end - 1, start - 1, -1)]
            if len(found) == count:
                break
        found.reverse()
        return tuple(found)

    def copy(self) -> "Window":
        twin = Window(self.group, ())
        twin.tallies = [tally.copy() for tally in self.tallies]
        twin._head = self._head
        if len(self._chunks) == 1:
            twin._last = self._last.rest(self._head)
            twin._head = 0
        else:
            twin._last = self._last.rest(0)
        twin._chunks = [*self._chunks[:-1], twin._last]
        twin._size = self._size
        return twin

    def _leave(self, horizon: int, *, everything: bool) -> None:
        """What is up to the horizon leaves the window."""
        chunk, head, left = self._chunks[0], self._head, 0
        while everything or chunk.times[head] <= horizon:
            for part in chunk.parts[head]:
                self.tallies[part.query_index].leave(chunk.serials[head], part.distinct, part.value)
            head += 1
            left += 1
            if head == len(chunk.times):
                head = 0
                if len(self._chunks) == 1:
                    self._last = _Chunk()
                    self._chunks = [self._last]
                    break
                del self._chunks[0]
                chunk = self._chunks[0]
        self._size -= left
        if len(self._chunks) == 1 and head > DEAD and head * 2 > len(chunk.times):
            self._last = chunk.rest(head)
            self._chunks = [self._last]
            head = 0
        self._head = head


def parts_of(rows: Sequence[MatchRow]) -> tuple[Part, ...]:
    """One part for each query that the event met in a scope; an event has one metric, the first if rows differ."""
    if len(rows) == 1 and rows[0].value is None:
        row = rows[0]
        return counted(row.query_index) if row.distinct is None else _with(row.query_index, row.distinct)
    parts = []
    for query_index, of_query in groupby(rows, key=lambda row: row.query_index):
        met = list(of_query)
        distinct = tuple(dict.fromkeys(row.distinct for row in met if row.distinct is not None))
        parts.append(Part(query_index, distinct, next((row.value for row in met if row.value is not None), None)))
    return tuple(parts)


@cache
def counted(query_index: int) -> tuple[Part, ...]:
    """The parts of an event that is only counted, which are most of all that windows hold."""
    return (Part(query_index, (), None),)


@lru_cache(SHARED_PARTS)
def _with(query_index: int, distinct: str) -> tuple[Part, ...]:
    """The parts of an event with one value."""
    return (Part(query_index, (distinct,), None),)
