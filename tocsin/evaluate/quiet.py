"""Which groups may be forgotten since they are quiet, and from when on the forgotten ones are as new (decision 0208).

Most groups that come are alone: an address that was seen once.
"""

from collections import OrderedDict
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final

from tocsin.evaluate.repository import GroupKey

QUIET_MS: Final = 30_000
"""A group whose windows are empty, and whose signals are closed, for so long, is forgotten."""

PAST_GROUPS = 50_000
"""Of so many that were forgotten it is known from when on they are as new."""


class Quiet:
    """Looks at each group when it may have been quiet for long enough. Times in Unix milliseconds."""

    def __init__(self) -> None:
        self._watched: set[GroupKey] = set()
        self._moments: list[tuple[int, GroupKey]] = []
        self._past: OrderedDict[GroupKey, int] = OrderedDict()

    def watch(self, key: GroupKey, now: int, quiet_after: int = 0) -> None:
        """A group is in memory, and will be quiet after that moment if nothing else comes."""
        if key not in self._watched:
            self._watched.add(key)
            heappush(self._moments, (max(now, quiet_after) + QUIET_MS, key))

    def due(self, now: int) -> Iterator[GroupKey]:
        """The groups that are to be looked at, which are not watched any more; they may be again while this goes on."""
        while self._moments and self._moments[0][0] <= now:
            _, key = heappop(self._moments)
            self._watched.remove(key)
            yield key

    def forget(self, key: GroupKey, quiet_after: int) -> None:
        """It is not in memory any more; later events are decided as if there had been none."""
        self._past[key] = quiet_after
        if len(self._past) > PAST_GROUPS:
            self._past.popitem(last=False)

    def recall(self, key: GroupKey) -> int | None:
        """From when on it is as new, if it was forgotten: asked once, since then it is in memory."""
        return self._past.pop(key, None)

    def recall_all(self) -> None:
        """Nothing is known of those that were forgotten."""
        self._past.clear()

    def clear(self) -> None:
        """Nothing is in memory any more."""
        self._watched.clear()
        self._moments.clear()
        self._past.clear()
