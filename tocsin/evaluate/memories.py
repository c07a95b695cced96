"""What methods that learn remember: of each scope and query by itself, until nothing is heard of it for long."""

from collections.abc import Callable, Iterable
from typing import ClassVar, Generic, Self, TypeVar

from tocsin.evaluate.history import HistoryRow

Group = tuple[str, ...]


class Memory:
    """What one query remembers of one scope, which is known since `first`. Times are Unix milliseconds."""

    __slots__ = ("first", "last")

    silence_ms: ClassVar[int]
    """After so long without an event the scope is a new one."""

    def __init__(self) -> None:
        self.first = 0
        self.last: int | None = None

    def copy(self) -> Self:
        raise NotImplementedError

    def see(self, first: int, last: int) -> bool:
        """There were events from `first` to `last`, without such a silence. True if the scope is new with them."""
        is_new = self.is_silent(first)
        if is_new:
            self.first = first
        self.last = last
        return is_new

    def is_silent(self, at: int) -> bool:
        """Whether nothing was heard for too long before this moment, or ever."""
        return self.last is None or at - self.last >= self.silence_ms


M = TypeVar("M", bound=Memory)


class Memories(Generic[M]):
    """The memories of a machine; `new` makes an empty one."""

    def __init__(self, new: Callable[[], M]) -> None:
        self._new = new
        self._found: dict[tuple[Group, int], M] = {}

    def copy(self) -> "Memories[M]":
        twin = Memories(self._new)
        twin._found = {key: memory.copy() for key, memory in self._found.items()}
        return twin

    def of(self, group: Group, query_index: int) -> M:
        """The memory of a query in a scope; made if there is none."""
        memory = self._found.get((group, query_index))
        if memory is None:
            memory = self._found[group, query_index] = self._new()
        return memory

    def all(self) -> Iterable[M]:
        return self._found.values()

    def remember(self, history: Iterable[HistoryRow], learn: Callable[[M, str, int], None]) -> None:
        """Take in what was aggregated: spans in which there were events, and values with when they were last seen."""
        for row in sorted(history, key=lambda row: row.last):
            memory = self.of(row.group, row.query_index)
            if row.distinct is None:
                memory.see(row.first, row.last)
            else:
                learn(memory, row.distinct, row.last)

    def drop_silent(self, at: int) -> list[M]:
        """Forget the scopes of which nothing was heard for too long before this moment; returns what was forgotten."""
        silent = [key for key, memory in self._found.items() if memory.is_silent(at)]
        return [self._found.pop(key) for key in silent]
