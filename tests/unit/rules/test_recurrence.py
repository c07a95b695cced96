"""When scheduled rules run."""

import time
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from tocsin.rule import Schedule
from tocsin.rules.scheduled.recurrence import MAX_COUNT, Recurrence, ScheduleError


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def shown(moments: list[int]) -> list[str]:
    return [datetime.fromtimestamp(moment / 1000, UTC).strftime("%m-%d %H:%M") for moment in moments]


def times(rrule: str, start: str, zone: str, after: str, until: str) -> list[str]:
    return shown(Recurrence(Schedule(rrule, start, zone)).between(ms(after), ms(until)))


def test_nine_in_the_morning_is_nine_before_and_after_clocks_change() -> None:
    spring = times("FREQ=DAILY", "2020-01-01T09:00:00", "Europe/Berlin", "2026-03-27", "2026-03-31")
    assert spring == ["03-27 08:00", "03-28 08:00", "03-29 07:00", "03-30 07:00"]
    autumn = times("FREQ=DAILY", "2020-01-01T09:00:00", "Europe/Berlin", "2026-10-24", "2026-10-27")
    assert autumn == ["10-24 07:00", "10-25 08:00", "10-26 08:00"]


def test_a_time_that_is_jumped_over_moves_and_one_that_comes_twice_is_the_first() -> None:
    jumped = times("FREQ=DAILY", "2020-01-01T02:30:00", "Europe/Berlin", "2026-03-28", "2026-03-31")
    assert jumped == ["03-28 01:30", "03-29 01:30", "03-30 00:30"], "2:30 is 3:30 on the 29th"
    twice = times("FREQ=DAILY", "2020-01-01T02:30:00", "Europe/Berlin", "2026-10-24", "2026-10-27")
    assert twice == ["10-24 00:30", "10-25 00:30", "10-26 01:30"]


def test_an_hourly_rule_runs_every_hour_of_the_longest_and_the_shortest_day() -> None:
    for day in ("2026-10-25", "2026-03-29"):
        found = Recurrence(Schedule("FREQ=HOURLY", "2020-01-01T00:15:00", "Europe/Berlin")).between(
            ms(f"{day}T00:00"), ms(f"{day}T06:00")
        )
        assert [later - earlier for earlier, later in pairwise(found)] == [3_600_000] * 5


@pytest.mark.parametrize(
    ("rrule", "start", "after", "until", "wanted"),
    [
        ("FREQ=HOURLY;INTERVAL=2", "2025-01-01T01:00:00", "2026-05-01T00:00", "2026-05-01T06:00", "01 03 05"),
        ("RRULE:FREQ=MINUTELY;INTERVAL=90", "2026-05-01T00:00:00", "2026-05-01T00:00", "2026-05-01T05:00", "01 03 04"),
        ("FREQ=DAILY;COUNT=2", "2026-05-01T03:00:00", "2026-04-01", "2026-06-01", "03 03"),
        ("freq=daily;byhour=6,18", "2026-05-01T00:00:00", "2026-05-02", "2026-05-03", "06 18"),
        ("FREQ=DAILY;UNTIL=20260502", "2026-05-01T04:00:00", "2026-04-01", "2026-06-01", "04 04"),
        ("FREQ=DAILY;UNTIL=20260502T040000Z", "2026-05-01T04:00:00", "2026-04-01", "2026-06-01", "04 04"),
        ("FREQ=DAILY;UNTIL=20260502T035959Z", "2026-05-01T04:00:00", "2026-04-01", "2026-06-01", "04"),
        ("FREQ=WEEKLY;BYDAY=MO,FR", "2026-05-01T07:00:00", "2026-05-01", "2026-05-09", "07 07 07"),
        ("FREQ=WEEKLY;INTERVAL=2", "2020-05-04T07:00:00", "2026-05-01", "2026-05-29", "07 07"),
    ],
)
def test_what_an_rrule_says(rrule: str, start: str, after: str, until: str, wanted: str) -> None:
    assert [text[6:8] for text in times(rrule, start, "UTC", after, until)] == wanted.split()


def test_counting_from_years_ago_gives_the_same_times_as_from_yesterday() -> None:
    for rrule, start in (
        ("FREQ=MINUTELY;INTERVAL=7", "2000-12-25T23:59:00"),
        ("FREQ=WEEKLY;INTERVAL=3;BYDAY=TU,SU", "2001-02-03T04:05:00"),
        ("FREQ=MONTHLY;INTERVAL=5", "2003-01-31T04:05:00"),
        ("FREQ=MONTHLY;BYDAY=2TU", "2003-01-14T04:05:00"),
        ("FREQ=YEARLY;INTERVAL=4", "2004-02-29T04:05:00"),
        ("FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=-1", "2003-01-31T04:05:00"),
    ):
        asked = Recurrence(Schedule(rrule, start, "UTC"))
        slowly = Recurrence(Schedule(f"{rrule};COUNT={MAX_COUNT}", start, "UTC"))
        # What has a count is counted out from its start.
        after, until = ("2001-01-01", "2001-01-04") if "MINUTELY" in rrule else ("2019-01-01", "2029-01-01")
        found = asked.between(ms(after), ms(until))
        assert found, rrule
        assert found == slowly.between(ms(after), ms(until)), rrule


