"""Which of many texts are alike: sets of words, compared by Jaccard's measure, exactly and fast (siem.md §2.16).

Two texts are alike when `100 * |A & B| >= percent * |A | B|`, so that no rounding decides. The words of a text are
those of Unicode's word segmentation (UAX 29) that begin with a letter, a digit or an underscore; case counts.

An index of the rare words of each set makes the search cheap and changes no answer: two sets that are alike share one
of the rarest `n - ceil(percent * n / 100) + 1` words of each, whatever "rare" means, as long as it means the same for
both (prefix filter). MinHash with LSH could only estimate what this computes (decision 0085).
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, islice

import regex

Words = frozenset[str]

SEALED = 128
"""Sets that are searched one by one, until so many make a segment."""

_WORD = regex.compile(r"(?w)\b(?=\w).+?\b", regex.DOTALL)


@lru_cache(maxsize=4_096)
def words(text: str) -> Words:
    """The different words of a text."""
    return frozenset(map(sys.intern, _WORD.findall(text)))


def are_alike(one: Words, other: Words, percent: int) -> bool:
    """The definition; two empty sets are alike."""
    common = len(one & other)
    return 100 * common >= percent * (len(one) + len(other) - common)


def jaccard(one: Words, other: Words) -> float:
    common = len(one & other)
    whole = len(one) + len(other) - common
    return common / whole if whole else 1.0


def _probes(length: int, percent: int) -> int:
    """So many of the rarest words of a set of this size are enough to find what is like it."""
    return length + percent * length // -100 + 1


class _Segment:
    """An unchanging number of sets with their index."""

    __slots__ = ("_by_word", "_frequency", "_percent", "sets")

    def __init__(self, sets: tuple[Words, ...], percent: int) -> None:
        self.sets = sets
        self._percent = percent
        self._frequency = Counter(chain.from_iterable(sets))
        self._by_word: dict[str, list[Words]] = {}
        for each in sets:
            for word in self._rarest(each):
                self._by_word.setdefault(word, []).append(each)

    def like(self, wanted: Words) -> Iterator[Words]:
        """The sets that are like this one, each once."""
        seen: set[int] = set()
        for word in self._rarest(wanted):
            for each in self._by_word.get(word, ()):
                if id(each) not in seen:
                    seen.add(id(each))
                    if are_alike(wanted, each, self._percent):
                        yield each

    def _rarest(self, of: Words) -> list[str]:
        ordered = sorted(sorted(of), key=self._frequency.__getitem__)
        return ordered[: _probes(len(ordered), self._percent)]


class Remembered:
    """Sets of words, each with the times of the last texts that had it. A copy costs what is new, not what is there.

    `percent`: how alike two sets must be, 35 to 100. `enough`: no search counts further than this, 1 to 20.
    """

    __slots__ = ("_fresh", "_guide", "_percent", "_recent", "_segments", "_settled", "enough", "weight")

    def __init__(self, percent: int, enough: int) -> None:
        self.enough = enough
        self.weight = 0
        self._percent = percent
        self._settled: dict[Words, tuple[int, ...]] = {}
        self._recent: dict[Words, tuple[int, ...]] = {}
        self._segments: tuple[_Segment, ...] = ()
        self._fresh: list[Words] = []
        self._guide: Words | None = None

    def copy(self) -> "Remembered":
        if len(self._recent) > 64 and len(self._recent) * 8 > len(self._settled):
            self._settle()
        twin = Remembered(self._percent, self.enough)
        twin.weight = self.weight
        twin._settled = self._settled
        twin._recent = self._recent.copy()
        twin._segments = self._segments
        twin._fresh = self._fresh.copy()
        twin._guide = self._guide
        return twin

    def count(self, wanted: Words, horizon: int) -> int:
        """So many texts after the horizon were like this one, or `enough` if there were more."""
        own = self._later(wanted, horizon)
        found = own
        if self._guide is not None and self._guide != wanted and are_alike(wanted, self._guide, self._percent):
            # Most texts are like the one that was found last; what it has alone is often enough.
            found += self._later(self._guide, horizon)
        if found >= self.enough:
            return self.enough
        found = own
        for each in self._like(wanted):
            if each == wanted:
                continue
            later = self._later(each, horizon)
            if later:
                self._guide = each
            found += later
            if found >= self.enough:
                return self.enough
        return found

    def learn(self, each: Words, timestamp: int, horizon: int) -> None:
        """There was such a text, later than all before. What is not later than the horizon may be dropped."""
        times = self._times(each)
        self._recent[each] = (*times, timestamp)[-self.enough :]
        if not times:
            self.weight += _weight(each)
            self._fresh.append(each)
            if len(self._fresh) >= SEALED:
                self._seal(horizon)

    def live(self, horizon: int) -> Iterator[Words]:
        """The sets of all texts after the horizon, in no order."""
        for each, times in self._recent.items():
            if times and times[-1] > horizon:
                yield each
        for each, times in self._settled.items():
            if times and times[-1] > horizon and each not in self._recent:
                yield each

    def _times(self, each: Words) -> tuple[int, ...]:
        times = self._recent.get(each)
        return self._settled.get(each, ()) if times is None else times

    def _later(self, each: Words, horizon: int) -> int:
        return sum(time > horizon for time in self._times(each))

    def _like(self, wanted: Words) -> Iterator[Words]:
        for each in reversed(self._fresh):
            if are_alike(wanted, each, self._percent):
                yield each
        for segment in reversed(self._segments):
            yield from segment.like(wanted)

    def _seal(self, horizon: int) -> None:
        """Make a segment of what is fresh, joined with smaller ones, and drop what is forgotten."""
        segments = list(self._segments)
        sets = self._fresh
        while segments and len(segments[-1].sets) <= len(sets):
            sets = [*segments.pop().sets, *sets]
        kept = []
        for each in sets:
            if self._times(each)[-1] > horizon:
                kept.append(each)
            else:
                self._recent[each] = ()
                self.weight -= _weight(each)
        self._segments = (*segments, _Segment(tuple(kept), self._percent))
        self._fresh = []

    def _settle(self) -> None:
        joined = {**self._settled, **self._recent}
        self._settled = {each: times for each, times in joined.items() if times}
        self._recent = {}


def nearest(wanted: Words, others: Iterable[Words], most: int) -> tuple[float, Words] | None:
    """How alike the most similar of the others is, and the words that none of them has; None for more than `most`."""
    compared = list(islice(others, most + 1))
    if len(compared) > most:
        return None
    known = frozenset().union(*(wanted & each for each in compared)) if compared else frozenset[str]()
    return max((jaccard(wanted, each) for each in compared), default=0.0), wanted - known


def _weight(each: Words) -> int:
    """In matches: a set of ten words takes about as much memory as four."""
    return 1 + len(each) // 3
