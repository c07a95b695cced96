"""Instantaneous baselines: what a rule would have learned from the logs that are stored already (siem.md §2.14, §2.15).

Before a rule that asks for it is evaluated for the first time, its matches of the look-back are made from the stored
logs, by the same code that replays do it with, and stored under a version of their own that never raises anything. From
then on they are history as that of an earlier version is (`lineage.py`). Killed on the way, it is simply done again.

Reading months of logs takes its time, so it is done on a thread of its own: meanwhile the evaluator puts off what the
rule has matched, and goes on with the other rules.
"""

import threading
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from sqlalchemy.orm import Session

from tocsin.clock import Clock
from tocsin.errors import Abandoned, Unavailable
from tocsin.evaluate.lineage import INSTANT, Taught
from tocsin.evaluate.replay import Budget, Replay
from tocsin.evaluate.repository import Matches
from tocsin.store import settings
from tocsin.store.state import StateStore

SECONDS: Final = 3600.0
"""That reading the stored logs of one rule may take; beyond it the rule fails, and says so."""

IDLE_SECONDS: Final = 5.0

_log = structlog.get_logger(__name__)


class InstantBaselines:
    """See `evaluator.Baselines`. `ensure` asks for a baseline, `run` makes those that were asked for."""

    def __init__(
        self, replay: Replay, matches: Matches, state: StateStore, clock: Clock, registry: CollectorRegistry
    ) -> None:
        self._replay = replay
        self._matches = matches
        self._state = state
        self._clock = clock
        self._lock = threading.Lock()
        self._asked = threading.Event()
        self._wanted: dict[str, Taught] = {}
        self._made: set[str] = set()
        self._failed: dict[str, Exception] = {}
        self._waiting = Gauge(
            "tocsin_baselines_waiting", "Rules whose baseline is not made from stored logs yet.", registry=registry
        )
        self._errors = Counter("tocsin_baseline_errors", "Baselines that could not be made.", registry=registry)

    def ensure(self, found: Taught) -> bool:
        if not found.plan.has_instant_baseline:
            return True
        name = _name(found)
        with self._lock:
            if name in self._made:
                return True
            if (error := self._failed.pop(name, None)) is not None:
                raise error
            if name in self._wanted:
                return False
        with self._state.reading() as session:
            is_there = is_made(session, found)
        with self._lock:
            if is_there:
                self._made.add(name)
            else:
                self._wanted[name] = found
                self._waiting.set(len(self._wanted))
        self._asked.set()
        return is_there

    def wake(self) -> None:
        self._asked.set()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`."""
        while not stop.is_set():
            self._asked.clear()
            try:
                if self.step(stop):
                    continue
            except Unavailable as error:
                _log.error("a baseline will be tried again", error=str(error))
            self._asked.wait(IDLE_SECONDS)

    def step(self, stop: threading.Event | None = None) -> bool:
        """Make one baseline; False if none is wanted. Raises `Unavailable` when a store does."""
        with self._lock:
            name = next(iter(self._wanted), None)
            found = self._wanted[name] if name is not None else None
        if name is None or found is None:
            return False
        failed: Exception | None = None
        try:
            self._make(name, found, stop)
        except Abandoned:
            return False
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - the edge of a worker: counted, and told as the rule's failure
            self._errors.inc()
            failed = error
        with self._lock:
            del self._wanted[name]
            self._waiting.set(len(self._wanted))
            if failed is None:
                self._made.add(name)
            else:
                self._failed[name] = failed
        return True

    def _make(self, name: str, found: Taught, stop: threading.Event | None) -> None:
        first, now = found.first, self._clock()
        budget = Budget(SECONDS, is_wanted=lambda: stop is None or not stop.is_set())
        for rows in self._replay.matches(first, first.updated_at - found.plan.lookback_ms, now, budget):
            self._matches.add_history(first.id, first.version | INSTANT, rows)
        with self._state.transaction() as session:
            settings.put(session, name, now, now)


def is_made(session: Session, found: Taught) -> bool:
    """Whether the baseline from stored logs is there."""
    return bool(settings.get(session, _name(found), 0))


def _name(found: Taught) -> str:
    """Of the setting that says that the baseline is there."""
    return f"baseline.{found.first.id}.{found.first.version}"
