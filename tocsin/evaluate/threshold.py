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
- The events of a signal (`events_matched`, aggregates, samples) are those that lay in the window at one of its hits,
  each counted once. An event that never took part in a hit is no evidence and is not counted.
- Severity only rises: of the cases hit, the most severe decides, the earliest of equals.
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from tocsin.errors import BadRequest
from tocsin.evaluate.aggregates import AGGREGATIONS, SHOWN_DISTINCT_VALUES, GrowingTally, SlidingTally
from tocsin.evaluate.condition import Condition, check_labels, parse_condition
from tocsin.rule import SEVERITIES, Rule

FIRST_EVENTS = 500
"""Of a signal's events so many of the first are named; its attributes are collected from these and the last."""

LAST_EVENTS = 10

MAX_ENTRIES = 2_000_000
"""Events that the windows of one signal group may hold at once: about 500 MB; beyond it the group fails visibly."""


class ScopeTooLarge(BadRequest):
    """The windows of one signal group hold more events than memory allows."""


class MatchRow(NamedTuple):
    """One match as it is stored. `timestamp` in Unix milliseconds."""

    timestamp: int
    event_id: str
    group: tuple[str, ...]
    query_index: int
    distinct: str | None = None
    value: float | None = None


class EventRef(NamedTuple):
    """An event among a signal's evidence, ordered by time and id, with the first query that it met."""

    timestamp: int
    event_id: str
    query_index: int


@dataclass(frozen=True, slots=True)
class QueryEvidence:
    """What one query contributes to a signal; `distinct_values` are the first 100 of `distinct`."""

    events: int
    value: float | None
    distinct: int = 0
    distinct_values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A case was reached: when, by which event, in which scope, and each query's value in the window then."""

    case_index: int
    timestamp: int
    event_id: str
    group: tuple[str, ...]
    values: tuple[float | None, ...]
    window_events: int


@dataclass(frozen=True, slots=True)
class Decision:
    """One signal, decided. Times in Unix milliseconds.

    `verdicts` rise in severity, the last decides. `groups` are the scopes that took part (at most 100, only
    where `groupSignalsBy` merges them). The signal is window-open until `closes_at`, exclusive.
    """

    group: tuple[str, ...]
    opened_by: str
    timestamp: int
    first_seen: int
    last_seen: int
    last_hit: int
    closes_at: int
    hits: int
    verdicts: tuple[Verdict, ...]
    events_matched: int
    queries: tuple[QueryEvidence, ...]
    groups: tuple[tuple[str, ...], ...]
    first_events: tuple[EventRef, ...]
    last_events: tuple[EventRef, ...]

    @property
    def verdict(self) -> Verdict:
        """The one that decides."""
        return self.verdicts[-1]


@dataclass(frozen=True, slots=True)
class Plan:
    """A rule, read and ready to decide. `kept` are the positions of the group-by values that form the signal group."""

    rule: Rule
    conditions: tuple[Condition, ...]
    severities: tuple[int, ...]
    kept: tuple[int, ...] | None

    def signal_group(self, group: tuple[str, ...]) -> tuple[str, ...]:
        if self.kept is None:
            return group
        return tuple(group[position] for position in self.kept if position < len(group))


def plan(rule: Rule) -> Plan:
    """Read a rule's conditions; raises `BadRequest` (or `ConditionError`) for a rule that this method cannot decide."""
    if rule.options.detection_method != "threshold":
        raise BadRequest(f"the threshold method cannot evaluate a rule of method '{rule.options.detection_method}'")
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
    return Plan(rule, tuple(conditions), severities, _kept(rule))


def decide(prepared: Plan, rows: Iterable[MatchRow]) -> list[Decision]:
    """All signals of one signal group, from all its matches in any order; the same match twice is one."""
    machine = Machine(prepared)
    machine.feed(sorted(rows, key=_position))
    return machine.decisions()


