"""Counts, distinct counts, sums and maxima of matches, sliding or growing (siem.md §2.4, §2.13).

All of them are exact and independent of the order in which values come and go: a restart in the middle of a
stream must give the same bits as an undisturbed run, so sums are kept as whole numbers.
"""

from collections import deque
from collections.abc import Sequence

AGGREGATIONS = ("count", "cardinality", "sum", "max", "event_count")

_SCALE = 1074
"""Every finite double is a multiple of 2**-1074, so a sum of doubles scaled by 2**1074 is a whole number."""

SHOWN_DISTINCT_VALUES = 100


def exact(value: float) -> int:
    """A finite double as a whole number of 2**-1074."""
    numerator, denominator = value.as_integer_ratio()
    return numerator << (_SCALE - denominator.bit_length() + 1)


def rounded(total: int) -> float:
    """The double nearest to an exact sum; beyond the range of doubles, infinity."""
    try:
        return total / (1 << _SCALE)
    except OverflowError:
        return float("inf") if total > 0 else float("-inf")


class SlidingTally:
    """One query's value over a window: what enters at the end leaves at the front.

    Most only count, and there is one for each query of each scope: what others need is made when it is needed.
    """

    __slots__ = ("aggregation", "count", "distinct", "highs", "total")

    def __init__(self, aggregation: str) -> None:
        self.aggregation = aggregation
        self.count = 0
        self.total = 0
        self.distinct: dict[str, int] | None = None
        self.highs: deque[tuple[float, int]] | None = None

    def enter(self, serial: int, distinct: Sequence[str], value: float | None) -> None:
        """One event enters; `serial` rises with each."""
        self.count += 1
        if self.aggregation == "cardinality":
            if self.distinct is None:
                self.distinct = {}
            for text in distinct:
                self.distinct[text] = self.distinct.get(text, 0) + 1
        elif value is not None and self.aggregation == "sum":
            self.total += exact(value)
        elif value is not None and self.aggregation == "max":
            if self.highs is None:
                self.highs = deque()
            while self.highs and self.highs[-1][0] <= value:
                self.highs.pop()
            self.highs.append((value, serial))

    def leave(self, serial: int, distinct: Sequence[str], value: float | None) -> None:
        """The oldest event leaves, described as it was when it entered."""
        self.count -= 1
        if self.distinct is not None:
            for text in distinct:
                left = self.distinct[text] - 1
                if left:
                    self.distinct[text] = left
                else:
                    del self.distinct[text]
        elif value is not None and self.aggregation == "sum":
            self.total -= exact(value)
        elif self.highs and self.highs[0][1] == serial:
            self.highs.popleft()

    @property
    def value(self) -> float | None:
        """The query's value; a maximum of nothing has none."""
        if self.aggregation == "cardinality":
            return float(len(self.distinct)) if self.distinct else 0.0
        if self.aggregation == "sum":
            return rounded(self.total)
        if self.aggregation == "max":
            return self.highs[0][0] if self.highs else None
        return float(self.count)

    def copy(self) -> "SlidingTally":
        twin = SlidingTally(self.aggregation)
        twin.count = self.count
        twin.total = self.total
        twin.distinct = None if self.distinct is None else self.distinct.copy()
        twin.highs = None if self.highs is None else self.highs.copy()
        return twin


class GrowingTally:
    """One query's value over all events of a signal: nothing leaves."""

    __slots__ = ("aggregation", "count", "distinct", "high", "total")

    def __init__(self, aggregation: str) -> None:
        self.aggregation = aggregation
        self.count = 0
        self.total = 0
        self.distinct: dict[str, None] = {}
        self.high: float | None = None

    def enter(self, distinct: Sequence[str], value: float | None) -> None:
        self.count += 1
        for text in distinct:
            self.distinct[text] = None
        if value is not None:
            self.total += exact(value)
            self.high = value if self.high is None else max(self.high, value)

    @property
    def value(self) -> float | None:
        if self.aggregation in ("cardinality", "new_value"):
            return float(len(self.distinct))
        if self.aggregation == "sum":
            return rounded(self.total)
        if self.aggregation == "max":
            return self.high
        return float(self.count)

    def copy(self) -> "GrowingTally":
        twin = GrowingTally(self.aggregation)
        twin.count = self.count
        twin.total = self.total
        twin.distinct = self.distinct.copy()
        twin.high = self.high
        return twin
