"""What the coverage ledger says of scheduled rules, and which run is due."""

from dataclasses import replace

from tocsin.rule import Rule, RuleCase, RuleQuery, Schedule
from tocsin.rules.scheduled.coverage import statuses
from tocsin.rules.scheduled.repository import Run
from tocsin.rules.scheduled.runs import LAG_MS, State, due, next_times, state_of

MINUTE = 60_000
BORN = 1_767_225_600_000  # the beginning of 2026
FIRST = BORN // MINUTE
TEN = Schedule("FREQ=MINUTELY;INTERVAL=10", "2026-01-01T00:00:00", "UTC")
RULE = Rule("aaa-aaa-aaa", "r", "m", (RuleQuery("a", "*"),), (RuleCase("low", "a > 0"),), version=3, schedule=TEN)


def run(since: int, until: int, status: str = "completed", times: int = 1, waited: float = 2, error: str = "") -> Run:
    """Times in minutes; `waited` after its time."""
    ended = BORN + round((until + waited) * MINUTE)
    return Run("aaa-aaa-aaa", BORN + until * MINUTE, BORN + since * MINUTE, 1, status, times, ended, ended, 0, error)


def told(runs: list[Run], state: State | None, now: float, minutes: int = 40, base: str = "evaluated") -> str:
    """One letter for each minute."""
    span = range(FIRST, FIRST + minutes)
    found, _ = statuses(span, [base] * minutes, TEN, state, runs, BORN + round(now * MINUTE))
    return "".join(status[0] for status in found)


def state(*runs: Run, since: int = 0) -> State:
    known = state_of([(BORN + since * MINUTE, True), (BORN - MINUTE, False)], list(reversed(runs)))
    assert known is not None
    return known


def test_minutes_are_what_became_of_their_runs() -> None:
    runs = [run(0, 10), run(10, 20)]
    assert told(runs, state(*runs), 25) == "e" * 20 + "p" * 20
    assert told(runs, state(*runs), 33.5) == "e" * 20 + "n" * 10 + "p" * 10, "the run of 30 did not begin"
    assert told(runs, state(*runs), 25, base="no_data") == "n" * 20 + "p" * 20


def test_runs_that_were_missed_are_late_and_their_minutes_say_why() -> None:
    runs = [run(0, 10), run(10, 40, times=3)]
    assert told(runs, state(*runs), 43) == "e" * 10 + "l" * 20 + "e" * 10
    _, reasons = statuses(range(FIRST, FIRST + 40), ["evaluated"] * 40, TEN, state(*runs), runs, BORN + 43 * MINUTE)
    assert set(reasons.values()) == {"3 runs were caught up together"}
    assert told([run(0, 10, waited=4)], state(run(0, 10)), 15) == "l" * 10 + "p" * 30


def test_failed_until_it_is_caught_up() -> None:
    failed = run(10, 20, "failed", error="too long")
    runs = [run(0, 10), failed]
    assert told(runs, state(*runs), 25) == "e" * 10 + "f" * 10 + "p" * 20
    _, reasons = statuses(range(FIRST, FIRST + 20), ["evaluated"] * 20, TEN, state(*runs), runs, BORN)
    assert set(reasons.values()) == {"too long"}
    runs.append(run(10, 30, times=2))
    assert told(runs, state(*runs), 35) == "e" * 10 + "l" * 10 + "e" * 10 + "p" * 10


def test_what_was_switched_off_is_skipped() -> None:
    assert told([run(0, 10)], None, 30) == "e" * 10 + "s" * 20 + "e" * 10, "what is off says the ledger itself"
    assert told([run(0, 10)], state(run(0, 10), since=25), 31) == "e" * 10 + "s" * 15 + "p" * 15
    assert told([], state(since=5), 7) == "e" * 5 + "p" * 35, "before, it looked at logs as they came in"
    ended = replace(TEN, rrule="FREQ=MINUTELY;INTERVAL=10;COUNT=2")  # at 0 and at 10
    found, reasons = statuses(range(FIRST, FIRST + 12), ["evaluated"] * 12, ended, state(), [], BORN)
    assert (found[9:], reasons) == (["pending", "skipped", "skipped"], dict.fromkeys((FIRST + 10, FIRST + 11), ENDED))


ENDED = "the schedule has ended"


def test_a_run_is_due_when_its_time_is_over_by_the_lag() -> None:
    fresh = state()
    assert due(RULE, fresh, BORN + 10 * MINUTE + LAG_MS - 1) is None
    first = due(RULE, fresh, BORN + 10 * MINUTE + LAG_MS)
    assert first is not None
    assert (first.since, first.until, first.times, first.rule_version) == (BORN, BORN + 10 * MINUTE, 1, 3)
    assert next_times(RULE, fresh, BORN + MINUTE, 2) == [BORN + 10 * MINUTE, BORN + 20 * MINUTE]
    done = state(run(0, 10))
    assert due(RULE, done, BORN + 21 * MINUTE) is None
    assert next_times(RULE, done, BORN + 21 * MINUTE, 1) == [BORN + 20 * MINUTE]
    merged = due(RULE, done, BORN + 43 * MINUTE)
    assert merged is not None
    assert (merged.since, merged.until, merged.times) == (BORN + 10 * MINUTE, BORN + 40 * MINUTE, 3)
    failed = state(run(0, 10), run(10, 20, "failed"))
    assert due(RULE, failed, BORN + 23 * MINUTE) is None
    again = due(RULE, failed, BORN + 33 * MINUTE)
    assert again is not None
    assert (again.since, again.times) == (BORN + 10 * MINUTE, 2)
    assert due(replace(RULE, schedule=None), done, BORN + 43 * MINUTE) is None


def test_a_rule_runs_since_it_was_last_switched_on() -> None:
    versions = [(300, True), (200, True), (150, False), (100, True)]
    known = state_of(versions, [])
    assert known is not None
    assert (known.active_since, known.analysed_until) == (200, 200)
    assert state_of([(150, False), (100, True)], []) is None
