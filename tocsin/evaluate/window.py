"""The events of one scope within the evaluation window, as the methods that count read them."""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby

from tocsin.evaluate.aggregates import SlidingTally
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.evidence import Entry, Part


def row_order(row: MatchRow) -> tuple[tuple[str, ...], int, str, float]:
    """The order of an event's matches: by scope, then by query."""
    return (row.group, row.query_index, row.distinct or "", float("-inf") if row.value is None else row.value)


class Window:
    """The events of one scope within the evaluation window, with each query's value over them.

    Kept in columns: windows are most of what the evaluator holds, and an `Entry` takes four times as much.
    """

    __slots__ = ("_head", "_ids", "_parts", "_serials", "_times", "group", "tallies")

    def __init__(self, group: tuple[str, ...], aggregations: Sequence[str]) -> None:
        self.group = group
        self.tallies = [SlidingTally(aggregation) for aggregation in aggregations]
        self._serials = array("q")
        self._times = array("q")
        self._ids: list[str] = []
        self._parts: list[tuple[Part, ...]] = []
        self._head = 0

    def __len__(self) -> int:
        return len(self._times) - self._head

    def __iter__(self) -> Iterator[Entry]:
        return map(self._entry, range(self._head, len(self._times)))

    @property
    def latest(self) -> int:
        """When the last event was (Unix milliseconds); there has been one."""
        return self._times[-1]

    def enter(self, entry: Entry, span: int) -> int:
        """Slide to the entry's time and take it in; returns by how many entries the window grew (may be negative)."""
        before = len(self)
        horizon = entry.timestamp - span
        end = len(self._times)
        while self._head < end and (span == 0 or self._times[self._head] <= horizon):
            for part in self._parts[self._head]:
                self.tallies[part.query_index].leave(self._serials[self._head], part.distinct, part.value)
            self._head += 1
        if self._head > 512 and self._head * 2 > end:
            self._cut(self._head)
        self._serials.append(entry.serial)
        self._times.append(entry.timestamp)
        self._ids.append(entry.event_id)
        self._parts.append(entry.parts)
        for part in entry.parts:
            self.tallies[part.query_index].enter(entry.serial, part.distinct, part.value)
        return len(self) - before

    def since(self, serial: int) -> list[Entry]:
        """The window's entries after this serial."""
        start = max(self._head, bisect_right(self._serials, serial))
        return [self._entry(index) for index in range(start, len(self._times))]

    def last(self, count: int) -> tuple[Entry, ...]:
        """So many of the last entries, or all."""
        return tuple(self._entry(index) for index in range(max(self._head, len(self._times) - count), len(self._times)))

    def copy(self) -> "Window":
        twin = Window(self.group, ())
        twin._serials, twin._times = self._serials[self._head :], self._times[self._head :]
        twin._ids, twin._parts = self._ids[self._head :], self._parts[self._head :]
        twin.tallies = [tally.copy() for tally in self.tallies]
        return twin

    def _entry(self, index: int) -> Entry:
        return Entry(self._serials[index], self._times[index], self._ids[index], self._parts[index])

    def _cut(self, count: int) -> None:
        for column in (self._serials, self._times, self._ids, self._parts):
            del column[:count]
        self._head = 0


def parts_of(rows: Sequence[MatchRow]) -> tuple[Part, ...]:
    """One part for each query that the event met in a scope; an event has one metric, the first if rows differ."""
    if len(rows) == 1 and rows[0].distinct is None and rows[0].value is None:
        return _counted(rows[0].query_index)
    parts = []
    for query_index, of_query in groupby(rows, key=lambda row: row.query_index):
        met = list(of_query)
        distinct = tuple(dict.fromkeys(row.distinct for row in met if row.distinct is not None))
        parts.append(Part(query_index, distinct, next((row.value for row in met if row.value is not None), None)))
    return tuple(parts)


@cache
def _counted(query_index: int) -> tuple[Part, ...]:
    """The parts of an event that is only counted, which are most of all that windows hold."""
    return (Part(query_index, (), None),)
