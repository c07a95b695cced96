"""The content-anomaly method: logs whose words are unlike those of the past (siem.md §2.16).

Pure, as every method. What the words mean here (decision 0085):

- The *content* of a log are the values of its query's `metrics`. A log without any is seen, but not compared.
- A log is compared with the *remembered* ones: those of the same query and scope, earlier in event time (ties in the
  order of event ids), not older than `forgetAfter`. It is *anomalous* if fewer than `similarItemsThreshold` of them are
  at least `similarityThreshold` percent alike. Anomalous or not, it is remembered itself.
- A query *learns* each scope for `learningDuration` from its first log on; nothing is anomalous meanwhile. A scope that
  was silent for ten days is new.
- The cases count the anomalous logs of a query in the evaluation window, and a signal lives, as in `threshold`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from tocsin.errors import BadRequest
from tocsin.evaluate import threshold
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.evidence import Entry
from tocsin.evaluate.history import DAY_MS, HistoryRow, HistoryShape
from tocsin.evaluate.memories import Memories, Memory
from tocsin.evaluate.method import FIRST_EVENTS, MAX_ENTRIES, ScopeTooLarge
from tocsin.evaluate.similarity import Remembered, Words, nearest, words
from tocsin.evaluate.threshold import ThresholdMachine, ThresholdPlan
from tocsin.evaluate.window import row_order
from tocsin.event import Json
from tocsin.rule import Rule

RETENTION_MS = 10 * DAY_MS

DEFAULT_LEARNING_DAYS = 7
DEFAULT_FORGET_DAYS = 7
DEFAULT_SIMILARITY = 70
DEFAULT_SIMILAR_ITEMS = 1

TOLD_WORDS = 20

COMPARED = 20_000
"""A signal says how near the nearest content was if no more different ones are remembered: 20 ms."""


@dataclass(frozen=True)
class ContentAnomalyPlan(ThresholdPlan):
    """`similarity` in percent."""

    learning_ms: int
    forget_ms: int
    similarity: int
    similar_items: int

    @property
    def lookback_ms(self) -> int:
        return self.rule.window_ms + max(self.forget_ms, self.learning_ms + RETENTION_MS)

    @property
    def history(self) -> HistoryShape | None:
        # A sum knows when a content came last, not how often since a moment.
        return HistoryShape(DAY_MS, by_value=True) if self.similar_items == 1 else None

    @property
    def has_window_before(self) -> bool:
        return False  # it learns first

    @property
    def asks_at_ends(self) -> bool:
        return False  # its windows hold what is anomalous: that nothing is, is no news

    def exact_since(self, start: int) -> int:
        return start - (self.rule.window_ms if self.similar_items == 1 else self.lookback_ms)

    def machine(self, start: int | None = None, named: int = FIRST_EVENTS) -> "ContentAnomalyMachine":
        return ContentAnomalyMachine(self, start, named)


def plan(rule: Rule) -> ContentAnomalyPlan:
    """Read a rule's conditions and `contentAnomalyOptions`; raises `BadRequest` for what this method cannot decide."""
    counted = threshold.plan(rule)
    for query in rule.queries:
        if query.aggregation != "count" or not query.metrics:
            raise BadRequest(
                f"query '{query.label}' needs the aggregation 'count' and metrics: the fields whose content is compared"
            )
    options: Mapping[str, Any] = rule.options.method_options.get("contentAnomalyOptions") or {}
    return ContentAnomalyPlan(
        counted.rule,
        counted.kept,
        counted.conditions,
        counted.severities,
        learning_ms=(options.get("learningDuration") or DEFAULT_LEARNING_DAYS) * DAY_MS,
        forget_ms=(options.get("forgetAfter") or DEFAULT_FORGET_DAYS) * DAY_MS,
        similarity=options.get("similarityThreshold") or DEFAULT_SIMILARITY,
        similar_items=options.get("similarItemsThreshold") or DEFAULT_SIMILAR_ITEMS,
    )


