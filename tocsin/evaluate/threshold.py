"""The threshold method: from the matches of one signal group to its signals (siem.md §2.4–2.10, §2.13).

Pure: no clock, no store. Live detection, tests of rules, previews and backtests all run this. The decisions are a
function of the set of matches alone; they arrive here in event time, ties in the order of event ids.

What the words mean here (decision 0070):

- A *scope* is one tuple of group-by values; queries meet in a scope when their tuples are equal, by position. A
  *signal group* is the scope, or what `groupSignalsBy` leaves of it.
- The *window* at an event of time t holds the scope's matching events of `(t - window, t]`; with window 0 only the
  event itself. After each event the cases are tried in order, the first that holds is the event's case: a *hit*.
- A query without events in the window has the value 0, a maximum none; a query with another number of group-by
  fields has no value in the scope. A comparison without a value does not hold.
- A hit opens a signal unless one is open. A signal closes `keepAlive` after its last hit, or when a hit comes later
  than `maxSignalDuration` after first_seen. keepAlive 0 closes at once: each hit is a signal of its own.
- At the end of each run of a scheduled rule that groups by nothing the cases are asked too, of what lies in the window
  then, if one of them can hold of nothing (`decision.look`). Such a hit is no event: a signal that it opens may have
  none.
- The events of a signal (`events_matched`, aggregates, samples) are those that lay in the window at one of its hits,
  each counted once. An event that never took part in a hit is no evidence and is not counted.
- Severity only rises: of the cases hit, the most severe decides, the earliest of equals.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from tocsin.errors import BadRequest
from tocsin.evaluate.aggregates import AGGREGATIONS, SlidingTally
from tocsin.evaluate.condition import Condition, check_labels, parse_condition
from tocsin.evaluate.decision import NO_QUERY, MatchRow
from tocsin.evaluate.evidence import Entry
from tocsin.evaluate.machine import WindowMachine, are_history
from tocsin.evaluate.method import FIRST_EVENTS, MAX_ENTRIES, Plan, ScopeTooLarge, kept_positions
from tocsin.evaluate.refs import packed
from tocsin.evaluate.window import Window
from tocsin.event import Json
from tocsin.rule import SEVERITIES, Rule

Values = tuple[float | None, ...]
"""Of each query in a window."""

Hit = tuple[Window, Entry, int, Values]
"""A window in which a case holds, the entry at which it was asked, the case's index, and what it was asked about."""


@dataclass(frozen=True)
class ThresholdPlan(Plan):
    """`conditions` and `severities` (index of `SEVERITIES`) of the rule's cases."""

    conditions: tuple[Condition, ...]
    severities: tuple[int, ...]

    @property
    def has_window_before(self) -> bool:
        return self.rule.schedule is not None and self.rule.window_ms > 0

    @property
    def asks_at_ends(self) -> bool:
        return any(holds_of_nothing(self.rule, condition) for condition in self.conditions)

    def machine(self, start: int | None = None, named: int = FIRST_EVENTS) -> "ThresholdMachine":
        return ThresholdMachine(self, start, named)


def plan(rule: Rule) -> ThresholdPlan:
    """Read a rule's conditions; raises `BadRequest` (or `ConditionError`) for what this method cannot decide."""
    labels = tuple(query.label for query in rule.queries)
    for query in rule.queries:
        if query.aggregation not in AGGREGATIONS:
            reason = f"query '{query.label}' has the aggregation '{query.aggregation}'"
            raise BadRequest(f"{reason}; threshold rules know {', '.join(AGGREGATIONS)}")
    conditions = []
    for case in rule.cases:
        condition = parse_condition(case.condition)
        check_labels(condition, labels)
        conditions.append(condition)
    severities = tuple(SEVERITIES.index(case.severity) for case in rule.cases)
    return ThresholdPlan(rule, kept_positions(rule), tuple(conditions), severities)


def holds_of_nothing(rule: Rule, condition: Condition) -> bool:
    """Whether a case of a scheduled rule holds at the end of a run whose window is empty. Which groups there could be
    is not known then; without a window there is nothing to look back at."""
    if rule.schedule is None or rule.window_ms == 0 or any(query.group_by_fields for query in rule.queries):
        return False
    nothing = {query.label: SlidingTally(query.aggregation).value for query in rule.queries}
    return not condition.is_sequence and condition.holds(nothing)


