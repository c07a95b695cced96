"""A signal in the making, whatever the method: it opens at a hit, takes in events, and closes (siem.md §2.10).

A *hit* is an event at which a case of the rule holds. A hit opens a signal unless one is open. A signal closes
`keepAlive` after its last hit, or when a hit comes later than `maxSignalDuration` after first_seen; keepAlive 0 closes
at once, so that each hit is a signal of its own. Severity only rises: of the cases hit, the most severe decides, the
earliest of equals.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tocsin.evaluate.aggregates import SHOWN_DISTINCT_VALUES, GrowingTally
from tocsin.evaluate.decision import Decision, QueryEvidence, Verdict
from tocsin.evaluate.method import Plan
from tocsin.evaluate.refs import Identity, Naming, unpacked
from tocsin.event import Json
from tocsin.rule import SEVERITIES

LAST_EVENTS = 10


class Part(NamedTuple):
    """What an event brings to one query in one scope."""

    query_index: int
    distinct: tuple[str, ...]
    value: float | None


class Entry:
    """An event in the window of a scope. `serial` rises over all windows of a machine; never changed."""

    __slots__ = ("identity", "parts", "serial", "timestamp")

    def __init__(self, serial: int, timestamp: int, identity: Identity, parts: tuple[Part, ...]) -> None:
        self.serial = serial
        self.timestamp = timestamp
        self.identity = identity
        self.parts = parts

    @property
    def event_id(self) -> str:
        return unpacked(self.identity)


class Evidence:
    """A signal in the making."""

    __slots__ = (
        "_keep_alive_ms",
        "_longest_ms",
        "_opening",
        "_plan",
        "_window_ms",
        "events_matched",
        "facts",
        "first_events",
        "first_seen",
        "groups",
        "hits",
        "last_events",
        "last_hit",
        "last_seen",
        "named",
        "opened_by",
        "seen",
        "tallies",
        "timestamp",
        "verdicts",
    )

    def __init__(self, prepared: Plan, opening: Entry, named: int) -> None:
        self._plan = prepared
        self._opening = opening
        self.named = named
        self.opened_by = opening.event_id
        rule = prepared.rule
        self._window_ms = rule.window_ms
        self._keep_alive_ms = rule.keep_alive_ms
        self._longest_ms = rule.max_signal_duration_ms
        self.timestamp = opening.timestamp
        self.first_seen = opening.timestamp
        self.last_seen = opening.timestamp
        self.last_hit = opening.timestamp
        self.hits = 0
        self.verdicts: list[Verdict] = []
        self.events_matched = 0
        self.tallies = [GrowingTally(query.aggregation) for query in prepared.rule.queries]
        self.groups: dict[tuple[str, ...], None] = {}
        self.first_events = Naming(named, first=True)
        self.last_events = Naming(LAST_EVENTS, first=False)
        self.facts: Mapping[str, Json] = {}
        self.seen: dict[Identity, int] | None = {} if prepared.kept is not None else None

    def copy(self) -> "Evidence":
        twin = Evidence(self._plan, self._opening, self.named)
        twin.first_seen = self.first_seen
        twin.last_seen = self.last_seen
        twin.last_hit = self.last_hit
        twin.hits = self.hits
        twin.verdicts = self.verdicts.copy()
        twin.events_matched = self.events_matched
        twin.tallies = [tally.copy() for tally in self.tallies]
        twin.groups = self.groups.copy()
        twin.first_events = self.first_events.copy()
        twin.last_events = self.last_events.copy()
        twin.facts = self.facts
        twin.seen = None if self.seen is None else self.seen.copy()
        return twin

    def take(self, group: tuple[str, ...], fresh: Iterable[Entry]) -> None:
        """Take in events of a scope, each once; where scopes are merged, what another has brought is not counted
        again."""
        if self.seen is not None:
            self.groups[group] = None
        for entry in fresh:
            parts = entry.parts
            if self.seen is not None:
                # Merged scopes may share an event: it counts once, and once for each query.
                known = self.seen.get(entry.identity)
                parts = tuple(part for part in parts if known is None or not known >> part.query_index & 1)
                mask = known or 0
                for part in parts:
                    mask |= 1 << part.query_index
                self.seen[entry.identity] = mask
                if known is None:
                    self._name(entry)
            else:
                self._name(entry)
            for part in parts:
                self.tallies[part.query_index].enter(part.distinct, part.value)

    def _name(self, entry: Entry) -> None:
        self.events_matched += 1
        self.first_seen = min(self.first_seen, entry.timestamp)
        self.last_seen = max(self.last_seen, entry.timestamp)
        query_index = entry.parts[0].query_index
        self.first_events.add(entry.timestamp, entry.identity, query_index)
        self.last_events.add(entry.timestamp, entry.identity, query_index)

    def closes_at(self) -> int:
        """The first moment at which a hit would open another signal.

        Evidence may be older than the window (the first of two locations, the first step of a sequence); the duration
        of a signal does not count it.
        """
        began = max(self.first_seen, self.timestamp - self._window_ms)
        first_second = began - began % 1000
        return min(self.last_hit + self._keep_alive_ms, first_second + self._longest_ms + 1)

    def decision(self, group: tuple[str, ...]) -> Decision:
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
            closes_at=self.closes_at(),
            hits=self.hits,
            verdicts=tuple(self.verdicts),
            events_matched=self.events_matched,
            queries=queries,
            groups=tuple(scope for scope, _ in zip(self.groups, range(SHOWN_DISTINCT_VALUES), strict=False)),
            first_events=self.first_events.refs(),
            last_events=self.last_events.refs(),
            facts=self.facts,
        )


class Life:
    """The signals of one signal group, one after the other."""

    __slots__ = ("_closed", "_group", "_named", "_plan", "_severities", "open")

    def __init__(self, prepared: Plan, named: int) -> None:
        self.open: Evidence | None = None
        self._plan = prepared
        self._named = named
        self._severities = tuple(SEVERITIES.index(case.severity) for case in prepared.rule.cases)
        self._group: tuple[str, ...] = ()
        self._closed: list[Decision] = []

    def copy(self) -> "Life":
        twin = Life(self._plan, self._named)
        twin._group = self._group
        twin.open = self.open.copy() if self.open else None
        twin._closed = self._closed.copy()
        return twin

    def is_more_severe(self, case_index: int, than: int) -> bool:
        return self._severities[case_index] > self._severities[than]

    def opens_at(self, timestamp: int) -> bool:
        """Whether a hit at this moment opens a signal."""
        return self.open is None or timestamp >= self.open.closes_at()

    def is_decided_at(self, timestamp: int, case_index: int) -> bool:
        """Whether a hit of this case opens a signal then, or raises the severity of the open one."""
        if self.open is None or self.opens_at(timestamp):
            return True
        return self.is_more_severe(case_index, self.open.verdicts[-1].case_index)

    def hit(
        self,
        entry: Entry,
        group: tuple[str, ...],
        case_index: int,
        values: tuple[float | None, ...],
        window_events: int,
        facts: Mapping[str, Json] | None = None,
    ) -> tuple[Evidence, bool]:
        """A case holds at an event: the signal that is open afterwards, and whether it is a new one.

        The caller gives it its events by `take`. `facts` of the opening hit, and of each that raises the severity,
        are shown on the signal.
        """
        is_new = False
        if self.open is not None and entry.timestamp >= self.open.closes_at():
            self._closed.append(self.open.decision(self._group))
            self.open = None
        if self.open is None:
            is_new = True
            self._group = self._plan.signal_group(group)
            self.open = Evidence(self._plan, entry, self._named)
        signal = self.open
        signal.hits += 1
        signal.last_hit = entry.timestamp
        if not signal.verdicts or self.is_more_severe(case_index, signal.verdicts[-1].case_index):
            signal.verdicts.append(Verdict(case_index, entry.timestamp, entry.event_id, group, values, window_events))
            if facts is not None:
                signal.facts = facts
        return signal, is_new

    def decisions(self) -> list[Decision]:
        if self.open is None:
            return self._closed.copy()
        return [*self._closed, self.open.decision(self._group)]

    def closed(self) -> list[Decision]:
        return self._closed.copy()

    def forget(self) -> None:
        self._closed.clear()
