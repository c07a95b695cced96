"""The ids of the newest events, so that a repeated request stores nothing twice."""

from collections.abc import Iterable

IDS_PER_GENERATION = 500_000
"""About 80 bytes each: at most 80 MB for both generations."""


class RecentIds:
    """Remembers at least the last `capacity` ids and at most twice as many. Not safe for several threads."""

    def __init__(self, capacity: int = IDS_PER_GENERATION) -> None:
        self._capacity = capacity
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()

    def __contains__(self, id: str) -> bool:
        key = _key(id)
        return key in self._young or key in self._old

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def add(self, ids: Iterable[str]) -> None:
        """Remember ids; when the young generation is full it becomes the old one, and the old one is forgotten."""
        for id in ids:
            if len(self._young) >= self._capacity:
                self._old, self._young = self._young, set()
            self._young.add(_key(id))


def _key(id: str) -> bytes:
    """An id of `event_id` at a quarter of its size: what follows `AwAAA` is hexadecimal."""
    return bytes.fromhex(id[5:])
