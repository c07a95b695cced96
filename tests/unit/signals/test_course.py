"""What a signal's history tells of its severity (siem.md §2.12, §3.7)."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tocsin.rule import SEVERITIES
from tocsin.signals.course import UNADJUSTED, Entry, Reached, Told, untold
from tocsin.signals.severity import Adjustment

LOWERED = Adjustment("environment", "high", "medium", "env:staging")


def reached(at: int, severity: str, *adjustments: Adjustment, case: str = "") -> Reached:
    return Reached(at, severity, case, adjustments)


def test_a_new_signal_is_created_with_the_severity_that_it_has() -> None:
    (entry,) = untold([reached(5, "medium", LOWERED)], None, 9)
    why = "high became medium by the environment: env:staging"
    assert entry == Entry("created", 5, "", "medium", why)


def test_each_case_that_was_reached_is_told_by_its_time_and_name() -> None:
    course = [reached(5, "low"), reached(7, "medium", case="many"), reached(8, "high", case="then success")]
    assert untold(course, None, 9) == [
        Entry("created", 5, "", "low", ""),
        Entry("severity", 7, "low", "medium", "many"),
        Entry("severity", 8, "medium", "high", "then success"),
    ]


def test_what_adjustments_make_equal_is_no_change() -> None:
    asset = Adjustment("critical_asset", "low", "critical", "critical for host:pay-1")
    course = [reached(5, "critical", asset), reached(7, "critical", asset)]
    assert [entry.kind for entry in untold(course, None, 9)] == ["created"]


def test_a_change_that_no_case_explains_is_told_when_it_came() -> None:
    (entry,) = untold([reached(5, "high")], Told(5, 0, "medium"), 9)
    assert entry == Entry("severity", 9, "medium", "high", UNADJUSTED)
    (entry,) = untold([reached(5, "medium", LOWERED)], Told(9, 0, "high"), 9)
    assert (entry.at, entry.sequence, entry.before, entry.after) == (9, 1, "high", "medium")


def test_a_late_event_does_not_tell_a_case_twice() -> None:
    told = Told(8, 0, "high")
    assert untold([reached(5, "low"), reached(6, "high")], told, 9) == []


steps = st.builds(reached, st.integers(0, 9), st.sampled_from(SEVERITIES))


@given(st.lists(st.lists(steps, min_size=1, max_size=4), min_size=1, max_size=5), st.integers(0, 12))
def test_a_history_goes_on_from_what_it_tells_and_ends_with_what_is(courses: list[list[Reached]], hit: int) -> None:
    told, history = None, []
    for course in courses:
        course = sorted(course)
        added = untold(course, told, hit)
        history += added
        told = added[-1].told if added else told
        assert told is not None and told.severity == course[-1].severity
        assert untold(course, told, hit) == []
    assert [entry.kind for entry in history] == ["created"] + ["severity"] * (len(history) - 1)
    assert [(entry.at, entry.sequence) for entry in history] == sorted(
        {(entry.at, entry.sequence) for entry in history}
    )
    assert all(one.after == other.before for one, other in pairwise(history))
