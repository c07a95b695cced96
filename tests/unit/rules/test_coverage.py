"""One status for each minute: what was seen, what was not, and why; nothing that cannot be known."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import BadRequest
from tocsin.rule import Rule, RuleQuery
from tocsin.rules.coverage import (
    NO_BASELINE,
    STATUSES,
    Base,
    Cell,
    Known,
    Minutes,
    RuleCoverage,
    Told,
    coverage_of,
    sources_of,
    span_of,
    statuses_of,
    waiting_base,
)
from tocsin.signals.ledger_repository import MINUTE_MS, Skipped

START = 29_000_000
END = START + 10
IN_TIME = {START + i: (START + i + 1) * MINUTE_MS + 6_000 for i in range(10)}


def rule(*queries: str) -> Rule:
    return Rule("aaa-bbb-ccc", "R", "", tuple(RuleQuery("a", query) for query in queries), ())


def covered(
    evaluated: dict[int, int] = IN_TIME,
    sources: dict[str, dict[int, int]] | None = None,
    skipped: tuple[Skipped, ...] = (),
    switches: tuple[tuple[int, bool], ...] = ((0, True),),
    query: str = "source:sshd",
    step: int = 1,
    now: int = END + 60,
) -> RuleCoverage:
    sent = {"sshd": dict.fromkeys(range(START, END), 5)} if sources is None else sources
    known = Known(span_of(START * MINUTE_MS, END * MINUTE_MS, step), now * MINUTE_MS, evaluated, sent)
    asked = sources_of(rule(query))
    told = Told(rule(query), asked, Base(statuses_of(known, asked)), switches, skipped)
    found = coverage_of(Minutes(known.span, told), {START: 3})
    assert found.cells == tuple(one_by_one(told, begin, step) for begin in range(START, END, step))
    assert found.minutes == sum((Counter(cell.minutes) for cell in found.cells), Counter())
    return found


def one_by_one(told: Told, begin: int, step: int) -> Cell:
    """A cell by looking at each of its minutes."""
    counts, reasons = Counter[str](), dict[str, None]()
    for minute in range(begin, min(begin + step, END)):
        first, stop = minute * MINUTE_MS, (minute + 1) * MINUTE_MS
        moments = [first, *(at for at, _ in told.switches if first < at < stop)]
        is_off = not any(is_enabled_at(told.switches, at) for at in moments)
        of_minute = [item for item in told.skipped if item.minute == minute]
        if is_off:
            reasons["not enabled"] = None
        for item in of_minute:
            reasons[f"{item.reason}: {item.message or f'{item.matches} matches'}"] = None
        if of_minute:
            counts["failed" if any(item.reason == "failed" for item in of_minute) else "skipped"] += 1
        else:
            counts["off" if is_off else told.base.statuses[minute - START]] += 1
    worst = next(status for status in STATUSES if counts[status])
    return Cell(begin * MINUTE_MS, worst, dict(counts), 3 if begin == START else 0, tuple(reasons)[:5])


def is_enabled_at(switches: Sequence[tuple[int, bool]], at: int) -> bool:
    before = [is_enabled for moment, is_enabled in switches if moment <= at]
    return bool(before) and before[-1]


def statuses(found: RuleCoverage) -> list[str]:
    return [cell.status for cell in found.cells]


def test_all_is_well() -> None:
    found = covered()
    assert found.minutes == {"evaluated": 10}
    assert [cell.matches for cell in found.cells] == [3] + [0] * 9


def test_matches_that_wait_for_a_baseline_are_not_evaluated_yet() -> None:
    span = span_of(START * MINUTE_MS, (START + 4) * MINUTE_MS, 1)
    base = Base(["evaluated", "late", "no_data", "not_evaluated"])
    waiting, reasons = waiting_base(span, base, [START + 1, START + 3])
    assert waiting.statuses == ["evaluated", "pending", "no_data", "not_evaluated"]
    told = Told(rule("*"), None, waiting, ((0, True),), (), reasons)
    found = coverage_of(Minutes(span, told), {START + 1: 2})
    assert found.minutes == {"evaluated": 1, "pending": 1, "no_data": 1, "not_evaluated": 1}
    assert [cell.reasons for cell in found.cells] == [(), (NO_BASELINE,), (), ()]


def test_a_minute_that_nobody_looked_at_is_a_hole_once_it_should_have_been() -> None:
    evaluated = {minute: at for minute, at in IN_TIME.items() if minute < START + 6}
    assert statuses(covered(evaluated)) == ["evaluated"] * 6 + ["not_evaluated"] * 4
    assert statuses(covered(evaluated, now=START + 9)) == ["evaluated"] * 6 + ["not_evaluated"] * 1 + ["pending"] * 3


def test_a_minute_that_was_looked_at_long_after_is_late() -> None:
    assert statuses(covered(IN_TIME | {START + 2: (START + 9) * MINUTE_MS}))[2] == "late"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("source:sshd", "evaluated"),
        ("source:nginx", "no_data"),
        ("source:(nginx OR sshd) @a:b", "evaluated"),
        ("source:nginx OR @a:b", "evaluated"),  # it may be of any source, and something came
        ("-source:sshd", "evaluated"),
    ],
)
def test_no_data_is_said_of_the_sources_that_a_rule_asks_for(query: str, expected: str) -> None:
    assert statuses(covered(query=query))[5] == expected


def test_no_data_of_any_source() -> None:
    assert statuses(covered(sources={}, query="@a:b")) == ["no_data"] * 10


def test_sources_of_all_queries_count() -> None:
    assert sources_of(rule("source:a", "source:b @x:y")) == {"a", "b"}
    assert sources_of(rule("source:a", "@x:y")) is None


def test_what_was_skipped_or_failed_says_why() -> None:
    skipped = (
        Skipped("aaa-bbb-ccc", START + 1, "late", 4),
        Skipped("aaa-bbb-ccc", START + 2, "failed", 7, "too many"),
        Skipped("aaa-bbb-ccc", START + 2, "late", 1),
    )
    found = covered(skipped=skipped)
    assert statuses(found)[:4] == ["evaluated", "skipped", "failed", "evaluated"]
    assert found.cells[1].reasons == ("late: 4 matches",)
    assert found.cells[2].reasons == ("failed: too many", "late: 1 matches")


def test_a_rule_is_off_while_it_is_not_enabled() -> None:
    made, off, on = ((START + i) * MINUTE_MS for i in (2, 5, 7))
    found = covered(switches=((made, True), (off, False), (on, True)))
    assert statuses(found) == [*["off"] * 2, *["evaluated"] * 3, *["off"] * 2, *["evaluated"] * 3]
    assert found.cells[0].reasons == ("not enabled",)


def test_a_rule_that_was_never_enabled_is_off_in_the_minute_that_it_was_made_in() -> None:
    assert statuses(covered(switches=(((START + 3) * MINUTE_MS + 5_000, False),))) == ["off"] * 10


def test_a_cell_of_several_minutes_shows_the_worst() -> None:
    evaluated = {minute: at for minute, at in IN_TIME.items() if minute != START + 3}
    found = covered(evaluated, step=5)
    assert statuses(found) == ["not_evaluated", "evaluated"]
    assert found.cells[0].minutes == {"evaluated": 4, "not_evaluated": 1}


def test_a_cell_in_which_a_rule_was_off_for_a_part_shows_what_it_was_else() -> None:
    found = covered(switches=(((START + 3) * MINUTE_MS, True),), step=5)
    assert statuses(found) == ["evaluated", "evaluated"]
    assert found.cells[0].minutes == {"off": 3, "evaluated": 2}


MOMENTS = st.integers((START - 3) * MINUTE_MS, (END + 3) * MINUTE_MS)
SKIPPED = st.builds(
    Skipped,
    st.just("aaa-bbb-ccc"),
    st.integers(START, END - 1),
    st.sampled_from(["failed", "late", "rule disabled"]),
    st.integers(1, 9),
)


@given(
    moments=st.lists(MOMENTS, unique=True, max_size=5).map(sorted),
    begins_enabled=st.booleans(),
    skipped=st.lists(SKIPPED, max_size=6).map(tuple),
    evaluated=st.sets(st.integers(START, END - 1)),
    heard=st.sets(st.integers(START, END - 1)),
    step=st.sampled_from([1, 3, 10]),
)
def test_minutes_are_counted_as_they_are_told_one_by_one(
    moments: list[int],
    begins_enabled: bool,
    skipped: tuple[Skipped, ...],
    evaluated: set[int],
    heard: set[int],
    step: int,
) -> None:
    switches = tuple((at, (i % 2 == 0) == begins_enabled) for i, at in enumerate(moments))
    at = {minute: IN_TIME[minute] for minute in evaluated}
    found = covered(at, {"sshd": dict.fromkeys(heard, 1)}, skipped, switches, step=step)
    assert sum(found.minutes.values()) == END - START


def test_thirty_days_may_begin_within_a_minute() -> None:
    now = END * MINUTE_MS + 1
    assert span_of(now - 30 * 86_400_000, now).end == END + 1


def test_what_cannot_be_shown_is_refused() -> None:
    for start, end, step in ((MINUTE_MS, MINUTE_MS, 0), (0, 31 * 86_400_000, 0), (0, 2 * 86_400_000, 1)):
        with pytest.raises(BadRequest):
            span_of(start, end, step)
