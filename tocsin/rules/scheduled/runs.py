"""Which run is due: a function of the schedule, of the runs that were, and of the time (siem.md §2.22). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.rule import Rule
from tocsin.rules.scheduled.recurrence import recurrence
from tocsin.rules.scheduled.repository import COMPLETED, RUNNING, Run

LAG_MS = 120_000
"""After its time a run waits so long for logs that are on their way."""


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a rule's runs. `active_since`: when it was last switched on, or became a scheduled one.

    `completed` and `latest` are the last run that was completed and the last one of all.
    """

    active_since: int
    completed: Run | None
    latest: Run | None

    @property
    def analysed_until(self) -> int:
        """The logs up to here were looked at, or belong to a time when the rule was off."""
        return max(self.active_since, self.completed.until if self.completed else 0)


def due(rule: Rule, state: State, now: int) -> Run | None:
    """The run that is to begin now, None if there is none.

    It is for all times that have passed since the last completed run: missed ones are caught up together. What failed
    is tried again with the next time.
    """
    if rule.schedule is None:
        return None
    times = recurrence(rule.schedule).between(state.analysed_until, now - LAG_MS)
    if not times or (state.latest is not None and times[-1] <= state.latest.until):
        return None
    return Run(rule.id, times[-1], state.analysed_until, rule.version, RUNNING, len(times), now)


def next_times(rule: Rule, state: State, now: int, count: int) -> list[int]:
    """The times of the runs to come."""
    if rule.schedule is None:
        return []
    after = max(state.analysed_until, now - LAG_MS, state.latest.until if state.latest else 0)
    return recurrence(rule.schedule).following(after, count)


def state_of(versions: Sequence[tuple[int, bool]], runs: Sequence[Run]) -> State | None:
    """`versions`: when each version was saved and whether it is enabled and scheduled, the latest first. `runs`, the
    latest first. None for a rule that does not run."""
    active_since = None
    for at, is_active in versions:
        if not is_active:
            break
        active_since = at
    if active_since is None:
        return None
    return State(
        active_since,
        next((run for run in runs if run.status == COMPLETED), None),
        next(iter(runs), None),
    )
