"""Runs scheduled rules over the stored logs or signals, each at its times (siem.md §2.22, decisions 0134, 0170).

A run makes the rule's matches of its stretch of time, as every replay does, and puts them beside those of rules that
see logs as they come in. The evaluator does the rest, so that a scheduled rule raises what a live one would, with the
same life of a signal from one run to the next. A match that is there twice is one; so a run that was cut off is begun
again, at the version of the rule that it had, and changes nothing.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple, Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter

from tocsin.clock import Clock
from tocsin.errors import Abandoned, TocsinError, Unavailable
from tocsin.evaluate.correlation import in_order, reads_signals
from tocsin.evaluate.decision import MatchRow, look
from tocsin.evaluate.lineage import INSTANT
from tocsin.evaluate.method import Plan
from tocsin.evaluate.methods import plan
from tocsin.evaluate.replay import Budget, Replay
from tocsin.evaluate.repository import Matches
from tocsin.rule import Rule
from tocsin.rules.scheduled import repository
from tocsin.rules.scheduled.recurrence import recurrence
from tocsin.rules.scheduled.repository import COMPLETED, FAILED, SKIPPED, Run
from tocsin.rules.scheduled.runs import LAG_MS, due, next_times
from tocsin.rules.scheduled.service import load
from tocsin.store.leases import Leases
from tocsin.store.state import StateStore

LEASE: Final = "scheduled rules"

LEASE_SECONDS = 60
RENEW_SECONDS = 15

SECONDS = 3600
"""That one run may take; beyond it the run fails, and says so."""

SORTED_TOGETHER = 100_000
"""Matches that are put in the order of their groups: those of one group are decided together, at a fraction of the cost
of deciding it again for every few of them."""

ADDED_TOGETHER = 5_000
"""Matches that are stored at once, and decided in one step of the evaluator, for which live ones wait."""

PATIENCE_SECONDS = 5.0
"""So long the evaluator is waited for before more are added: what comes in meanwhile must not queue behind a run."""

LOOK_SECONDS = 0.1

IDLE_SECONDS = 5.0

LOOK_AGAIN_MS = 3_600_000
"""A rule without a time to come is looked at so often."""

KEPT_MS = 90 * 86_400_000
"""Runs are remembered so long."""

SWITCHED_OFF = "the rule was switched off"

_log = structlog.get_logger(__name__)


class Rules(Protocol):
    """What the runner asks of the rules, as detection runs them."""

    def enabled_rules(self) -> Iterable[Rule]: ...
    def rule_at(self, rule_id: str, version: int) -> Rule | None: ...


class _Ended(Exception):
    """The process stops, or another has the lease: the run waits to be begun again."""


class _Late(NamedTuple):
    """Signals that earlier runs could not see: those after `since`, when the version began, that rarer runs of other
    rules have raised from `raised_since` on, a while before the last run looked (Unix milliseconds)."""

    since: int
    raised_since: int


class ScheduledRunner:
    """Run it on a thread of its own. `holder` must be unique to this process."""

    def __init__(
        self,
        state: StateStore,
        rules: Rules,
        replay: Replay,
        matches: Matches,
        leases: Leases,
        clock: Clock,
        holder: str,
        registry: CollectorRegistry,
        seeing: Callable[[Rule], Rule] = lambda rule: rule,
        wake: Callable[[], None] = lambda: None,
        is_evaluated: Callable[[int], bool] = lambda _arrived_at: True,
    ) -> None:
        """`seeing` makes a rule what live detection would run; `wake` tells the evaluator that there are matches, and
        `is_evaluated` whether it has come to those that arrived at a moment (Unix milliseconds)."""
        self._state = state
        self._rules = rules
        self._replay = replay
        self._matches = matches
        self._leases = leases
        self._clock = clock
        self._holder = f"{holder} scheduled"
        self._seeing = seeing
        self._wake = wake
        self._is_evaluated = is_evaluated
        self._not_before: dict[tuple[str, int], int] = {}
        self._are_signals_read = False
        self._ended = Counter(
            "tocsin_scheduled_runs", "Runs of scheduled rules that ended, by status.", ["status"], registry=registry
        )
        self._errors = Counter("tocsin_scheduled_run_errors", "Runs and rounds that failed.", registry=registry)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`."""
        while not stop.is_set():
            try:
                if self.step(stop):
                    continue
            except Exception as error:  # noqa: BLE001 - the edge of a worker: counted, logged, tried again
                self._errors.inc()
                _log.error("scheduled rules will be tried again", error=str(error), kind=type(error).__name__)
            stop.wait(IDLE_SECONDS)

    def step(self, stop: threading.Event | None = None) -> bool:
        """One run; False if none is due, or another process is at work."""
        if self._next() is None:
            return False
        with self._leases.held(LEASE, self._holder, LEASE_SECONDS, RENEW_SECONDS) as lost:
            if lost is None or (run := self._next()) is None:
                return False
            try:
                self._run(run, lambda: lost.is_set() or (stop is not None and stop.is_set()))
            except _Ended:
                return False
        return True

    def _next(self) -> Run | None:
        """The run to begin, or to begin again."""
        enabled = {rule.id: rule for rule in self._rules.enabled_rules() if rule.schedule is not None}
        self._are_signals_read = any(map(reads_signals, enabled.values()))
        with self._state.reading() as session:
            if begun := repository.running(session):
                return begun[0]
        now = self._clock()
        self._not_before = {key: at for key, at in self._not_before.items() if key[0] in enabled}
        # Of runs that are due together, one over signals finds those of the others.
        for rule in in_order(enabled.values()):
            if now < self._not_before.get((rule.id, rule.version), 0):
                continue
            with self._state.reading() as session:
                state = load(session, rule)
            if state is None:
                continue  # it was switched off a moment ago
            if run := due(rule, state, now):
                return run
            times = next_times(rule, state, now, 1)
            self._not_before[rule.id, rule.version] = times[0] + LAG_MS if times else now + LOOK_AGAIN_MS
        return None

    def _run(self, run: Run, is_over: Callable[[], bool]) -> None:
        with self._state.transaction() as session:
            is_begun = any(
                (other.rule_id, other.until) == (run.rule_id, run.until) for other in repository.running(session)
            )
            before = repository.latest(session, run.rule_id, 1, COMPLETED)
            first = repository.first_since(session, run.rule_id, run.rule_version)
            if not is_begun:
                repository.add(session, run)
                repository.forget(session, run.rule_id, self._clock() - KEPT_MS, run.since)
        rule = self._rules.rule_at(run.rule_id, run.rule_version)
        if rule is None or all(enabled.id != run.rule_id for enabled in self._rules.enabled_rules()):
            self._end(run, SKIPPED, error=SWITCHED_OFF)
            return
        late = None
        if first is not None and before[0].rule_version == run.rule_version:
            late = _Late(first, before[0].began_at - LAG_MS)
        try:
            found = self._add_matches(run, self._seeing(rule), late, is_over)
        except (Unavailable, _Ended):
            raise
        except Abandoned as error:
            raise _Ended from error
        except Exception as error:  # noqa: BLE001 - the edge of a run: counted, and told to who made the rule
            self._errors.inc()
            self._end(run, FAILED, error=str(error) or type(error).__name__)
            if not isinstance(error, TocsinError):
                _log.error("a scheduled run failed", rule=run.rule_id, error=str(error), kind=type(error).__name__)
            return
        self._end(run, COMPLETED, matches=found)
        self._wake()

    def _add_matches(self, run: Run, rule: Rule, late: _Late | None, is_over: Callable[[], bool]) -> int:
        """How many matches were added. A version that runs for the first time (`late` is None) also learns what one
        evaluation window held before; later runs find it, and signals that rarer runs have raised since. At the end of
        each time that the run is for the cases are asked once more, where one may hold of nothing."""
        prepared, budget = plan(rule), Budget(SECONDS, is_wanted=lambda: not is_over())
        start, end = run.since + 1, run.until + 1
        if late is None and prepared.has_window_before:
            before = self._replay.matches(rule, start - rule.window_ms, start, budget, is_live=False)
            for rows in _together(before, prepared, is_over):
                self._matches.add_history(rule.id, rule.version | INSTANT, rows)
        pages = self._replay.matches(rule, start, end, budget, is_live=False)
        if late is not None and reads_signals(rule):
            pages = chain(
                self._replay.late_signals(rule, late.since + 1, start, late.raised_since, budget),
                pages,
            )
        found, added_at = 0, 0
        for rows in _together(pages, prepared, is_over):
            if found:
                self._let_evaluate(added_at, is_over)
            added_at = self._clock()
            self._matches.add(rule.id, rule.version, rows, added_at)
            found += len(rows)
        if prepared.asks_at_ends and rule.schedule is not None:
            # after the logs, so that nobody sees a signal of what has come after all
            ends = recurrence(rule.schedule).between(run.since, run.until)
            if found:
                self._let_evaluate(added_at, is_over)
            added_at = self._clock()
            self._matches.add(rule.id, rule.version, [look(at) for at in ends], added_at)
        if (found or prepared.asks_at_ends) and self._are_signals_read:
            self._let_evaluate(added_at, is_over)
        return found

    def _let_evaluate(self, added_at: int, is_over: Callable[[], bool]) -> None:
        """Wait until the matches that were added then are decided, or for a while."""
        self._wake()
        end = time.monotonic() + PATIENCE_SECONDS
        while not self._is_evaluated(added_at) and time.monotonic() < end:
            if is_over():
                raise _Ended
            time.sleep(LOOK_SECONDS)

    def _end(self, run: Run, status: str, matches: int = 0, error: str | None = None) -> None:
        with self._state.transaction() as session:
            repository.end(
                session, run, status=status, matches=matches, error=error and error[:10_000], ended_at=self._clock()
            )
        self._ended.labels(status).inc()


def _together(pages: Iterable[list[MatchRow]], prepared: Plan, is_over: Callable[[], bool]) -> Iterator[list[MatchRow]]:
    """The matches of pages in parts that are worth an insert, each of few groups. Raises `_Ended`."""
    rows: list[MatchRow] = []
    for page in pages:
        if is_over():
            raise _Ended
        rows += page
        if len(rows) >= SORTED_TOGETHER:
            yield from _by_group(rows, prepared)
            rows = []
    yield from _by_group(rows, prepared)


def _by_group(rows: list[MatchRow], prepared: Plan) -> Iterator[list[MatchRow]]:
    """In the order of signal groups, each in event time."""
    rows.sort(key=lambda row: prepared.signal_group(row.group))  # of one group they are in event time
    for first in range(0, len(rows), ADDED_TOGETHER):
        yield rows[first : first + ADDED_TOGETHER]
