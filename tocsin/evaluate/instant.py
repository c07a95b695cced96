"""Instantaneous baselines: what a rule would have learned from the logs that are stored already (siem.md §2.14, §2.15).

Before a rule that asks for it is evaluated for the first time, its matches of the look-back are made from the stored
logs, by the same code that replays do it with, and stored under a version of their own that never raises anything. From
then on they are history as that of an earlier version is (`lineage.py`). Killed on the way, it is simply done again.
"""

from tocsin.clock import Clock
from tocsin.evaluate.lineage import INSTANT, Taught
from tocsin.evaluate.replay import Budget, Replay
from tocsin.evaluate.repository import Matches
from tocsin.store import settings
from tocsin.store.state import StateStore

SECONDS = 120.0
"""That reading the stored logs of one rule may take; the evaluation of other rules waits for it."""


class InstantBaselines:
    """See `evaluator.Baselines`."""

    def __init__(self, replay: Replay, matches: Matches, state: StateStore, clock: Clock) -> None:
        self._replay = replay
        self._matches = matches
        self._state = state
        self._clock = clock

    def ensure(self, found: Taught) -> None:
        if not found.plan.has_instant_baseline:
            return
        first = found.first
        done = f"baseline.{first.id}.{first.version}"
        with self._state.reading() as session:
            if settings.get(session, done, 0):
                return
        now = self._clock()
        since = first.updated_at - found.plan.lookback_ms
        for rows in self._replay.matches(first, since, now, Budget(SECONDS)):
            self._matches.add_history(first.id, first.version | INSTANT, rows)
        with self._state.transaction() as session:
            settings.put(session, done, now, now)
