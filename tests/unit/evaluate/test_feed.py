"""The feed finds every match, however late an insert becomes visible, and few of them twice."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.feed import BATCH, OVERLAP_MS, SWEEP_EVERY_MS, Feed
from tocsin.evaluate.repository import BUCKET_MS, StoredMatch

BORN = 1_767_225_600_000


@dataclass
class FakeSource:
    """Matches as they have become visible so far."""

    visible: list[StoredMatch] = field(default_factory=list)
    rows_read: int = 0

    def buckets(self, since: int, limit: int = 20_000) -> list[tuple[int, int]]:
        counts: dict[int, int] = {}
        for match in self.visible:
            if match.ingested_at >= since:
                bucket = match.ingested_at // BUCKET_MS
                counts[bucket] = counts.get(bucket, 0) + 1
        return sorted(counts.items())[:limit]

    def of_buckets(self, buckets: list[int]) -> list[StoredMatch]:
        matches = [match for match in self.visible if match.ingested_at // BUCKET_MS in buckets]
        self.rows_read += len(matches)
        return matches


def match(number: int, ingested_at: int) -> StoredMatch:
    return StoredMatch("aaa-bbb-ccc", 1, ingested_at, MatchRow(BORN, f"e{number}", (), 0))


delays = st.sampled_from([0, 0, 0, 0, 50, 150, 700, 5_000, OVERLAP_MS - 2_000])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), delays, st.integers(0, 900)), max_size=30), st.data())
def test_every_match_is_found(steps: list[tuple[int, int, int]], data: st.DataObject) -> None:
    source = FakeSource()
    now = BORN
    feed = Feed(source, None, lambda: now)
    hidden: list[tuple[int, StoredMatch]] = []
    found: set[str] = set()
    for number, (pause, delay, before) in enumerate(steps):
        now += pause
        hidden.append((now + delay, match(number, now - before)))
        source.visible += [each for visible_at, each in hidden if visible_at <= now]
        hidden = [(visible_at, each) for visible_at, each in hidden if visible_at > now]
        batch = feed.read()
        found |= {each.row.event_id for each in batch.matches}
        if data.draw(st.booleans()):
            feed.accept(batch)
    source.visible += [each for _, each in hidden]
    now += SWEEP_EVERY_MS
    for _ in range(3):
        batch = feed.read()
        found |= {each.row.event_id for each in batch.matches}
        feed.accept(batch)
    assert found == {f"e{number}" for number in range(len(steps))}
    assert not feed.read().matches


def test_steady_stream_is_read_about_once() -> None:
    source = FakeSource()
    now = BORN
    feed = Feed(source, BORN, lambda: now)
    news = 0
    for number in range(2_000):
        now += 50
        source.visible.append(match(number, now - 20))
        batch = feed.read()
        news += len(batch.matches)
        feed.accept(batch)
    assert news == 2_000
    assert source.rows_read < 4 * 2_000


def test_backlog_comes_in_batches_oldest_first() -> None:
    source = FakeSource([match(number, BORN + number // 100) for number in range(2 * BATCH + 1)])
    feed = Feed(source, None, lambda: BORN + 10_000)
    sizes = []
    while True:
        batch = feed.read()
        sizes.append(len(batch.matches))
        feed.accept(batch)
        if not batch.waiting:
            break
    assert sum(sizes) == 2 * BATCH + 1
    assert max(sizes) <= BATCH
    assert feed.watermark == (BORN + 2 * BATCH // 100) // BUCKET_MS * BUCKET_MS
