"""The new value method: a value, or tuple of values, that a scope has not had before (siem.md §2.14).

What the words mean here (decision 0081):

- A scope, and each query in it, remembers the values it has seen, each until it was not seen for `forgetAfter`. An
  event with a value that is not remembered is a *hit*, unless the scope is learning; either way the value is then
  remembered. An event may have several values; those that are new make one hit.
- A scope is *known since* the first of its events, counted anew after a silence of 30 days. It learns for
  `learningDuration` days from there; with a duration of 0, and with a threshold of 1, from that first event only; with
  a threshold of 0 not at all. Without `learnPerGroup` all scopes learn together, from when the rule was saved on.
- The events of a signal are the hits; what was no news is no evidence.
- Matches of earlier versions of the rule with the same queries count as seen, and never open a signal (decision 0080).

So what is decided at a moment needs the `learningDuration + 30` days before it, of these only when each value was last
seen and on which days there was anything at all: that is the history (`history`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import chain, groupby, islice
from typing import Self

from tocsin.errors import BadRequest
from tocsin.evaluate import history
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.evidence import Entry, Part
from tocsin.evaluate.history import DAY_MS, HistoryRow, HistoryShape
from tocsin.evaluate.machine import EventMachine
from tocsin.evaluate.memories import Memories, Memory
from tocsin.evaluate.method import FIRST_EVENTS, MAX_ENTRIES, Plan, ScopeTooLarge, kept_positions
from tocsin.evaluate.refs import packed
from tocsin.evaluate.window import row_order
from tocsin.event import Json
from tocsin.match.texts import SEPARATOR
from tocsin.rule import Rule

MAX_METRICS = 5

MEMORY_MS = 30 * DAY_MS
"""A scope that was silent for so long is a new one."""

DEFAULT_LEARNING_DAYS = 1

TOLD_KNOWN = 100
"""A signal says how many values were known, up to here."""

TOLD_RECENT = 10


@dataclass(frozen=True)
class NewValuePlan(Plan):
    """Times in milliseconds. `learning_ms` is 0 where only a scope's first event teaches, None where not even that.

    `began_at`: when all scopes began to learn together; None: each by itself.
    """

    forget_ms: int
    learning_ms: int | None
    is_instant: bool = False
    began_at: int | None = None

    @property
    def lookback_ms(self) -> int:
        return MEMORY_MS + (self.learning_ms or 0)

    @property
    def history(self) -> HistoryShape:
        return HistoryShape(DAY_MS, by_value=True)

    def exact_since(self, start: int) -> int:
        return start

    @property
    def baseline(self) -> str:
        return history.baseline(self.rule)

    @property
    def has_instant_baseline(self) -> bool:
        return self.is_instant

    def learning_since(self, began_at: int) -> "NewValuePlan":
        if self.began_at is None or self.learning_ms is None:
            return self
        return replace(self, began_at=began_at - self.learning_ms if self.is_instant else began_at)

    def machine(self, start: int | None = None, named: int = FIRST_EVENTS) -> "NewValueMachine":
        return NewValueMachine(self, start, named)


def plan(rule: Rule) -> NewValuePlan:
    """Read a rule's `newValueOptions`; raises `BadRequest` for what this method cannot decide."""
    for query in rule.queries:
        if query.aggregation != "new_value" or not 1 <= len(query.metrics) <= MAX_METRICS:
            reason = f"query '{query.label}' has the aggregation '{query.aggregation}' and {len(query.metrics)} metrics"
            raise BadRequest(f"{reason}; new value rules need the aggregation new_value and 1 to {MAX_METRICS} metrics")
    if len(rule.cases) != 1:
        raise BadRequest(f"{len(rule.cases)} cases given; new value rules have exactly one")
    options = rule.options.method_options.get("newValueOptions") or {}
    if options.get("forgetAfter") is None:
        raise BadRequest("newValueOptions.forgetAfter is missing; give 1 to 30 days")
    learning_ms: int | None
    if options.get("learningMethod") == "threshold":
        learning_ms = 0 if options.get("learningThreshold") else None
    else:
        days = options.get("learningDuration")
        learning_ms = (DEFAULT_LEARNING_DAYS if days is None else days) * DAY_MS
    is_joint = options.get("learnPerGroup") is False
    return NewValuePlan(
        rule,
        kept_positions(rule),
        forget_ms=options["forgetAfter"] * DAY_MS,
        learning_ms=learning_ms,
        is_instant=bool(options.get("instantaneousBaseline")),
        began_at=0 if is_joint and learning_ms else None,
    ).learning_since(rule.updated_at)