def test_the_next_times_are_found_near_and_far() -> None:
    yearly = Recurrence(Schedule("FREQ=YEARLY", "2020-06-01T12:00:00", "UTC"))
    assert yearly.following(ms("2026-06-01T12:00"), 3) == [ms(f"{year}-06-01T12:00") for year in (2027, 2028, 2029)]
    ended = Recurrence(Schedule("FREQ=DAILY;COUNT=3", "2020-06-01T12:00:00", "UTC"))
    assert ended.following(ms("2020-06-02"), 5) == [ms("2020-06-02T12:00"), ms("2020-06-03T12:00")]
    assert ended.following(ms("2020-06-04")) == []
    late = Recurrence(Schedule("FREQ=DAILY", "2030-06-01T12:00:00", "UTC"))
    assert late.following(ms("2026-01-01")) == [ms("2030-06-01T12:00")]


@pytest.mark.parametrize(
    ("schedule", "member", "code"),
    [
        (("", "2030-01-01T00:00:00", "UTC"), "rrule", "missing"),
        (("FREQ=SOMETIMES", "2030-01-01T00:00:00", "UTC"), "rrule", "invalid"),
        (("INTERVAL=2", "2030-01-01T00:00:00", "UTC"), "rrule", "invalid"),
        (("FREQ=DAILY;INTERVAL=0", "2030-01-01T00:00:00", "UTC"), "rrule", "invalid"),
        (("FREQ=DAILY;INTERVAL=x", "2030-01-01T00:00:00", "UTC"), "rrule", "invalid"),
        (("FREQ=DAILY;BYHOUR=25", "2030-01-01T00:00:00", "UTC"), "rrule", "invalid"),
        (("FREQ=DAILY;BYDAY=XX", "2030-01-01T00:00:00", "UTC"), "rrule", "invalid"),
        (("FREQ=DAILY;FREQ=WEEKLY", "2030-01-01T00:00:00", "UTC"), "rrule", "invalid"),
        (("FREQ=DAILY;COUNT=2;UNTIL=20310101", "2030-01-01T00:00:00", "UTC"), "rrule", "invalid"),
        (("FREQ=DAILY;COUNT=0", "2030-01-01T00:00:00", "UTC"), "rrule", "invalid"),
        (("FREQ=DAILY;UNTIL=tomorrow", "2030-01-01T00:00:00", "UTC"), "rrule", "invalid"),
        (("FREQ=DAILY;UNTIL=20301332", "2030-01-01T00:00:00", "UTC"), "rrule", "invalid"),
        (("FREQ=DAILY\nRRULE:FREQ=WEEKLY", "2030-01-01T00:00:00", "UTC"), "rrule", "invalid"),
        (("DTSTART:20300101T000000Z;FREQ=DAILY", "2030-01-01T00:00:00", "UTC"), "rrule", "not_here"),
        (("FREQ=DAILY;DTEND=20300101T000000Z", "2030-01-01T00:00:00", "UTC"), "rrule", "not_here"),
        (("FREQ=DAILY;DURATION=PT1H", "2030-01-01T00:00:00", "UTC"), "rrule", "not_here"),
        (("FREQ=MINUTELY;INTERVAL=4", "2030-01-01T00:00:00", "UTC"), "rrule", "too_often"),
        (("FREQ=DAILY;BYHOUR=6,7;BYMINUTE=0,58", "2030-01-01T00:00:00", "UTC"), "rrule", "too_often"),
        (("FREQ=SECONDLY;INTERVAL=86400", "2030-01-01T00:00:00", "UTC"), "rrule", "too_often"),
        (("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2030-01-01T00:00:00", "UTC"), "rrule", "never"),
        (("FREQ=DAILY;UNTIL=20290101", "2030-01-01T00:00:00", "UTC"), "rrule", "never"),
        (("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "2030-01-01T00:00:00", "UTC"), "rrule", "never"),
        (("FREQ=HOURLY;BYMINUTE=0,30;BYSETPOS=3", "2030-01-01T00:00:00", "UTC"), "rrule", "invalid"),
        (("FREQ=MINUTELY;INTERVAL=5;BYSETPOS=2", "2030-01-01T00:00:00", "UTC"), "rrule", "invalid"),
        (("FREQ=DAILY", "", "UTC"), "start", "missing"),
        (("FREQ=DAILY", "soon", "UTC"), "start", "invalid"),
        (("FREQ=DAILY", "0001-01-01T00:00:00", "UTC"), "start", "invalid"),
        (("FREQ=DAILY", "2030-01-01T00:00:00Z", "UTC"), "start", "has_zone"),
        (("FREQ=DAILY", "2030-01-01T00:00:00", ""), "timezone", "unknown_zone"),
        (("FREQ=DAILY", "2030-01-01T00:00:00", "../../etc/passwd"), "timezone", "unknown_zone"),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_member(schedule: tuple[str, str, str], member: str, code: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        Recurrence(Schedule(*schedule))
    assert (caught.value.member, caught.value.code) == (member, code)


def test_what_an_rrule_cannot_have_is_named_without_its_value() -> None:
    with pytest.raises(ScheduleError, match="an RRULE here has no DTSTART; give start and timezone"):
        Recurrence(Schedule("DTSTART;TZID=Europe/Paris:20300101T000000\nRRULE:FREQ=DAILY", "2030-01-01", "UTC"))


def test_five_minutes_are_long_enough() -> None:
    found = Recurrence(Schedule("FREQ=MINUTELY;INTERVAL=5", "2020-01-01T00:00:00", "Asia/Kathmandu"))
    assert len(found.between(ms("2026-01-01"), ms("2026-01-02"))) == 288


def test_what_never_comes_true_is_known_soon() -> None:
    """Counted out to the last year of the calendar it takes a hundred times as long."""
    began = time.process_time()
    with pytest.raises(ScheduleError):
        Recurrence(Schedule("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "2030-01-01T00:00:00", "UTC"))
    assert time.process_time() - began < 5