class _Memory(Memory):
    """The contents that one query remembers of one scope."""

    __slots__ = ("contents",)

    silence_ms = RETENTION_MS

    def __init__(self, contents: Remembered) -> None:
        super().__init__()
        self.contents = contents

    def copy(self) -> "_Memory":
        twin = _Memory(self.contents.copy())
        twin.first, twin.last = self.first, self.last
        return twin


class ContentAnomalyMachine(ThresholdMachine):
    """The threshold machine, fed with the logs that are anomalous.

    `watch_similar` is told how many a log was like, `watch_learned` what took one in and when (`nearest.py`).
    """

    def __init__(self, prepared: ContentAnomalyPlan, start: int | None, named: int) -> None:
        super().__init__(prepared, start, named)
        self._similarity = prepared
        self.watch_similar: Callable[[MatchRow, int], None] | None = None
        self.watch_learned: Callable[[_Memory, int], None] | None = None
        self._memories = Memories(lambda: _Memory(Remembered(prepared.similarity, prepared.similar_items)))
        self._anomalous: dict[tuple[tuple[str, ...], int], Words] = {}
        self._check_at = 1_000

    def copy(self) -> Self:
        twin = super().copy()
        twin._check_at = self._check_at
        twin._memories = self._memories.copy()
        return twin

    def remember(self, history: Iterable[HistoryRow]) -> None:
        self._memories.remember(history, lambda memory, text, at: self._learn(memory, words(text), at))

    def _event(self, at: tuple[int, str], rows: list[MatchRow]) -> None:
        met: list[tuple[_Memory, MatchRow, Words]] = []
        anomalous = []
        self._anomalous = {}
        for row in sorted(set(rows), key=row_order):
            memory = self._memories.of(row.group, row.query_index)
            memory.see(row.timestamp, row.timestamp)
            if row.distinct is None:
                continue
            content = words(row.distinct)
            met.append((memory, row, content))
            is_learned = row.timestamp >= memory.first + self._similarity.learning_ms
            if not is_learned:
                continue
            similar = memory.contents.count(content, row.timestamp - self._similarity.forget_ms)
            if self.watch_similar is not None:
                self.watch_similar(row, similar)
            if similar < self._similarity.similar_items:
                anomalous.append(row._replace(distinct=None))
                self._anomalous[row.group, row.query_index] = content
        if anomalous:
            super()._event(at, anomalous)
        for memory, row, content in met:
            if self.watch_learned is not None:
                self.watch_learned(memory, row.timestamp)
            self._learn(memory, content, row.timestamp)
        if self.entries > self._check_at:
            self._check(at[0])

    def _learn(self, memory: _Memory, content: Words, timestamp: int) -> None:
        held = memory.contents.weight
        memory.contents.learn(content, timestamp, timestamp - self._similarity.forget_ms)
        self.entries += memory.contents.weight - held

    def _facts(self, group: tuple[str, ...], entry: Entry) -> dict[str, Json]:
        query_index = entry.parts[0].query_index
        content = self._anomalous[group, query_index]
        contents = self._memories.of(group, query_index).contents
        horizon = entry.timestamp - self._similarity.forget_ms
        facts: dict[str, Json] = {
            "fields": list(self._similarity.rule.queries[query_index].metrics),
            "similarity_threshold": self._similarity.similarity / 100,
            "similar_items": contents.count(content, horizon),
        }
        if (found := nearest(content, contents.live(horizon), COMPARED)) is not None:
            facts["nearest_similarity"] = round(found[0], 4)
            facts["new_words"] = sorted(found[1])[:TOLD_WORDS]
        return {"content_anomaly": facts}

    def _check(self, timestamp: int) -> None:
        for memory in self._memories.drop_silent(timestamp):
            self.entries -= memory.contents.weight
        self._check_at = max(1_000, 2 * self.entries)
        if self.entries > MAX_ENTRIES:
            raise ScopeTooLarge(
                f"more than {MAX_ENTRIES} words and logs are remembered in one signal group; compare fewer fields, "
                "narrow the query, group by more fields or shorten forgetAfter"
            )
