"""Which matches are new: by counting what is stored, not by trusting that times of ingestion arrive in order.

An insert may become visible after a later one, and a restarted process may write again what a kill had cut off.
So the feed counts the matches of each bucket of ingestion time over the last minutes, and reads the
buckets whose count is not the one that it has processed. Reading a match twice does no harm, missing one would.
In between it counts the newest buckets alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tocsin.evaluate.repository import BUCKET_MS, StoredMatch

COUNT_EVERY_MS = 1_000

OVERLAP_MS = 120_000
"""Counted each time: longer than any insert takes."""

NEWEST_MS = 500
"""Counted in between: what a group commit that overtook another leaves open."""

SWEEP_OVERLAP_MS = 900_000
"""Counted at the start and every `SWEEP_EVERY_MS`: longer than what the store may restore after a crash."""

SWEEP_EVERY_MS = 30_000

REMEMBER_BUCKETS = 100
"""The latest 10 s of buckets remember their single matches, so that what comes in beside them is not all new again."""

BATCH = 50_000
"""Matches in one batch, about."""


class Source(Protocol):
    def buckets(self, since: int, limit: int = ...) -> list[tuple[int, int]]: ...
    def of_buckets(self, buckets: list[int]) -> list[StoredMatch]: ...


@dataclass(slots=True)
class Batch:
    """New matches; `watermark` (Unix milliseconds) holds once they are decided.

    `changed` are matches of what is not as it was, or no more: logs stay, but signals grow and are superseded. Their
    groups are to be read again. `retold` are matches as they were, of what now says more of itself: nothing is decided
    otherwise, but it is to be shown otherwise.
    """

    matches: list[StoredMatch] = field(default_factory=list)
    changed: list[StoredMatch] = field(default_factory=list)
    retold: list[StoredMatch] = field(default_factory=list)
    watermark: int = 0
    waiting: bool = False
    oldest: int | None = None
    seen: dict[int, tuple[int, set[int]]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was read; what was read may be known already."""
        return not self.seen


class Feed:
    """Reads new matches from a source, oldest ingestion first; `accept` a batch when its decisions are stored."""

    def __init__(
        self,
        source: Source,
        watermark: int | None,
        clock: Callable[[], int],
        is_ours: Callable[[StoredMatch], bool] = lambda _: True,
    ) -> None:
        """Matches that are not ours are counted, and handed over to nobody."""
        self._source = source
        self._is_ours = is_ours
        self._clock = clock
        self.watermark = watermark or 0
        self._counts: dict[int, int] = {}
        self._seen: dict[int, set[int]] = {}
        self._swept_at: int | None = None
        self._counted_at: int | None = None

    def read(self) -> Batch:
        """The next batch, empty if nothing is new."""
        now = self._clock()
        counts = self._counted_at is None or not 0 <= now - self._counted_at < COUNT_EVERY_MS
        sweeps = counts and (self._swept_at is None or now - self._swept_at >= SWEEP_EVERY_MS)
        overlap = SWEEP_OVERLAP_MS if sweeps else OVERLAP_MS if counts else NEWEST_MS
        stored = self._source.buckets(max(self.watermark - overlap, 0))
        changed: list[int] = []
        total = 0
        waiting = False
        for bucket, count in stored:
            if self._counts.get(bucket) == count:
                continue
            if changed and total + count > BATCH:
                waiting = True
                break
            changed.append(bucket)
            total += count
        if sweeps and not waiting:
            self._swept_at = now
        if waiting:
            self._counted_at = None
        elif counts:
            self._counted_at = now
        if not changed:
            return Batch(watermark=self.watermark)
        return self._batch(self._source.of_buckets(changed), changed, waiting)

    def _batch(self, matches: Iterable[StoredMatch], buckets: Sequence[int], waiting: bool) -> Batch:
        """What is new among all matches of some buckets; `buckets` are those that were asked for."""
        counts = dict.fromkeys(buckets, 0)
        hashes: dict[int, set[int]] = {bucket: set() for bucket in buckets}
        batch = Batch(watermark=self.watermark, waiting=waiting)
        for match in matches:
            bucket = match.ingested_at // BUCKET_MS
            counts[bucket] = counts.get(bucket, 0) + 1
            mark = hash((match.rule_id, match.rule_version, match.row))
            hashes.setdefault(bucket, set()).add(mark)
            if mark not in self._seen.get(bucket, ()) and self._is_ours(match):
                batch.matches.append(match)
        batch.seen = {
            bucket: (count, hashes[bucket]) for bucket, count in counts.items() if self._counts.get(bucket) != count
        }
        if batch.seen:
            batch.oldest = min(batch.seen) * BUCKET_MS
            batch.watermark = max(self.watermark, max(batch.seen) * BUCKET_MS)
        return batch

    def accept(self, batch: Batch) -> None:
        """The batch is decided and its decisions are durable."""
        self.watermark = batch.watermark
        for bucket, (count, hashes) in batch.seen.items():
            self._counts[bucket] = count
            self._seen[bucket] = hashes
        newest = self.watermark // BUCKET_MS
        for bucket in [bucket for bucket in self._seen if bucket < newest - REMEMBER_BUCKETS]:
            del self._seen[bucket]
        oldest = (self.watermark - SWEEP_OVERLAP_MS) // BUCKET_MS
        for bucket in [bucket for bucket in self._counts if bucket < oldest]:
            del self._counts[bucket]