class _Memory(Memory):
    """The values of one query in one scope, each with when it was last seen.

    `settled` is shared between copies and never changed; what is newer than it stands in `recent`.
    """

    __slots__ = ("count", "recent", "settled")

    silence_ms = MEMORY_MS

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.settled: dict[str, int] = {}
        self.recent: dict[str, int] = {}

    def copy(self) -> "_Memory":
        twin = _Memory()
        twin.count, twin.first, twin.last = self.count, self.first, self.last
        twin.settled = self.settled
        twin.recent = self.recent.copy()
        return twin

    def learn(self, text: str, seen: int) -> bool:
        """True if the value was not there."""
        is_new = text not in self.recent and text not in self.settled
        self.count += is_new
        self.recent[text] = seen
        return is_new

    def last_seen(self, text: str) -> int | None:
        seen = self.recent.get(text)
        return self.settled.get(text) if seen is None else seen

    def known(self, horizon: int) -> list[tuple[str, int]]:
        """Values seen after the horizon, in no order; all, or one more than are told."""
        older = ((text, seen) for text, seen in self.settled.items() if text not in self.recent)
        known = ((text, seen) for text, seen in chain(self.recent.items(), older) if seen > horizon)
        return list(islice(known, TOLD_KNOWN + 1))

    def settle(self, horizon: int) -> None:
        """Forget what was last seen up to the horizon, and join what is recent with the rest."""
        joined = {**self.settled, **self.recent}
        self.settled = {text: seen for text, seen in joined.items() if seen > horizon}
        self.recent = {}
        self.count = len(self.settled)


