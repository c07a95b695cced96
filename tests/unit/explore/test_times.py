"""Times as requests write them."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import BadRequest
from tocsin.explore.intervals import MAX_BUCKETS, bucket_count, interval_for
from tocsin.explore.times import EARLIEST, LATEST, parse_interval, parse_time


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]


NOW = ms(2026, 3, 31, 14, 45, 30) + 123


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("now-15m", NOW - 900_000),
        ("now+90s", NOW + 90_000),
        ("now-1d-6h", NOW - 30 * 3_600_000),
        ("now-1M", ms(2026, 2, 28, 14, 45, 30) + 123),
        ("now-12M", ms(2025, 3, 31, 14, 45, 30) + 123),
        ("now-1y/y", ms(2025, 1, 1)),
        ("now/s", ms(2026, 3, 31, 14, 45, 30)),
        ("now/h", ms(2026, 3, 31, 14)),
        ("now/d", ms(2026, 3, 31)),
        ("now/w", ms(2026, 3, 30)),
        ("now/M", ms(2026, 3, 1)),
        ("now-1d/d", ms(2026, 3, 30)),
        ("2026-01-02T03:04:05Z", ms(2026, 1, 2, 3, 4, 5)),
        ("2026-01-02T03:04:05.678Z", ms(2026, 1, 2, 3, 4, 5) + 678),
        ("2026-01-02T03:04:05+02:00", ms(2026, 1, 2, 1, 4, 5)),
        ("2026-01-02", ms(2026, 1, 2)),
        ("1767322245678", 1767322245678),
        (1767322245678, 1767322245678),
        (0, 0),
    ],
)
def test_what_is_understood(text: str | int, expected: int) -> None:
    assert parse_time(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "soon", "now-", "now-1q", "now/x", "now-999999999y", "5", "99999-01-01", 10**15])
def test_what_is_not(text: str | int) -> None:
    with pytest.raises(BadRequest):
        parse_time(text, NOW)


@given(st.text(max_size=30))
def test_no_text_is_a_crash(text: str) -> None:
    with contextlib.suppress(BadRequest):
        assert EARLIEST <= parse_time(text, NOW) <= LATEST


@pytest.mark.parametrize(("text", "expected"), [("5m", 300_000), ("1d", 86_400_000), ("250", 250), ("30s", 30_000)])
def test_intervals(text: str, expected: int) -> None:
    assert parse_interval(text) == expected


@pytest.mark.parametrize("text", ["", "m", "0m", "-5m", "5 parsecs", "1e3"])
def test_what_is_no_interval(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_interval(text)


@given(
    start=st.integers(EARLIEST, LATEST), length=st.integers(0, LATEST - EARLIEST), buckets=st.integers(2, MAX_BUCKETS)
)
def test_an_interval_makes_at_most_the_buckets_asked_for(start: int, length: int, buckets: int) -> None:
    end = min(start + length, LATEST)
    assert 1 <= bucket_count(start, end, interval_for(start, end, buckets)) <= buckets
