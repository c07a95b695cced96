"""Dates of logs (siem.md §1.2) and the date patterns of grok (§1.10)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.normalise.dates import DAY, read_date, to_ms
from tocsin.normalise.errors import BadPipeline
from tocsin.normalise.grok.date_format import compile_date

NOW = to_ms(datetime(2026, 3, 7, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1767225600123, "2026-01-01T00:00:00.123"),
        (1767225600, "2026-01-01T00:00:00"),
        (1767225600.5, "2026-01-01T00:00:00.500"),
        (1767225600123456, "2026-01-01T00:00:00.123"),
        (1767225600123456789, "2026-01-01T00:00:00.123"),
        ("1767225600123", "2026-01-01T00:00:00.123"),
        ("1767225600.5", "2026-01-01T00:00:00.500"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00"),
        ("2026-01-01T00:00:00.1234567Z", "2026-01-01T00:00:00.123"),
        ("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00"),
        ("2026-01-01 00:00:00.000000000", "2026-01-01T00:00:00"),
        ("2026-01-01 00:00:00,250", "2026-01-01T00:00:00.250"),
        ("2026/01/01 00:00:00 UTC", "2026-01-01T00:00:00"),
        ("01/Jan/2026:02:00:00 +0200", "2026-01-01T00:00:00"),
        ("Thu, 01 Jan 2026 00:00:00 GMT", "2026-01-01T00:00:00"),
        ("Thu Jan  1 00:00:00 2026", "2026-01-01T00:00:00"),
        ("Mar  7 09:12:44", "2026-03-07T09:12:44"),
        ("Mar 08 11:59:59", "2026-03-08T11:59:59"),  # less than a day ahead: a clock that is fast
        ("Mar  8 12:00:01", "2025-03-08T12:00:01"),  # more: last year
        ("Dec 31 23:59:59", "2025-12-31T23:59:59"),
        ("Feb 29 10:00:00", "2024-02-29T10:00:00"),
    ],
)
def test_a_date_is_read(value: object, expected: str) -> None:
    assert read_date(value, NOW) == to_ms(datetime.fromisoformat(expected).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    "value", [None, True, "", "soon", "2026", "20260", "Foo 12 10:00:00", "32/Jan/2026:00:00:00 +0000", float("nan"),
              float("inf"), 1e300, {}, [], "2026-13-01", "9" * 30]
)  # fmt: skip
def test_what_is_no_date_is_none(value: object) -> None:
    assert read_date(value, NOW) is None


def test_numbers_are_milliseconds_where_a_remapper_reads_them() -> None:
    assert read_date(1765979488, NOW, is_ms=True) == 1765979488


@given(st.datetimes(datetime(2019, 1, 1), datetime(2030, 1, 1)), st.integers(-3, 300))  # noqa: DTZ001
def test_a_line_without_year_gets_the_year_it_was_written_in(written: datetime, days_later: int) -> None:
    """Whenever it arrives within 300 days, or up to a day early."""
    written = written.replace(microsecond=0, tzinfo=UTC)
    arrival = to_ms(written + timedelta(days=max(days_later, 0)) - timedelta(hours=20 if days_later < 0 else 0))
    text = f"{written:%b} {written.day:2d} {written:%H:%M:%S}"
    found = read_date(text, arrival)
    assert found == to_ms(written)
    assert found <= arrival + DAY


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    read_date(text, NOW)


@pytest.mark.parametrize(
    ("pattern", "zone", "text", "expected"),
    [
        ("yyyy-MM-dd'T'HH:mm:ss.SSSZ", None, "2026-03-07T09:12:44.123+0100", "2026-03-07T08:12:44.123"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSZ", None, "2026-03-07T09:12:44.123Z", "2026-03-07T09:12:44.123"),
        ("dd/MMM/yyyy:HH:mm:ss Z", None, "07/Mar/2026:09:12:44 +0000", "2026-03-07T09:12:44"),
        ("HH:mm:ss dd.MM.yy", None, "09:12:44 07.03.26", "2026-03-07T09:12:44"),
        ("EEE MMM dd HH:mm:ss yyyy", None, "Sat Mar 07 09:12:44 2026", "2026-03-07T09:12:44"),
        ("MM/dd/yyyy hh:mm:ss a", None, "03/07/2026 09:12:44 PM", "2026-03-07T21:12:44"),
        ("MM/dd/yyyy hh:mm a", None, "03/07/2026 12:12 AM", "2026-03-07T00:12:00"),
        ("yyyy-MM-dd HH:mm:ss", "Europe/Vienna", "2026-07-07 09:12:44", "2026-07-07T07:12:44"),
        ("yyyy-MM-dd HH:mm:ss", "+02:00", "2026-07-07 09:12:44", "2026-07-07T07:12:44"),
        ("yyyy-MM-dd HH:mm:ss", "UTC-5", "2026-07-07 09:12:44", "2026-07-07T14:12:44"),
        ("MMM d HH:mm:ss", None, "Mar  7 09:12:44", "2026-03-07T09:12:44"),
        ("MMdd HH:mm:ss.SSSSSS", None, "0211 13:17:55.023299", "2026-02-11T13:17:55.023"),
        ("yyyy DDD", None, "2026 66", "2026-03-07T00:00:00"),
        ("d''MMM yyyy", None, "7'Mar 2026", "2026-03-07T00:00:00"),
    ],
)
def test_date_patterns(pattern: str, zone: str | None, text: str, expected: str) -> None:
    _, read = compile_date(pattern, zone, "here")
    assert read(text, NOW) == to_ms(datetime.fromisoformat(expected).replace(tzinfo=UTC))


def test_a_wrong_date_pattern_says_where_and_what() -> None:
    with pytest.raises(BadPipeline, match="rule 3: date pattern letter 'q'"):
        compile_date("qq", None, "rule 3")
    with pytest.raises(BadPipeline, match="time zone 'Mars/Base'"):
        compile_date("yyyy", "Mars/Base", "rule 3")


def test_a_day_that_does_not_exist_is_no_date() -> None:
    _, read = compile_date("yyyy-MM-dd", None, "")
    assert read("2026-02-30", NOW) is None