def _kept(rule: Rule) -> tuple[int, ...] | None:
    if not rule.group_signals_by:
        return None
    fields = max((query.group_by_fields for query in rule.queries), key=len, default=())
    if unknown := [name for name in rule.group_signals_by if name not in fields]:
        raise BadRequest(f"groupSignalsBy names '{unknown[0]}', which the queries do not group by")
    kept = tuple(fields.index(name) for name in rule.group_signals_by)
    return None if kept == tuple(range(len(fields))) else kept


def _position(row: MatchRow) -> tuple[int, str]:
    return (row.timestamp, row.event_id)


def _order(row: MatchRow) -> tuple[tuple[str, ...], int, str, float]:
    return (row.group, row.query_index, row.distinct or "", float("-inf") if row.value is None else row.value)


class _Part(NamedTuple):
    """What an event brings to one query in one scope."""

    query_index: int
    distinct: tuple[str, ...]
    value: float | None


class _Entry(NamedTuple):
    """An event in the window of a scope. `serial` rises over all windows of a machine."""

    serial: int
    timestamp: int
    event_id: str
    parts: tuple[_Part, ...]


class _Window:
    """The events of one scope within the evaluation window, with each query's value over them."""

    __slots__ = ("entries", "group", "head", "tallies")

    def __init__(self, group: tuple[str, ...], aggregations: Sequence[str]) -> None:
        self.group = group
        self.entries: list[_Entry] = []
        self.head = 0
        self.tallies = [SlidingTally(aggregation) for aggregation in aggregations]

    def enter(self, entry: _Entry, span: int) -> int:
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

    def since(self, serial: int) -> list[_Entry]:
        """The window's entries after this serial."""
        start = len(self.entries)
        while start > self.head and self.entries[start - 1].serial > serial:
            start -= 1
        return self.entries[start:]

    def copy(self) -> "_Window":
        twin = _Window(self.group, ())
        twin.entries = self.entries[self.head :]
        twin.tallies = [tally.copy() for tally in self.tallies]
        return twin


class _Evidence:
    """A signal in the making."""

    def __init__(self, prepared: Plan, opening: _Entry, named: int) -> None:
        self.named = named
        self.opened_by = opening.event_id
        self.timestamp = opening.timestamp
        self.first_seen = opening.timestamp
        self.last_seen = opening.timestamp
        self.last_hit = opening.timestamp
        self.hits = 0
        self.verdicts: list[Verdict] = []
        self.events_matched = 0
        self.tallies = [GrowingTally(query.aggregation) for query in prepared.rule.queries]
        self.groups: dict[tuple[str, ...], None] = {}
        self.first_events: list[EventRef] = []
        self.last_events: list[EventRef] = []
        self.counted: dict[tuple[str, ...], int] = {}
        self.seen: dict[str, int] | None = {} if prepared.kept is not None else None

    def copy(self) -> "_Evidence":
        twin: _Evidence = object.__new__(_Evidence)
        twin.__dict__.update(self.__dict__)
        twin.verdicts = self.verdicts.copy()
        twin.tallies = [tally.copy() for tally in self.tallies]
        twin.groups = self.groups.copy()
        twin.first_events = self.first_events.copy()
        twin.last_events = self.last_events.copy()
        twin.counted = self.counted.copy()
        twin.seen = None if self.seen is None else self.seen.copy()
        return twin

    def take(self, window: _Window) -> None:
        """Take in what lies in the window and was not counted yet."""
        fresh = window.since(self.counted.get(window.group, -1))
        self.counted[window.group] = fresh[-1].serial
        if self.seen is not None:
            self.groups[window.group] = None
        for entry in fresh:
            parts = entry.parts
            if self.seen is not None:
                # Merged scopes may share an event: it counts once, and once for each query.
                known = self.seen.get(entry.event_id)
                parts = tuple(part for part in parts if known is None or not known >> part.query_index & 1)
                mask = known or 0
                for part in parts:
                    mask |= 1 << part.query_index
                self.seen[entry.event_id] = mask
                if known is None:
                    self._name(entry)
            else:
                self._name(entry)
            for part in parts:
                self.tallies[part.query_index].enter(part.distinct, part.value)

    def _name(self, entry: _Entry) -> None:
        self.events_matched += 1
        self.first_seen = min(self.first_seen, entry.timestamp)
        self.last_seen = max(self.last_seen, entry.timestamp)
        ref = EventRef(entry.timestamp, entry.event_id, entry.parts[0].query_index)
        if len(self.first_events) < self.named:
            insort(self.first_events, ref)
        elif ref < self.first_events[-1]:
            insort(self.first_events, ref)
            self.first_events.pop()
        if len(self.last_events) < LAST_EVENTS:
            insort(self.last_events, ref)
        elif ref > self.last_events[0]:
            insort(self.last_events, ref)
            self.last_events.pop(0)

    def closes_at(self, rule: Rule) -> int:
        """The first moment at which a hit would open another signal."""
        first_second = self.first_seen - self.first_seen % 1000
        return min(self.last_hit + rule.keep_alive_ms, first_second + rule.max_signal_duration_ms + 1)

    def decision(self, prepared: Plan, group: tuple[str, ...]) -> Decision:
        queries = tuple(
            QueryEvidence(
                tally.count,
                tally.value,
                len(tally.distinct),
                tuple(text for text, _ in zip(tally.distinct, range(SHOWN_DISTINCT_VALUES), strict=False)),
            )
            for tally in self.tallies
        )
        return Decision(
            group=group,
            opened_by=self.opened_by,
            timestamp=self.timestamp,
            first_seen=self.first_seen,
            last_seen=self.last_seen,
            last_hit=self.last_hit,
            closes_at=self.closes_at(prepared.rule),
            hits=self.hits,
            verdicts=tuple(self.verdicts),
            events_matched=self.events_matched,
            queries=queries,
            groups=tuple(scope for scope, _ in zip(self.groups, range(SHOWN_DISTINCT_VALUES), strict=False)),
            first_events=tuple(self.first_events),
            last_events=tuple(self.last_events),
        )