class ThresholdMachine(WindowMachine):
    """O(1) per match, except for "then" conditions, which rescan the window.

    `start` (Unix milliseconds): events before it only fill the windows. A machine that starts where a signal opened,
    with the matches of one window before it, decides as one that saw everything.

    `watch_case` is told what the cases are asked about (`nearest.py`).
    """

    def __init__(self, prepared: ThresholdPlan, start: int | None, named: int) -> None:
        super().__init__(prepared, start, named)
        self.plan = prepared
        self.watch_case: Callable[[Window, Values], None] | None = None
        self._sweep_at = 64
        self._span = prepared.rule.window_ms
        self._labels = tuple(query.label for query in prepared.rule.queries)

    def copy(self) -> Self:
        twin = super().copy()
        twin._sweep_at = self._sweep_at
        return twin

    def _event(self, at: tuple[int, str], rows: list[MatchRow]) -> None:
        timestamp = at[0]
        if rows[0].query_index == NO_QUERY:
            self._look(at, rows)
            return
        hits: list[Hit] = []
        for group, of_scope in self._scopes(rows):
            window, entry = self._enter(group, at, of_scope, self._span)
            if (self.start is not None and timestamp < self.start) or are_history(of_scope):
                continue
            hits += self._asked(window, entry)
        if hits:
            self._hit(hits)
        if len(self._windows) > self._sweep_at:
            self._sweep(timestamp)
        if self.entries > MAX_ENTRIES:
            raise ScopeTooLarge(
                f"more than {MAX_ENTRIES} matches lie in one evaluation window of the group {list(rows[0].group)}; "
                "narrow the query, group by more fields or shorten the window"
            )

    def _look(self, at: tuple[int, str], rows: list[MatchRow]) -> None:
        """A scheduled run ends: the cases are asked of what lies in the window, which may be nothing."""
        group = rows[0].group
        window = self._windows.get(group)
        if window is None:
            window = Window(group, self._aggregations)
        self.entries += window.slide(at[0], self._span)
        if len(window) == 0:
            self._windows.pop(group, None)
        self._serial += 1
        if (self.start is not None and at[0] < self.start) or are_history(rows):
            return
        if hits := self._asked(window, Entry(self._serial, at[0], packed(at[1]), ())):
            self._hit(hits)

    def _asked(self, window: Window, entry: Entry) -> list[Hit]:
        """The hit that an entry is, if a case holds in the window now."""
        values = self._values(window.group, window.tallies)
        if self.watch_case is not None:
            self.watch_case(window, values)
        case_index = self._case(window, values)
        return [] if case_index is None else [(window, entry, case_index, values)]

    def _case(self, window: Window, values: Values) -> int | None:
        named = dict(zip(self._labels, values, strict=True))
        for index, condition in enumerate(self.plan.conditions):
            if self._holds_in_order(condition, window) if condition.is_sequence else condition.holds(named):
                return index
        return None

    def _holds_in_order(self, condition: Condition, window: Window) -> bool:
        """Each stage of a "then" counts only events later than the moment at which the one before became true."""
        entries = iter(window)
        after: int | None = None
        for stage in condition.stages:
            tallies = [SlidingTally(aggregation) for aggregation in self._aggregations]
            for entry in entries:
                if after is not None and entry.timestamp <= after:
                    continue
                for part in entry.parts:
                    tallies[part.query_index].enter(entry.serial, part.distinct, part.value)
                values = self._values(window.group, tallies)
                if stage.holds(dict(zip(self._labels, values, strict=True))):
                    after = entry.timestamp
                    break
            else:
                return False
        return True

    def _hit(self, hits: list[Hit]) -> None:
        severities = self.plan.severities
        deciding = hits[0] if len(hits) == 1 else max(hits, key=lambda hit: (severities[hit[2]], -hit[2]))
        window, entry, case_index, values = deciding
        events = len(window)
        is_decided = self._life.is_decided_at(entry.timestamp, case_index)
        facts = self._facts(window.group, entry) if is_decided else None
        signal, is_new = self._life.hit(entry, window.group, case_index, values, events, facts)
        self._take(signal, is_new, [(hit[0], hit[1]) for hit in hits])

    def _facts(self, group: tuple[str, ...], entry: Entry) -> Mapping[str, Json] | None:
        """What the method says of a hit that decides a signal; counts say all that there is to say."""
        del group, entry
        return None

    def _sweep(self, timestamp: int) -> None:
        horizon = timestamp - self._span
        for group, window in list(self._windows.items()):
            if window.latest <= horizon:
                self._drop(group)
        self._sweep_at = max(64, 2 * len(self._windows))
