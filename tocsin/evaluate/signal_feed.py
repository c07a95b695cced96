"""Which signals are new to the rules over signals, or not what they were.

Unlike logs, signals have one writer, in this process while it evaluates. It numbers what it writes with versions that
rise, so the feed reads on from the highest that it has seen, and asks nothing while there is no higher one.

A signal that grows, is raised to a higher severity or is superseded may change what it belongs to, and what is shown of
it there; so the groups that it is in, or was in, are read from the store each time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tocsin.evaluate.feed import OVERLAP_MS, Batch
from tocsin.evaluate.signals_repository import ChangedSignal

BATCH = 10_000
"""Signals in one batch, about."""


class SignalSource(Protocol):
    def changed(self, since: int, limit: int) -> list[ChangedSignal]: ...


@dataclass(slots=True)
class SignalBatch(Batch):
    """`versions`: the signals of the batch and of which version they are."""

    versions: dict[str, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was read."""
        return not self.versions


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

    def read(self) -> Batch:
        """The next batch, empty if nothing is new."""
        batch = SignalBatch(watermark=self.watermark)
        if self._newest() <= self._read_to:
            return batch
        changed = self._source.changed(self._read_to, BATCH)
        batch.waiting = len(changed) >= BATCH
        for signal in changed:
            batch.versions[signal.id] = signal.version
            batch.changed += signal.matches
        if changed:
            newest = max(batch.versions.values())
            batch.watermark = max(self.watermark, newest // 1000)
            batch.oldest = min(min(batch.versions.values()) // 1000, self._clock())
        return batch

    def accept(self, batch: Batch) -> None:
        """The batch is decided and its decisions are durable."""
        self.watermark = batch.watermark
        if isinstance(batch, SignalBatch):
            self._read_to = max((self._read_to, *batch.versions.values()))
