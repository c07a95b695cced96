"""What machines share, whatever they decide: matches come event by event, and a group has one open signal at a time."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Self

from tocsin.evaluate.aggregates import SlidingTally
from tocsin.evaluate.decision import Decision, MatchRow, position
from tocsin.evaluate.evidence import Entry, Evidence, Life
from tocsin.evaluate.method import Plan
from tocsin.evaluate.refs import packed
from tocsin.evaluate.window import Window, parts_of, row_order


def events_of(rows: Iterable[MatchRow]) -> Iterator[list[MatchRow]]:
    """The matches of each event, which come together."""
    together: list[MatchRow] = []
    for row in rows:
        if together and together[0].event_id == row.event_id and together[0].timestamp == row.timestamp:
            together.append(row)
            continue
        if together:
            yield together
        together = [row]
    if together:
        yield together


def are_history(rows: Iterable[MatchRow]) -> bool:
    """Whether no version of the rule but earlier ones made these matches."""
    for row in rows:  # noqa: SIM110 - as a loop it is compiled to a fifth of the time
        if not row.is_history:
            return False
    return True


class EventMachine:
    """A `method.Machine`. `start` (Unix milliseconds): no signal opens before it."""

    def __init__(self, prepared: Plan, start: int | None, named: int) -> None:
        self.start = start
        self.position: tuple[int, str] | None = None
        self.entries = 0
        self._prepared = prepared
        self._named = named
        self._serial = 0
        self._life = Life(prepared, named)

    def copy(self) -> Self:
        twin = type(self)(self._prepared, self.start, self._named)
        twin.position = self.position
        twin.entries = self.entries
        twin._serial = self._serial
        twin._life = self._life.copy()
        return twin

    def feed(self, rows: Iterable[MatchRow]) -> None:
        for together in events_of(rows):
            at = position(together[0])
            self.position = at
            self._event(at, together)

    def decisions(self) -> list[Decision]:
        return self._life.decisions()

    def closed(self) -> list[Decision]:
        return self._life.closed()

    def forget(self) -> None:
        self._life.forget()

    def _event(self, at: tuple[int, str], rows: list[MatchRow]) -> None:
        """All matches of one event, perhaps some of them twice."""
        raise NotImplementedError


class WindowMachine(EventMachine):
    """One whose signals hold what lay in a window of a scope when there was a hit."""

    def __init__(self, prepared: Plan, start: int | None, named: int) -> None:
        super().__init__(prepared, start, named)
        self._aggregations = tuple(query.aggregation for query in prepared.rule.queries)
        self._arity = tuple(len(query.group_by_fields) for query in prepared.rule.queries)
        self._windows: dict[tuple[str, ...], Window] = {}
        self._counted: dict[tuple[str, ...], int] = {}

    def copy(self) -> Self:
        twin = super().copy()
        twin._windows = {group: window.copy() for group, window in self._windows.items()}
        twin._counted = self._counted.copy()
        return twin

    def _scopes(self, rows: list[MatchRow]) -> Iterable[tuple[tuple[str, ...], list[MatchRow]]]:
        """The matches of one event by scope, each match once."""
        if len(rows) == 1:
            return ((rows[0].group, rows),)
        rows = sorted(set(rows), key=row_order)
        return ((group, list(of_scope)) for group, of_scope in groupby(rows, key=lambda row: row.group))

    def _enter(
        self, group: tuple[str, ...], at: tuple[int, str], rows: Sequence[MatchRow], span: int
    ) -> tuple[Window, Entry]:
        """Take an event into the window of a scope, which is `span` milliseconds long."""
        window = self._windows.get(group)
        if window is None:
            window = self._windows[group] = Window(group, self._aggregations)
        self._serial += 1
        entry = Entry(self._serial, at[0], packed(at[1]), parts_of(rows))
        self.entries += window.enter(entry, span)
        return window, entry

    def _values(self, group: tuple[str, ...], tallies: Sequence[SlidingTally]) -> tuple[float | None, ...]:
        """The value of each query; None where it groups by another number of fields."""
        width = len(group)
        values: list[float | None] = []
        for index, tally in enumerate(tallies):
            values.append(tally.value if self._arity[index] == width else None)
        return tuple(values)

    def _take(self, signal: Evidence, is_new: bool, entered: Iterable[tuple[Window, Entry]]) -> None:
        """What lies in these windows is the signal's, each event once. Each comes with what entered it just now; what
        has no parts is no event, and did not (`decision.look`)."""
        if is_new:
            self._counted = {}
        for window, entry in entered:
            fresh = window.since(self._counted.get(window.group, -1), entry if entry.parts else None)
            self._counted[window.group] = entry.serial
            signal.take(window.group, fresh)

    def _drop(self, group: tuple[str, ...]) -> None:
        """Forget the window of a scope."""
        window = self._windows.pop(group)
        self.entries -= len(window)
