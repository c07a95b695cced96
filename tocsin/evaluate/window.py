"""The events of one scope within the evaluation window, as the methods that count read them."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from tocsin.evaluate.aggregates import SlidingTally
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.evidence import Entry, Part


def row_order(row: MatchRow) -> tuple[tuple[str, ...], int, str, float]:
    """The order of an event's matches: by scope, then by query."""
    return (row.group, row.query_index, row.distinct or "", float("-inf") if row.value is None else row.value)


class Window:
    """The events of one scope within the evaluation window, with each query's value over them."""

    __slots__ = ("entries", "group", "head", "tallies")

    def __init__(self, group: tuple[str, ...], aggregations: Sequence[str]) -> None:
        self.group = group
        self.entries: list[Entry] = []
        self.head = 0
        self.tallies = [SlidingTally(aggregation) for aggregation in aggregations]

    def enter(self, entry: Entry, span: int) -> int:
        """Slide to the entry's time and take it in; returns by how many entries the window grew (may be negative)."""
        before = len(self.entries) - self.head
        horizon = entry.timestamp - span
        while self.head < len(self.entries) and (span == 0 or self.entries[self.head].timestamp <= horizon):
            oldest = self.entries[self.head]
            for part in oldest.parts:
                self.tallies[part.query_index].leave(oldest.serial, part.distinct, part.value)
            self.head += 1
        if self.head > 512 and self.head * 2 > len(self.entries):
            del self.entries[: self.head]
            self.head = 0
        self.entries.append(entry)
        for part in entry.parts:
            self.tallies[part.query_index].enter(entry.serial, part.distinct, part.value)
        return len(self.entries) - self.head - before

    def since(self, serial: int) -> list[Entry]:
        """The window's entries after this serial."""
        start = len(self.entries)
        while start > self.head and self.entries[start - 1].serial > serial:
            start -= 1
        return self.entries[start:]

    def copy(self) -> "Window":
        twin = Window(self.group, ())
        twin.entries = self.entries[self.head :]
        twin.tallies = [tally.copy() for tally in self.tallies]
        return twin


def parts_of(rows: Iterable[MatchRow]) -> tuple[Part, ...]:
    """One part for each query that the event met in a scope; an event has one metric, the first if rows differ."""
    parts = []
    for query_index, of_query in groupby(rows, key=lambda row: row.query_index):
        met = list(of_query)
        distinct = tuple(dict.fromkeys(row.distinct for row in met if row.distinct is not None))
        parts.append(Part(query_index, distinct, next((row.value for row in met if row.value is not None), None)))
    return tuple(parts)
