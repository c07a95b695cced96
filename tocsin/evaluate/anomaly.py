"""The anomaly method: many more matches than a scope usually has (siem.md §2.15). Only rises, never falls.

What the words mean here (decision 0082):

- A scope's matches are counted in *buckets* of `bucketDuration`, aligned to the epoch; with the aggregation
  cardinality, their different values. The *window* at an event is its bucket and as many before it as
  `evaluationWindow` reaches.
- The *history* are the buckets of the 14 days before the window, from the scope's first event on; buckets without
  events count as 0. The first event is counted anew after a silence of 14 days.
- The *bound* of a bucket of the window is the case's percentile of the history, by rank (no interpolation), and at
  least 1. Once the history is 7 days long, only those of its buckets are compared that begin within an hour of the same
  time of day (UTC), on a weekday or a weekend as the bucket's own.
- An event at which the excess over the bounds, summed over the window and divided by the sum of the bounds, reaches the
  tolerance's limit, is a *hit* for the case.
- A scope learns for `learningDuration` hours after its first event, and as long as it has no history: then there are no
  hits, or the bound is `learningPeriodBaseline`, if that is given.
- The events of a signal are those that lay in the window at one of its hits.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from tocsin.errors import BadRequest
from tocsin.evaluate import history
from tocsin.evaluate.condition import Comparison, check_labels, parse_condition
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.evidence import Entry
from tocsin.evaluate.history import DAY_MS, HistoryRow, HistoryShape
from tocsin.evaluate.machine import WindowMachine, are_history
from tocsin.evaluate.method import FIRST_EVENTS, MAX_ENTRIES, Plan, ScopeTooLarge, kept_positions
from tocsin.evaluate.window import Window
from tocsin.event import Json
from tocsin.rule import SEVERITIES, Rule

AGGREGATIONS = ("count", "cardinality")

MEMORY_MS = 14 * DAY_MS
"""How far the history reaches; a scope that was silent for so long is a new one."""

SEASONAL_MS = 7 * DAY_MS
"""From this length on the history is compared by time of day and kind of day."""

NEAR_MS = 3_600_000

LIMITS = {1: 10, 2: 25, 3: 50, 4: 100, 5: 200}
"""The excess over the bound, in per cent of it, at which each tolerance ends."""

DEFAULT_BUCKET = 300
DEFAULT_LEARNING_HOURS = 24
DEFAULT_TOLERANCE = 3
DEFAULT_PERCENTILE = Fraction(995, 1000)


@dataclass(frozen=True)
class AnomalyPlan(Plan):
    """`cases`: for each the query that is watched and the percentile; `window_buckets` with the current one."""

    cases: tuple[tuple[int, Fraction], ...]
    bucket_ms: int
    window_buckets: int
    learning_ms: int
    tolerance: int
    learning_bound: int | None = None
    is_instant: bool = False

    @property
    def lookback_ms(self) -> int:
        return 2 * MEMORY_MS + (self.window_buckets + 1) * self.bucket_ms

    @property
    def history(self) -> HistoryShape:
        return HistoryShape(self.bucket_ms)

    def exact_since(self, start: int) -> int:
        return (start // self.bucket_ms - self.window_buckets + 1) * self.bucket_ms

    @property
    def baseline(self) -> str:
        return history.baseline(self.rule)

    @property
    def has_instant_baseline(self) -> bool:
        return self.is_instant

    def machine(self, start: int | None = None, named: int = FIRST_EVENTS) -> "AnomalyMachine":
        return AnomalyMachine(self, start, named)


def plan(rule: Rule) -> AnomalyPlan:
    """Read a rule's percentiles and `anomalyDetectionOptions`; raises `BadRequest` for what cannot be decided."""
    for query in rule.queries:
        if query.aggregation not in AGGREGATIONS:
            reason = f"query '{query.label}' has the aggregation '{query.aggregation}'"
            raise BadRequest(f"{reason}; anomaly rules know {', '.join(AGGREGATIONS)}")
    labels = tuple(query.label for query in rule.queries)
    options = rule.options.method_options.get("anomalyDetectionOptions") or {}
    bucket_ms = (options.get("bucketDuration") or DEFAULT_BUCKET) * 1000
    return AnomalyPlan(
        rule,
        kept_positions(rule),
        cases=tuple(read_percentile(case.condition, labels) for case in rule.cases),
        bucket_ms=bucket_ms,
        window_buckets=max(1, -(-rule.window_ms // bucket_ms)),
        learning_ms=(options.get("learningDuration") or DEFAULT_LEARNING_HOURS) * 3_600_000,
        tolerance=options.get("detectionTolerance") or DEFAULT_TOLERANCE,
        learning_bound=options.get("learningPeriodBaseline"),
        is_instant=bool(options.get("instantaneousBaseline")),
    )


def read_percentile(text: str, labels: Sequence[str]) -> tuple[int, Fraction]:
    """`a > 0.995` as the index of the query and the percentile; without a condition the first query's 99.5th.

    Raises `ConditionError`, or `BadRequest` for another form.
    """
    if not text.strip():
        return 0, DEFAULT_PERCENTILE
    condition = parse_condition(text)
    check_labels(condition, tuple(labels))
    (stage, *more) = condition.stages
    if more or not isinstance(stage, Comparison) or stage.operator != ">" or not 0 < stage.number < 1:
        raise BadRequest(f"'{text}' is no percentile; write {labels[0]} > 0.995, with a number between 0 and 1")
    return labels.index(stage.label), Fraction(str(stage.number))


class _Buckets:
    """The counts of one query in one scope, by bucket; and what its current window is compared with.

    `bounds` hold while `current` is the same: those of each percentile, while learning and after it. `peak` is the
    highest count of the window before `current`; `texts` are the different values in it.
    """

    __slots__ = ("bounds", "counts", "current", "first", "last", "peak", "texts")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.first = 0
        self.last: int | None = None
        self.current = -1
        self.peak = 0
        self.texts: set[str] = set()
        self.bounds: dict[tuple[Fraction, bool], _Bounds | None] = {}

    def copy(self) -> "_Buckets":
        twin = _Buckets()
        twin.counts = self.counts.copy()
        twin.first, twin.last, twin.current, twin.peak = self.first, self.last, self.current, self.peak
        twin.texts = self.texts.copy()
        twin.bounds = self.bounds.copy()
        return twin

    def see(self, first: int, last: int) -> None:
        """There were events from `first` to `last`, with no silence between them."""
        if self.last is None or first - self.last >= MEMORY_MS:
            self.first = first
        self.last = last

    def open(self, bucket: int, start: int, oldest: int) -> None:
        """Begin a bucket whose window begins with the bucket `start`; those before `oldest` are dropped."""
        self.counts = {known: count for known, count in self.counts.items() if known >= oldest}
        self.peak = max((count for known, count in self.counts.items() if start <= known < bucket), default=0)
        self.counts.setdefault(bucket, 0)
        self.current = bucket
        self.texts = set()
        self.bounds = {}


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What the window is compared with while its last bucket stays the same.

    `value` and `excess` are those of the buckets before the last, `last` is the last one's bound. `history`: how many
    buckets it has, 0 while learning.
    """

    total: int
    last: int
    value: int
    excess: int
    history: int
    is_seasonal: bool


class AnomalyMachine(WindowMachine):
    """O(1) per match, but for the first of a bucket, which compares with the history.

    `start` (Unix milliseconds): events before it only fill the buckets and windows. `watch_case` is told of which scope
    the cases were decided, and when (`nearest.py`).
    """

    def __init__(self, prepared: AnomalyPlan, start: int | None, named: int) -> None:
        super().__init__(prepared, start, named)
        self.plan = prepared
        self.watch_case: Callable[[tuple[str, ...], int], None] | None = None
        self._buckets: dict[tuple[tuple[str, ...], int], _Buckets] = {}
        self._sweep_at = 64
        self._severities = tuple(SEVERITIES.index(case.severity) for case in prepared.rule.cases)

    def copy(self) -> Self:
        twin = super().copy()
        twin._sweep_at = self._sweep_at
        twin._buckets = {key: buckets.copy() for key, buckets in self._buckets.items()}
        return twin

    def remember(self, history: Iterable[HistoryRow]) -> None:
        for row in sorted(history, key=lambda row: row.first):
            buckets = self._of(row.group, row.query_index)
            buckets.see(row.first, row.last)
            is_count = self._aggregations[row.query_index] == "count"
            buckets.counts[row.first // self.plan.bucket_ms] = row.events if is_count else row.values
            self.entries += 1

    def _event(self, at: tuple[int, str], rows: list[MatchRow]) -> None:
        timestamp = at[0]
        may_hit = self.start is None or timestamp >= self.start
        hits: list[tuple[Window, Entry, int, dict[str, Json]]] = []
        for group, of_scope in self._scopes(rows):
            window, entry = self._enter(group, at, of_scope, timestamp - self.plan.exact_since(timestamp) + 1)
            for part in entry.parts:
                self._count(group, part.query_index, part.distinct, timestamp)
            if may_hit and not are_history(of_scope):
                found = self._case(group, timestamp)
                if self.watch_case is not None:
                    self.watch_case(group, timestamp)
                if found is not None:
                    hits.append((window, entry, *found))
        if hits:
            self._hit(hits)
        if len(self._windows) > self._sweep_at:
            self._sweep(timestamp)
        if self.entries > MAX_ENTRIES:
            raise ScopeTooLarge(
                f"more than {MAX_ENTRIES} matches and buckets are held for the group {list(rows[0].group)}; "
                "narrow the query, group by more fields or shorten the window"
            )

    def _of(self, group: tuple[str, ...], query_index: int) -> _Buckets:
        buckets = self._buckets.get((group, query_index))
        if buckets is None:
            buckets = self._buckets[group, query_index] = _Buckets()
        return buckets

    def _count(self, group: tuple[str, ...], query_index: int, texts: Sequence[str], timestamp: int) -> None:
        buckets = self._of(group, query_index)
        buckets.see(timestamp, timestamp)
        bucket = timestamp // self.plan.bucket_ms
        if bucket != buckets.current:
            self._open(buckets, bucket)
        if self._aggregations[query_index] == "count":
            buckets.counts[bucket] += 1
        else:
            buckets.texts.update(texts)
            buckets.counts[bucket] = len(buckets.texts)

    def _case(self, group: tuple[str, ...], timestamp: int) -> tuple[int, dict[str, Json]] | None:
        """The first case whose limit the scope's window reaches at this moment, and what it is told with."""
        bucket = timestamp // self.plan.bucket_ms
        for case_index, (query_index, percentile) in enumerate(self.plan.cases):
            buckets = self._buckets.get((group, query_index))
            if buckets is None:
                continue
            if buckets.current != bucket:  # another query's event moved the time on
                self._open(buckets, bucket)
            count = buckets.counts[bucket]
            if max(count, buckets.peak) <= 1:  # no bound is lower than 1
                continue
            is_learning = timestamp < buckets.first + self.plan.learning_ms
            if (percentile, is_learning) not in buckets.bounds:
                buckets.bounds[percentile, is_learning] = self._bounds(buckets, percentile, is_learning)
            bounds = buckets.bounds[percentile, is_learning]
            if bounds is None:
                continue
            excess = bounds.excess + max(0, count - bounds.last)
            if excess * 100 >= LIMITS[self.plan.tolerance] * bounds.total:
                return case_index, self._facts(bounds, count, excess, percentile)
        return None

    def _bounds(self, buckets: _Buckets, percentile: Fraction, is_learning: bool) -> _Bounds | None:
        """None: there is nothing to compare with yet."""
        bucket_ms, bucket = self.plan.bucket_ms, buckets.current
        start = bucket - self.plan.window_buckets + 1
        oldest = max(buckets.first // bucket_ms, start - MEMORY_MS // bucket_ms)
        window = range(start, bucket + 1)
        is_seasonal = (start - oldest) * bucket_ms >= SEASONAL_MS
        if is_learning or oldest >= start:
            if self.plan.learning_bound is None:
                return None
            length, is_seasonal = 0, False
            bounds = [max(1, self.plan.learning_bound)] * len(window)
        else:
            length = start - oldest
            if is_seasonal:
                bounds = [self._quantile(buckets, self._alike(of, oldest, start), percentile) for of in window]
            else:
                bounds = [self._quantile(buckets, range(oldest, start), percentile)] * len(window)
        counts = [buckets.counts.get(of, 0) for of in window[:-1]]
        return _Bounds(
            total=sum(bounds),
            last=bounds[-1],
            value=sum(counts),
            excess=sum(max(0, count - bound) for count, bound in zip(counts, bounds, strict=False)),
            history=length,
            is_seasonal=is_seasonal,
        )

    def _alike(self, bucket: int, oldest: int, end: int) -> list[int]:
        """The buckets of `[oldest, end)` at about the same time of the same kind of day."""
        per_day, near = DAY_MS // self.plan.bucket_ms, NEAR_MS // self.plan.bucket_ms
        same_time = range(bucket - (bucket - oldest + near) // per_day * per_day, bucket + 1, per_day)
        alike = (middle + offset for middle in same_time for offset in range(-near, near + 1))
        return [of for of in alike if oldest <= of < end and _is_weekend(of, per_day) == _is_weekend(bucket, per_day)]

    @staticmethod
    def _quantile(buckets: _Buckets, among: Sequence[int], percentile: Fraction) -> int:
        """The lowest count that this share of the buckets does not exceed; at least 1."""
        rank = -(-percentile.numerator * len(among) // percentile.denominator)
        counts = sorted(count for of in among if (count := buckets.counts.get(of, 0)))
        silent = len(among) - len(counts)
        return max(1, counts[rank - silent - 1]) if rank > silent else 1

    def _facts(self, bounds: _Bounds, count: int, excess: int, percentile: Fraction) -> dict[str, Json]:
        return {
            "anomaly": {
                "bound": bounds.total,
                "value": bounds.value + count,
                "excess": round(excess / bounds.total, 4),
                "limit": LIMITS[self.plan.tolerance] / 100,
                "percentile": float(percentile),
                "bucket_seconds": self.plan.bucket_ms // 1000,
                "history_buckets": bounds.history,
                "is_seasonal": bounds.is_seasonal,
            }
        }

    def _hit(self, hits: list[tuple[Window, Entry, int, dict[str, Json]]]) -> None:
        window, entry, case_index, facts = max(hits, key=lambda hit: (self._severities[hit[2]], -hit[2]))
        events = len(window)
        values = self._values(window.group, window.tallies)
        signal, is_new = self._life.hit(entry, window.group, case_index, values, events, facts)
        self._take(signal, is_new, [hit[:2] for hit in hits])

    def _open(self, buckets: _Buckets, bucket: int) -> None:
        start = bucket - self.plan.window_buckets + 1
        self.entries -= len(buckets.counts)
        buckets.open(bucket, start, start - MEMORY_MS // self.plan.bucket_ms)
        self.entries += len(buckets.counts)

    def _sweep(self, timestamp: int) -> None:
        """Drop what no window and no history needs any more."""
        horizon = self.plan.exact_since(timestamp)
        for group, window in list(self._windows.items()):
            if window.latest < horizon:
                self._drop(group)
        for key, buckets in list(self._buckets.items()):
            if timestamp - (buckets.last or 0) >= MEMORY_MS:
                self.entries -= len(buckets.counts)
                del self._buckets[key]
        self._sweep_at = max(64, 2 * len(self._windows))


def _is_weekend(bucket: int, per_day: int) -> bool:
    return (bucket // per_day + 3) % 7 >= 5  # the epoch was a Thursday