class NewValueMachine(EventMachine):
    """O(1) per match. `start` (Unix milliseconds): events before it only teach.

    `watch_learning` and `watch_news` are told what was learned at a moment, and what was looked up (`nearest.py`).
    """

    def __init__(self, prepared: NewValuePlan, start: int | None, named: int) -> None:
        super().__init__(prepared, start, named)
        self.plan = prepared
        self.watch_learning: Callable[[_Memory, int], None] | None = None
        self.watch_news: Callable[[_Memory, list[MatchRow], tuple[str, ...]], None] | None = None
        self._memories = Memories(_Memory)
        self._settle_at = 1_000

    def copy(self) -> Self:
        for memory in self._memories.all():
            if len(memory.recent) > 64 and len(memory.recent) * 8 > len(memory.settled):
                self._settle(memory)
        twin = super().copy()
        twin._settle_at = self._settle_at
        twin._memories = self._memories.copy()
        return twin

    def remember(self, history: Iterable[HistoryRow]) -> None:
        self._memories.remember(history, self._learn)

    def _event(self, at: tuple[int, str], rows: list[MatchRow]) -> None:
        timestamp, event_id = at
        if len(rows) > 1:
            rows = sorted(set(rows), key=row_order)
        scopes: dict[tuple[str, ...], None] = {}
        news: dict[int, dict[str, None]] = {}
        facts: dict[str, Json] | None = None
        for group, of_scope in groupby(rows, key=lambda row: row.group):
            for query_index, of_query in groupby(of_scope, key=lambda row: row.query_index):
                met = [row for row in of_query if row.distinct is not None]
                memory = self._memories.of(group, query_index)
                is_first = memory.see(timestamp, timestamp)
                new: tuple[str, ...] = ()
                if not self._is_learning(memory, timestamp, is_first):
                    new = self._new(memory, timestamp, met)
                    if self.watch_news is not None:
                        self.watch_news(memory, met, new)
                elif self.watch_learning is not None:
                    self.watch_learning(memory, timestamp)
                if new:
                    scopes[group] = None
                    news.setdefault(query_index, {}).update(dict.fromkeys(new))
                    if facts is None and self._life.opens_at(timestamp):
                        facts = self._facts(memory, timestamp, query_index, new)
                for row in met:
                    self._learn(memory, row.distinct or "", timestamp)
        if scopes:
            self._serial += 1
            parts = tuple(Part(query_index, tuple(new), None) for query_index, new in sorted(news.items()))
            self._hit(list(scopes), Entry(self._serial, timestamp, packed(event_id), parts), facts)
        if self.entries > self._settle_at:
            self._forget_old(timestamp, rows)

    def _new(self, memory: _Memory, timestamp: int, met: list[MatchRow]) -> tuple[str, ...]:
        """The values that make this event a hit."""
        horizon = timestamp - self.plan.forget_ms
        new = []
        for row in met:
            seen = memory.last_seen(row.distinct or "")
            if not row.is_history and (seen is None or seen <= horizon):
                new.append(row.distinct or "")
        return tuple(dict.fromkeys(new))

    def _is_learning(self, memory: _Memory, timestamp: int, is_first: bool) -> bool:
        """`memory` has seen the event already, but not its values; `is_first`: the scope is new with it."""
        if self.start is not None and timestamp < self.start:
            return True
        learning = self.plan.learning_ms
        if learning is None:
            return False
        if self.plan.began_at is not None:
            return timestamp < self.plan.began_at + learning
        if learning == 0:
            return is_first
        return timestamp < memory.first + learning

    def _facts(self, memory: _Memory, timestamp: int, query_index: int, new: tuple[str, ...]) -> dict[str, Json]:
        known = memory.known(timestamp - self.plan.forget_ms)
        facts: dict[str, Json] = {
            "fields": list(self.plan.rule.queries[query_index].metrics),
            "values": [_shown(text) for text in new],
            "known_values": min(len(known), TOLD_KNOWN),
        }
        if len(known) <= TOLD_KNOWN:
            latest = sorted(known, key=lambda value: (-value[1], value[0]))[:TOLD_RECENT]
            facts["recent_values"] = [_shown(text) for text, _ in latest]
        return {"new_value": facts}

    def _hit(self, scopes: list[tuple[str, ...]], entry: Entry, facts: dict[str, Json] | None) -> None:
        """`entry` has the values that are new in any of the scopes."""
        counts = {part.query_index: float(len(part.distinct)) for part in entry.parts}
        values = tuple(counts.get(index, 0.0) for index in range(len(self.plan.rule.queries)))
        signal, _ = self._life.hit(entry, scopes[0], 0, values, 1, facts)
        for scope in scopes:
            signal.take(scope, [entry])

    def _learn(self, memory: _Memory, text: str, seen: int) -> None:
        self.entries += memory.learn(text, seen)

    def _settle(self, memory: _Memory) -> None:
        self.entries -= memory.count
        memory.settle((memory.last or 0) - self.plan.forget_ms)
        self.entries += memory.count

    def _forget_old(self, timestamp: int, rows: list[MatchRow]) -> None:
        for memory in self._memories.drop_silent(timestamp):
            self.entries -= memory.count
        for memory in self._memories.all():
            self._settle(memory)
        self._settle_at = max(1_000, 2 * self.entries)
        if self.entries > MAX_ENTRIES:
            raise ScopeTooLarge(
                f"the group {list(rows[0].group)} has more than {MAX_ENTRIES} values within the time that they are "
                "remembered; narrow the query, group by more fields or shorten forgetAfter"
            )


def _shown(text: str) -> str:
    return text.replace(SEPARATOR, ", ")
