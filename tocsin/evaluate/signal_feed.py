"""Which signals are new to the rules over signals, or not what they were.

Unlike logs, signals have one writer, in this process while it evaluates. It numbers what it writes with versions that
rise, so the feed reads on from the highest that it has seen, and asks nothing while there is no higher one.

A signal that is raised to a higher severity or is superseded may belong no more where it did: the groups that it is in,
or was in, are read from the store again. One that matches all that it did before, as when it grows, changes only what
is shown of it there. The feed remembers how signals matched, to tell one from the other.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tocsin.evaluate.feed import OVERLAP_MS, Batch
from tocsin.evaluate.repository import StoredMatch
from tocsin.evaluate.signals_repository import ChangedSignal

BATCH = 10_000
"""Signals in one batch, about."""

REMEMBERED = 50_000
"""Signals whose matches are remembered, some 40 MB; of the others it is not known whether they match as before."""


Found = tuple[StoredMatch, ...]


class SignalSource(Protocol):
    def changed(self, since: int, limit: int) -> list[ChangedSignal]: ...


@dataclass(slots=True)
class SignalBatch(Batch):
    """`signals`: those of the batch, by their ids."""

    signals: dict[str, ChangedSignal] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was read."""
        return not self.signals


class SignalFeed:
    """`newest` gives the highest version that was written. The watermark is the time (Unix milliseconds) in a version.

    A new process reads the last two minutes before the watermark again: one that had lost its lease without knowing
    may have written beside the one that had it.
    """

    def __init__(
        self, source: SignalSource, newest: Callable[[], int], watermark: int | None, clock: Callable[[], int]
    ) -> None:
        self._source = source
        self._newest = newest
        self._clock = clock
        self.watermark = watermark or 0
        self._read_to = max(self.watermark - OVERLAP_MS, 0) * 1000
        self._matched: OrderedDict[str, tuple[Found, Found]] = OrderedDict()

    def read(self) -> Batch:
        """The next batch, empty if nothing is new."""
        batch = SignalBatch(watermark=self.watermark)
        if self._newest() <= self._read_to:
            return batch
        changed = self._source.changed(self._read_to, BATCH)
        batch.waiting = len(changed) >= BATCH
        for signal in changed:
            batch.signals[signal.id] = signal
            before, gone = self._matched.get(signal.id, ((), ()))
            if signal.former == gone and set(before) <= set(signal.current):
                batch.matches += (match for match in signal.current if match not in before)
                batch.retold += signal.current  # also one that is not remembered may have been read before
            else:
                batch.changed += (*signal.current, *signal.former)
        if changed:
            versions = [signal.version for signal in changed]
            batch.watermark = max(self.watermark, max(versions) // 1000)
            batch.oldest = min(min(versions) // 1000, self._clock())
        return batch

    def accept(self, batch: Batch) -> None:
        """The batch is decided and its decisions are durable."""
        self.watermark = batch.watermark
        if isinstance(batch, SignalBatch):
            self._read_to = max((self._read_to, *(signal.version for signal in batch.signals.values())))
            for identity, signal in batch.signals.items():
                self._matched[identity] = (signal.current, signal.former)
                self._matched.move_to_end(identity)
            while len(self._matched) > REMEMBERED:
                self._matched.popitem(last=False)
