"""What the coverage ledger says of a scheduled rule: minutes of its logs' own time, by the runs (design §9.2). Pure.

A minute that a completed run looked at is `evaluated`, or `late` if the run began more than a minute after it was due,
as when missed ones were caught up; `failed` or `skipped` if only a run that failed or was skipped was meant for it;
else `pending` until its run is due, and `not_evaluated` after that.
"""

from bisect import bisect_left
from collections.abc import Sequence

from tocsin.rule import Schedule
from tocsin.rules.scheduled.recurrence import recurrence
from tocsin.rules.scheduled.repository import COMPLETED, Run
from tocsin.rules.scheduled.runs import LAG_MS, State

MINUTE_MS = 60_000

SETTLED_MS = 60_000
"""A run that begins later than this after it was due is late."""

ENDED = "the schedule has ended"
OFF_BEFORE = "switched off before the next run"


def statuses(
    minutes: range, base: Sequence[str], schedule: Schedule, state: State | None, runs: Sequence[Run], now: int
) -> tuple[list[str], dict[int, str]]:
    """The status of each minute, and the reason of some. `base` is what holds where no run was meant for a minute;
    `runs` have ended, in order, and `state` is None while the rule is off."""
    found = list(base)
    reasons: dict[int, str] = {}
    for run in sorted(runs, key=lambda run: (run.status == COMPLETED, run.until)):
        times = recurrence(schedule).between(run.since, run.until) or [run.until]
        for minute in _of(minutes, run.since, run.until):
            at = minute - minutes.start
            reasons.pop(minute, None)
            if run.status != COMPLETED:
                found[at], reasons[minute] = run.status, run.error or run.status
                continue
            due = times[min(bisect_left(times, _last(minute)), len(times) - 1)]
            is_late = run.began_at > due + LAG_MS + SETTLED_MS
            found[at] = "no_data" if base[at] == "no_data" else "late" if is_late else "evaluated"
            if is_late and run.times > 1:
                reasons[minute] = f"{run.times} runs were caught up together"
    covered = max((run.until for run in runs), default=0)
    if covered and (state is None or state.active_since > covered):
        for minute in _of(minutes, covered, state.active_since if state else now):
            found[minute - minutes.start], reasons[minute] = "skipped", OFF_BEFORE
    if state is not None:
        _ahead(minutes, found, reasons, schedule, max(state.analysed_until, covered), now)
    return found, reasons


def _ahead(minutes: range, found: list[str], reasons: dict[int, str], schedule: Schedule, since: int, now: int) -> None:
    """The minutes that no run has been for yet."""
    ahead = _of(minutes, since, minutes.stop * MINUTE_MS)
    if not ahead:
        return
    end = ahead.stop * MINUTE_MS
    times = [*recurrence(schedule).between(since, end), *recurrence(schedule).following(end)]
    for minute in ahead:
        place = bisect_left(times, _last(minute))
        if place == len(times):
            found[minute - minutes.start], reasons[minute] = "skipped", ENDED
        else:
            is_due = now > times[place] + LAG_MS + SETTLED_MS
            found[minute - minutes.start] = "not_evaluated" if is_due else "pending"


def _of(minutes: range, since: int, until: int) -> range:
    """Those of the minutes that end in `(since, until]`."""
    return range(max((since + 1) // MINUTE_MS, minutes.start), min((until + 1) // MINUTE_MS, minutes.stop))


def _last(minute: int) -> int:
    """The last millisecond of a minute."""
    return (minute + 1) * MINUTE_MS - 1
