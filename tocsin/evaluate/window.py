"""The events of one scope within the evaluation window, as the methods that count read them."""

from array import array
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import groupby
from typing import Final

from tocsin.evaluate.aggregates import SlidingTally
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.evidence import Entry, Part
from tocsin.evaluate.refs import Identity

CHUNK: Final = 255
"""Entries in a part of a window that is never changed again: copies share it. No more than a byte can tell apart."""

DEAD: Final = 16
"""So many entries that have left a window are kept until they are half of all, since to cut them moves the others."""

SHARED_CHUNKS: Final = 16
"""Of so many chunks that were sealed last copies of a window know: a machine is behind another by no more, the tail of
its group (`group.py`)."""

SHARED_PARTS = 16_384
"""Different parts of events that are one object each: some 4 MB, for values that come again, as most do."""

_TIME: Final = 6
_DIGEST: Final = 12
"""Bytes of a packed id (`refs.py`): the time of its event, which the entry has anyway, and the others."""

_FAR: Final = 1 << 32
"""Serials and times of a chunk are kept as what they are after its first ones: four billion, and 49 days."""

_NARROW: Final = 1 << 16
"""Most chunks that are full reach no farther: two bytes each instead of four."""


def row_order(row: MatchRow) -> tuple[tuple[str, ...], int, str, float]:
    """The order of an event's matches: by scope, then by query."""
    return (row.group, row.query_index, row.distinct or "", float("-inf") if row.value is None else row.value)


class _Chunk:
    """Entries one after the other, in columns. A text stands for the parts that one value of the first query makes."""

    __slots__ = ("codes", "digests", "first_serial", "first_time", "others", "parts", "serials", "times")

    def __init__(self) -> None:
        self.first_serial = 0
        self.first_time = 0
        self.serials: array[int] | None = None
        """None: one after the other, as where a group has one scope."""
        self.times = array("I")
        self.digests = bytearray()
        self.others: dict[int, Identity] | None = None
        """Ids that do not begin with the time of their event, by the serials of their entries; there is no such event,
        but senders may be anybody."""
        self.parts: list[tuple[Part, ...] | str] = []
        """Those of each entry, or one for all."""
        self.codes: bytes | None = None
        """Where there are codes, each entry's place in the parts."""

    def __len__(self) -> int:
        return len(self.times)

    def takes(self, entry: Entry) -> bool:
        """Whether it is near enough to the others."""
        if len(self) == 0:
            return True
        return entry.serial - self.first_serial < _FAR and 0 <= entry.timestamp - self.first_time < _FAR

    def add(self, entry: Entry) -> None:
        count = len(self.times)
        parts = _shortened(entry.parts)
        if count == 0:
            self.first_serial, self.first_time = entry.serial, entry.timestamp
            self.serials, self.parts = None, [parts]
        elif len(self.parts) != 1 or parts != self.parts[0]:
            if len(self.parts) == 1:
                self.parts *= count
            self.parts.append(parts)
        after = entry.serial - self.first_serial
        if self.serials is None and after != count:
            self.serials = array("I", range(count))
        if self.serials is not None:
            self.serials.append(after)
        self.times.append(entry.timestamp - self.first_time)
        identity = entry.identity
        if isinstance(identity, bytes) and identity[:_TIME] == _time(entry.timestamp):
            self.digests += identity[_TIME:]
        else:
            if self.others is None:
                self.others = {}
            self.others[entry.serial] = identity
            self.digests += bytes(_DIGEST)

    def serial(self, index: int) -> int:
        return self.first_serial + (index if self.serials is None else self.serials[index])

    def time(self, index: int) -> int:
        return self.first_time + self.times[index]

    def parts_at(self, index: int) -> tuple[Part, ...] | str:
        if len(self.parts) == 1:
            return self.parts[0]
        return self.parts[index if self.codes is None else self.codes[index]]

    def entry(self, index: int) -> Entry:
        serial, timestamp, parts = self.serial(index), self.time(index), self.parts_at(index)
        other = None if self.others is None else self.others.get(serial)
        digest = bytes(self.digests[index * _DIGEST : (index + 1) * _DIGEST])
        identity = _time(timestamp) + digest if other is None else other
        return Entry(serial, timestamp, identity, _with(0, parts) if isinstance(parts, str) else parts)

    def rest(self, start: int) -> "_Chunk":
        """The same without what is before an index, and without room for more; it is not sealed."""
        twin = _Chunk()
        twin.first_serial, twin.first_time = self.first_serial, self.first_time
        if self.serials is None:
            twin.first_serial += start
        else:
            twin.serials = self.serials[start:]
        twin.times = self.times[start:]
        twin.digests = self.digests[start * _DIGEST :]
        twin.parts = self.parts[:] if len(self.parts) == 1 else self.parts[start:]
        if self.others is not None:
            kept = [twin.serial(index) for index in range(len(twin))]
            twin.others = {serial: self.others[serial] for serial in kept if serial in self.others}
        return twin

    def sealed(self) -> "_Chunk":
        """The same, to which nothing is added any more: in as little room as there is."""
        twin = self.rest(0)
        twin.times = _narrow(twin.times)
        if twin.serials is not None:
            twin.serials = _narrow(twin.serials)
        if len(twin.parts) > 1:
            places: dict[tuple[Part, ...] | str, int] = {}
            twin.codes = bytes([places.setdefault(parts, len(places)) for parts in twin.parts])
            twin.parts = list(places)
        return twin

    def holds_as(self, other: "_Chunk") -> bool:
        """Whether both have the same entries."""
        return (
            len(self) == len(other)
            and self.first_time == other.first_time
            and self.digests == other.digests
            and self.times == other.times
            and self.serials == other.serials
            and self.others == other.others
            and all(self.parts_at(index) == other.parts_at(index) for index in range(len(self)))
        )


