"""The runs of a scheduled rule, for people (siem.md §2.22)."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from tocsin.clock import Clock
from tocsin.errors import NotFound
from tocsin.rule import Rule, Schedule
from tocsin.rules.scheduled import repository
from tocsin.rules.scheduled.recurrence import recurrence
from tocsin.rules.scheduled.repository import COMPLETED, Run
from tocsin.rules.scheduled.runs import State, next_times, state_of
from tocsin.rules.service import RulesService
from tocsin.store.state import StateStore

SHOWN_RUNS = 20
SHOWN_TIMES = 5


class NotScheduled(NotFound):
    def __init__(self, rule_id: str) -> None:
        super().__init__(f"Rule {rule_id} has no schedule: it looks at logs as they come in")


@dataclass(frozen=True, slots=True)
class Overview:
    """`runs`, the latest first. Times in Unix milliseconds; None and none for a rule that is switched off."""

    schedule: Schedule
    analysed_until: int | None
    next_times: tuple[int, ...]
    runs: tuple[Run, ...]


class ScheduledRuns:
    """Reads only; for any thread of any process."""

    def __init__(self, state: StateStore, rules: RulesService, clock: Clock) -> None:
        self._state = state
        self._rules = rules
        self._clock = clock

    def of(self, rule_id: str) -> Overview:
        """Raises `RuleNotFound`, or `NotScheduled`."""
        rule = self._rules.get(rule_id)
        if rule.schedule is None:
            raise NotScheduled(rule_id)
        with self._state.reading() as session:
            runs = repository.latest(session, rule_id, SHOWN_RUNS)
            state = load(session, rule)
        if state is None:
            return Overview(rule.schedule, None, (), tuple(runs))
        times = next_times(rule, state, self._clock(), SHOWN_TIMES)
        return Overview(rule.schedule, state.analysed_until, tuple(times), tuple(runs))

    def times_of(self, schedule: Schedule) -> list[int]:
        """The next times of a schedule that need not be stored. Raises `ScheduleError`."""
        return recurrence(schedule).following(self._clock(), SHOWN_TIMES)


def load(session: Session, rule: Rule) -> State | None:
    """What is known of a rule's runs; None for one that does not run."""
    runs = [*repository.latest(session, rule.id, 1), *repository.latest(session, rule.id, 1, COMPLETED)]
    return state_of(repository.activity(session, rule.id), runs)
