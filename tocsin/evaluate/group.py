"""One signal group under evaluation, kept in memory so that the next matches cost what they are, not what was before.

Only a cache: it can be dropped at any time and is rebuilt from the stored matches. Matches of the last seconds stay
in a tail that can be decided anew, so that small disorder, the normal case, needs no rebuilding: one machine stands
before the tail, one shortly before its end, and one has seen everything.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from typing import NamedTuple

from tocsin.evaluate.correlation import UNMATCHED, Matched
from tocsin.evaluate.decision import Decision, MatchRow, position
from tocsin.evaluate.evidence import LAST_EVENTS
from tocsin.evaluate.history import HistoryRow
from tocsin.evaluate.interface import Learner, Machine
from tocsin.evaluate.method import FIRST_EVENTS, Plan
from tocsin.evaluate.repository import GroupKey
from tocsin.rule import SEVERITIES

TAIL_MS = 10_000
"""Disorder in event time that is met from memory."""

NEAR_MS = 1_500
"""Disorder that costs only this much of the tail: what several senders at once bring about in every step."""

SHARED = 8
"""Matches in copies of a machine take the memory of one."""

FEW = 16
FEW_ENTRIES = 1_000
"""A group with no more in its tail, and no more before it, keeps no copies: most groups are so."""

RESTING_TAIL = 8
"""Matches in the tail of a group that rests before the oldest are settled, once they are half of it."""

MAX_TAIL = 4_000
"""Matches in the tail; beyond that the older half is settled."""


class StoredSignal(NamedTuple):
    """A signal as it stands in the store. Times in Unix milliseconds.

    `is_hidden`: by a suppression, so that nobody sees it but in the track `suppressed`. `hidden_update`: the signal is
    shown, but what joined it since is hidden. `matched`: what rules over signals find in it.
    """

    id: str
    timestamp: int
    closes_at: int
    revision: str
    row_version: int
    discovered_at: int
    is_hidden: bool = False
    hidden_update: "StoredSignal | None" = None
    matched: Matched = UNMATCHED


_NEVER = range(0)


@dataclass(slots=True)
class Outcome:
    """What was decided about a group: every signal from some moment on, of which `changed` are not known to be stored.

    `known` are the stored signals of the same span by id: those that are not decided again are superseded. Who stores
    the outcome leaves in it what is stored then. `is_growth`: nothing but further events joined signals that are
    stored, which may wait for a moment.
    """

    key: GroupKey
    plan: Plan
    decisions: list[Decision]
    changed: list[Decision]
    known: dict[str, StoredSignal] = field(default_factory=dict)
    is_growth: bool = False


class Group:
    """`restart` (Unix milliseconds): signals are decided from there on, earlier matches only fill the windows."""

    def __init__(self, key: GroupKey, plan: Plan, restart: int, known: dict[str, StoredSignal]) -> None:
        self.key = key
        self.plan = plan
        self.restart = restart
        self.known = known
        self._machine = plan.machine(restart)
        self._tail: list[MatchRow] = []
        self._near: tuple[Machine, int] | None = None  # has also seen so many matches of the tail
        self._ahead: tuple[Machine, int] | None = None
        self._previous: dict[str, Decision] = {}
        self._is_retold = False
        self._forgotten_to = restart
        self._grows = _NEVER
        self._awaited = 0

    @property
    def size(self) -> int:
        """Matches held in memory, about. Copies of a machine share what it holds, and have lists of their own."""
        copies = sum(seen[0].entries for seen in (self._near, self._ahead) if seen)
        return self._machine.entries + copies // SHARED + len(self._tail) + 10

    @property
    def quiet_after(self) -> int:
        """Events later than this moment are decided as if there had been none: all before have left the windows, and
        the signals are closed. Of a group whose outcome is stored."""
        if self._tail:
            last = self._tail[-1].timestamp
        else:
            last = self.restart if self._machine.position is None else self._machine.position[0]
        # `_forgotten_to` is when the signals closed that are forgotten here.
        closing = (decision.closes_at for decision in self._previous.values())
        return max(last + self.plan.lookback_ms, self._forgotten_to, *closing)

    @property
    def named(self) -> int:
        """Events that its signals named last, about."""
        return sum(len(decision.first_events) for decision in self._previous.values())

    def remember(self, history: Iterable[HistoryRow]) -> None:
        """What was before `Plan.exact_since(restart)`, once, before `load`; only for a plan that has a history."""
        if not isinstance(self._machine, Learner):
            raise TypeError(f"the method of rule {self.key.rule_id} takes no history")
        self._machine.remember(history)

    def load(self, rows: Iterable[MatchRow]) -> None:
        """Matches from the store, in event time, after those loaded before."""
        self._near = self._ahead = None
        self._tail.extend(rows)
        if len(self._tail) > MAX_TAIL:
            self._machine.feed(self._cut())

    def add(self, rows: Iterable[MatchRow]) -> bool:
        """New matches in any order; False (and nothing added) if some are older than what is settled here."""
        rows = list(rows)
        if self._follow(rows):
            self._tail += rows
            return True
        earliest = min((row.timestamp, row.event_id) for row in rows)
        settled = self._machine.position
        if earliest[0] < self.restart or (settled is not None and earliest <= settled):
            return False
        index = bisect_left(self._tail, earliest, key=position)
        self._tail[index:] = sorted(dict.fromkeys([*self._tail[index:], *rows]), key=position)
        self._near = _unless_past(self._near, index)
        self._ahead = _unless_past(self._ahead, index)
        return True

    def _follow(self, rows: Sequence[MatchRow]) -> bool:
        """Whether each of these is of an event later than all before, as most are: so none of them is there already."""
        if not self._tail:
            return False
        last = self._tail[-1]
        at, event_id = last.timestamp, last.event_id
        for row in rows:
            if row.timestamp < at or (row.timestamp == at and row.event_id <= event_id):
                return False
            at, event_id = row.timestamp, row.event_id
        return True

    def only_grows(self, rows: Iterable[MatchRow]) -> bool:
        """Whether these matches, which were added, can do no more than join the signal that is open and stored: it may
        rest with them until it is refreshed. They neither open another, nor raise a severity, nor change what was."""
        return all(row.timestamp in self._grows for row in rows)

    def awaited(self, rows: Sequence[MatchRow]) -> Iterable[MatchRow]:
        """Those of these matches, which were added, whose events its signals name when they are stored next, about: the
        first ones, as long as there are few, and the last."""
        room = max(0, FIRST_EVENTS - self.named - self._awaited)
        self._awaited += len(rows)
        if len(rows) <= room + LAST_EVENTS:
            return rows
        return [*rows[:room], *nlargest(LAST_EVENTS, rows[room:], key=position)]

    def rest(self) -> None:
        """Settle what is old enough though it is not decided, so that the tail stays short, and hold no more than that.
        Raises `ScopeTooLarge`."""
        self._near = self._ahead = None
        # What is settled must lie in the signal as it is stored: whoever reads the group again begins with that.
        tail = self._tail
        if (
            len(tail) > RESTING_TAIL
            and tail[-1].timestamp in self._grows
            and tail[len(tail) // 2].timestamp < tail[-1].timestamp - TAIL_MS
        ):
            self._settle()

    def holds(self, moment: int) -> bool:
        """Whether all signals are known here that an event of a moment can be in: none before was settled."""
        return moment >= self._forgotten_to

    def retell(self) -> bool:
        """What is in its signals says more of itself: they are to be shown anew with the next outcome. False if it has
        none."""
        self._is_retold = bool(self._previous)
        return self._is_retold

    def outcome(self) -> Outcome:
        """Decide everything that is there. Raises `ScopeTooLarge`."""
        decisions = self._decided().decisions()
        before = {} if self._is_retold else self._previous
        changed = [decision for decision in decisions if before.get(decision.opened_by) != decision]
        return Outcome(self.key, self.plan, decisions, changed, dict(self.known), self._only_grew(decisions))

    def _decided(self) -> Machine:
        """A machine that has seen everything. Matches cost what they are, not the tail once more."""
        if not self._tail:
            return self._machine
        if self._ahead is None and self._has_little:
            twin = self._machine.copy()
            twin.feed(self._tail)
            return twin
        if self._ahead is None:
            near, seen = self._near or (self._machine.copy(), 0)
            index = max(seen, self._index(self._tail[-1].timestamp - NEAR_MS))
            near.feed(self._tail[seen:index])
            self._near = (near, index)
            self._ahead = (near.copy(), index)
        ahead, seen = self._ahead
        ahead.feed(self._tail[seen:])
        self._ahead = (ahead, len(self._tail))
        return ahead

    @property
    def _has_little(self) -> bool:
        return len(self._tail) <= FEW and self._machine.entries <= FEW_ENTRIES

    def _only_grew(self, decisions: Sequence[Decision]) -> bool:
        """There are signals, those that were stored, each with the verdicts that it had."""
        if not decisions or len(decisions) != len(self._previous) or len(decisions) != len(self.known):
            return False
        before = (self._previous.get(decision.opened_by) for decision in decisions)
        return all(old is not None and old.verdicts == new.verdicts for old, new in zip(before, decisions, strict=True))

    def accept(self, outcome: Outcome, ids: dict[str, str]) -> None:
        """The outcome is stored; `ids` maps opening events to the ids of their signals. Settles what is old enough."""
        self._is_retold = False
        self._awaited = 0
        self._settle()
        if self._has_little:
            self._near = self._ahead = None
        closed = self._machine.closed()
        self._forgotten_to = max([self._forgotten_to, *(decision.closes_at for decision in closed)])
        settled = {decision.opened_by for decision in closed}
        self._machine.forget()
        if settled:
            self._near = self._ahead = None  # they still hold what is settled and forgotten here
        open_still = [decision for decision in outcome.decisions if decision.opened_by not in settled]
        self._previous = {decision.opened_by: decision for decision in open_still}
        known = (outcome.known.get(ids[opened_by]) for opened_by in self._previous)
        self.known = {signal.id: signal for signal in known if signal is not None}
        self._grows = _NEVER if self.plan.overlaps or len(self.known) < len(self._previous) else self._growing()

    def _growing(self) -> range:
        """The moments of matches that can only join the last signal: after what decided its severity, which no case can
        raise, and before it can close, even if its first event were older by a window than is known."""
        if not self._previous:
            return _NEVER
        last, rule = list(self._previous.values())[-1], self.plan.rule
        severities = [SEVERITIES.index(case.severity) for case in rule.cases]
        if severities[last.verdict.case_index] < max(severities):
            return _NEVER
        closes_at = last.timestamp - rule.window_ms - 1000 + rule.max_signal_duration_ms
        return range(last.verdict.timestamp + 1, min(last.closes_at, closes_at))

    def _settle(self) -> None:
        old = self._cut()
        self._machine.feed(old)
        self._near, self._ahead = _less(self._near, len(old)), _less(self._ahead, len(old))

    def _cut(self) -> list[MatchRow]:
        """Take what can be settled from the front of the tail, never part of an event."""
        if not self._tail:
            return []
        horizon = self._tail[-1].timestamp - TAIL_MS
        if len(self._tail) > MAX_TAIL:
            horizon = max(horizon, self._tail[-MAX_TAIL // 2].timestamp)
        cut = self._index(horizon)
        old, self._tail = self._tail[:cut], self._tail[cut:]
        return old

    def _index(self, moment: int) -> int:
        """How many matches of the tail are older than a moment; never part of an event."""
        return bisect_left(self._tail, moment, key=lambda row: row.timestamp)


def _unless_past(seen: tuple[Machine, int] | None, index: int) -> tuple[Machine, int] | None:
    """None for a machine that has seen more of the tail than so many matches."""
    return seen if seen is not None and seen[1] <= index else None


def _less(seen: tuple[Machine, int] | None, cut: int) -> tuple[Machine, int] | None:
    """A machine after so many matches were cut from the front of the tail; None if it has not seen them all."""
    return (seen[0], seen[1] - cut) if seen is not None and seen[1] >= cut else None