class Window:
    """The events of one scope within the evaluation window, with each query's value over them.

    Kept in columns: windows are most of what the evaluator holds. An entry takes some 20 bytes, as an `Entry` twelve
    times as much; and copies share all but the last chunk, also those that are sealed after they were made.
    """

    __slots__ = ("_chunks", "_head", "_last", "_sealed", "_size", "group", "tallies")

    def __init__(self, group: tuple[str, ...], aggregations: Sequence[str]) -> None:
        self.group = group
        self.tallies = [SlidingTally(aggregation) for aggregation in aggregations]
        self._last = _Chunk()
        self._chunks = [self._last]
        self._head = 0  # in the first chunk
        self._size = 0
        self._sealed: dict[int, _Chunk] | None = None
        """Where there are copies, the chunks that one of them sealed last, by their first serials."""

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Entry]:
        start = self._head
        for chunk in self._chunks:
            for index in range(start, len(chunk)):
                yield chunk.entry(index)
            start = 0

    @property
    def latest(self) -> int:
        """When the last event was (Unix milliseconds); there has been one."""
        return self._last.time(len(self._last) - 1)

    def enter(self, entry: Entry, span: int) -> int:
        """Slide to the entry's time and take it in; returns by how many entries the window grew (may be negative)."""
        before = self._size
        self.slide(entry.timestamp, span)
        if len(self._last) >= CHUNK or not self._last.takes(entry):
            self._chunks[-1] = self._seal()
            self._last = _Chunk()
            self._chunks.append(self._last)
        self._last.add(entry)
        self._size += 1
        for part in entry.parts:
            self.tallies[part.query_index].enter(entry.serial, part.distinct, part.value)
        return self._size - before

    def slide(self, moment: int, span: int) -> int:
        """Slide to a moment at which nothing enters; returns by how many entries the window grew, which is no more than
        0."""
        before = self._size
        if before:
            self._leave(moment - span, everything=span == 0)
        return self._size - before

    def since(self, serial: int, newest: Entry | None) -> list[Entry]:
        """The window's entries after this serial; `newest`, where it is at hand, is the last of them."""
        found = [] if newest is None else [newest]
        number = len(self._chunks) - 1
        chunk, end = self._last, len(self._last) - len(found)
        while True:
            start = self._head if number == 0 else 0
            while end > start and chunk.serial(end - 1) > serial:
                end -= 1
                found.append(chunk.entry(end))
            if end > start or number == 0:
                break
            number -= 1
            chunk = self._chunks[number]
            end = len(chunk)
        found.reverse()
        return found

    def last(self, count: int) -> tuple[Entry, ...]:
        """So many of the last entries, or all."""
        found: list[Entry] = []
        for number in range(len(self._chunks) - 1, -1, -1):
            chunk = self._chunks[number]
            end, start = len(chunk), self._head if number == 0 else 0
            start = max(start, end - (count - len(found)))
            found += [chunk.entry(index) for index in range(end - 1, start - 1, -1)]
            if len(found) == count:
                break
        found.reverse()
        return tuple(found)

    def copy(self) -> "Window":
        if len(self._chunks) == 1 and self._head:  # chunks of both begin at the same entries from here on
            self._cut()
        if self._sealed is None:
            self._sealed = {}
        twin = Window(self.group, ())
        twin.tallies = [tally.copy() for tally in self.tallies]
        twin._head = self._head
        twin._last = self._last.rest(0)
        twin._chunks = [*self._chunks[:-1], twin._last]
        twin._size = self._size
        twin._sealed = self._sealed
        return twin

    def _seal(self) -> _Chunk:
        """The last chunk, for keeping: the one that a copy has already sealed, if there is one."""
        if self._sealed is None:
            return self._last.sealed()
        serial = self._last.first_serial
        known = self._sealed.pop(serial, None)
        sealed = known if known is not None and known.holds_as(self._last) else self._last.sealed()
        self._sealed[serial] = sealed
        if len(self._sealed) > SHARED_CHUNKS:
            del self._sealed[next(iter(self._sealed))]
        return sealed

    def _cut(self) -> None:
        """Drop what has left the only chunk."""
        self._last = self._last.rest(self._head)
        self._chunks = [self._last]
        self._head = 0

    def _leave(self, horizon: int, *, everything: bool) -> None:
        """What is up to the horizon leaves the window."""
        chunk, head, left = self._chunks[0], self._head, 0
        while everything or chunk.time(head) <= horizon:
            serial, parts = chunk.serial(head), chunk.parts_at(head)
            if isinstance(parts, str):
                self.tallies[0].leave(serial, (parts,), None)
            else:
                for part in parts:
                    self.tallies[part.query_index].leave(serial, part.distinct, part.value)
            head += 1
            left += 1
            if head == len(chunk):
                head = 0
                if len(self._chunks) == 1:
                    self._last = _Chunk()
                    self._chunks = [self._last]
                    break
                del self._chunks[0]
                chunk = self._chunks[0]
        self._size -= left
        self._head = head
        if len(self._chunks) == 1 and head > DEAD and head * 2 > len(chunk):
            self._cut()