class Machine:
    """Decides one signal group step by step; O(1) per match, except for "then" conditions, which rescan the window.

    `start` (Unix milliseconds): events before it only fill the windows. A machine that starts where a signal opened,
    with the matches of one window before it, decides as one that saw everything. `named`: so many of a signal's first
    events are named in its decision.
    """

    def __init__(self, prepared: Plan, start: int | None = None, named: int = FIRST_EVENTS) -> None:
        self.plan = prepared
        self.named = named
        self.start = start
        self.position: tuple[int, str] | None = None
        self.entries = 0
        self._serial = 0
        self._windows: dict[tuple[str, ...], _Window] = {}
        self._sweep_at = 64
        self._open: _Evidence | None = None
        self._closed: list[Decision] = []
        self._group: tuple[str, ...] = ()
        self._span = prepared.rule.window_ms
        self._labels = tuple(query.label for query in prepared.rule.queries)
        self._arity = tuple(len(query.group_by_fields) for query in prepared.rule.queries)
        self._aggregations = tuple(query.aggregation for query in prepared.rule.queries)

    def copy(self) -> "Machine":
        twin: Machine = object.__new__(Machine)
        twin.__dict__.update(self.__dict__)
        twin._windows = {group: window.copy() for group, window in self._windows.items()}
        twin._open = self._open.copy() if self._open else None
        twin._closed = self._closed.copy()
        return twin

    def feed(self, rows: Iterable[MatchRow]) -> None:
        """Take matches sorted by (timestamp, event id), later than all before; an event's matches come together.

        Raises `ScopeTooLarge`.
        """
        for position, together in groupby(rows, key=_position):
            self._event(position, list(together))

    def decisions(self) -> list[Decision]:
        """Every signal since the start (or since `forget`), in order; the last may still be window-open."""
        if self._open is None:
            return self._closed.copy()
        return [*self._closed, self._open.decision(self.plan, self._group)]

    def closed(self) -> list[Decision]:
        """The signals that no later match can change."""
        return self._closed.copy()

    def forget(self) -> None:
        """Drop the decisions that are closed; they cannot change by what is fed later."""
        self._closed.clear()

    def _event(self, position: tuple[int, str], rows: list[MatchRow]) -> None:
        self.position = position
        timestamp, event_id = position
        if len(rows) > 1:
            rows = sorted(set(rows), key=_order)
        hits: list[tuple[_Window, _Entry, int, tuple[float | None, ...]]] = []
        for group, of_scope in groupby(rows, key=lambda row: row.group):
            window = self._windows.get(group)
            if window is None:
                window = self._windows[group] = _Window(group, self._aggregations)
            self._serial += 1
            entry = _Entry(self._serial, timestamp, event_id, _parts(of_scope))
            self.entries += window.enter(entry, self._span)
            if self.start is not None and timestamp < self.start:
                continue
            values = self._values(group, window.tallies)
            case_index = self._case(window, values)
            if case_index is not None:
                hits.append((window, entry, case_index, values))
        if hits:
            self._hit(hits)
        if len(self._windows) > self._sweep_at:
            self._sweep(timestamp)
        if self.entries > MAX_ENTRIES:
            raise ScopeTooLarge(
                f"more than {MAX_ENTRIES} matches lie in one evaluation window of the group {list(rows[0].group)}; "
                "narrow the query, group by more fields or shorten the window"
            )

    def _values(self, group: tuple[str, ...], tallies: Sequence[SlidingTally]) -> tuple[float | None, ...]:
        width = len(group)
        return tuple(tally.value if arity == width else None for tally, arity in zip(tallies, self._arity, strict=True))

    def _case(self, window: _Window, values: tuple[float | None, ...]) -> int | None:
        named = dict(zip(self._labels, values, strict=True))
        for index, condition in enumerate(self.plan.conditions):
            if self._holds_in_order(condition, window) if condition.is_sequence else condition.holds(named):
                return index
        return None

    def _holds_in_order(self, condition: Condition, window: _Window) -> bool:
        """Each stage of a "then" counts only events later than the moment at which the one before became true."""
        entries = iter(window.entries[window.head :])
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

    def _hit(self, hits: list[tuple[_Window, _Entry, int, tuple[float | None, ...]]]) -> None:
        severities = self.plan.severities
        window, entry, case_index, values = max(hits, key=lambda hit: (severities[hit[2]], -hit[2]))
        timestamp = entry.timestamp
        if self._open is not None and timestamp >= self._open.closes_at(self.plan.rule):
            self._closed.append(self._open.decision(self.plan, self._group))
            self._open = None
        if self._open is None:
            self._group = self.plan.signal_group(window.group)
            self._open = _Evidence(self.plan, entry, self.named)
        signal = self._open
        signal.hits += 1
        signal.last_hit = timestamp
        for hit_window, *_ in hits:
            signal.take(hit_window)
        if not signal.verdicts or severities[case_index] > severities[signal.verdicts[-1].case_index]:
            events = len(window.entries) - window.head
            verdict = Verdict(case_index, timestamp, entry.event_id, window.group, values, events)
            signal.verdicts.append(verdict)

    def _sweep(self, timestamp: int) -> None:
        horizon = timestamp - self._span
        for group, window in list(self._windows.items()):
            if window.entries[-1].timestamp <= horizon:
                self.entries -= len(window.entries) - window.head
                del self._windows[group]
        self._sweep_at = max(64, 2 * len(self._windows))


def _parts(rows: Iterable[MatchRow]) -> tuple[_Part, ...]:
    """One part for each query that the event met in a scope; an event has one metric, the first if rows differ."""
    parts = []
    for query_index, of_query in groupby(rows, key=lambda row: row.query_index):
        met = list(of_query)
        distinct = tuple(dict.fromkeys(row.distinct for row in met if row.distinct is not None))
        parts.append(_Part(query_index, distinct, next((row.value for row in met if row.value is not None), None)))
    return tuple(parts)