def parts_of(rows: Sequence[MatchRow]) -> tuple[Part, ...]:
    """One part for each query that the event met in a scope; an event has one metric, the first if rows differ."""
    if len(rows) == 1 and rows[0].value is None:
        row = rows[0]
        return counted(row.query_index) if row.distinct is None else _with(row.query_index, row.distinct)
    parts = []
    for query_index, of_query in groupby(rows, key=lambda row: row.query_index):
        met = list(of_query)
        distinct = tuple(dict.fromkeys(row.distinct for row in met if row.distinct is not None))
        value = next((row.value for row in met if row.value is not None), None)
        # Of equal parts one is kept: -0.0 is 0.0 from the start.
        parts.append(Part(query_index, distinct, None if value is None else value + 0.0))
    return tuple(parts)


@cache
def counted(query_index: int) -> tuple[Part, ...]:
    """The parts of an event that is only counted, which are most of all that windows hold."""
    return (Part(query_index, (), None),)


@lru_cache(SHARED_PARTS)
def _with(query_index: int, distinct: str) -> tuple[Part, ...]:
    """The parts of an event with one value."""
    return (Part(query_index, (distinct,), None),)


def _shortened(parts: tuple[Part, ...]) -> tuple[Part, ...] | str:
    """The one value of the first query, if that is all: a third of the memory where values differ."""
    if len(parts) == 1 and parts[0].query_index == 0 and parts[0].value is None and len(parts[0].distinct) == 1:
        return parts[0].distinct[0]
    return parts


def _narrow(rising: "array[int]") -> "array[int]":
    """The same numbers in half the room, if they are small enough."""
    return array("H", rising) if rising[-1] < _NARROW else rising


def _time(timestamp: int) -> bytes:
    """As ids begin with it (`event.event_id`)."""
    return max(timestamp, 0).to_bytes(_TIME, "big") if timestamp < 1 << 8 * _TIME else b""
