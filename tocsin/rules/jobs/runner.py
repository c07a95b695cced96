"""Runs historical jobs: one at a time among all processes, as long as each needs.

A job that was cut off by a kill is the oldest unfinished one, so it is run again from its beginning, and writes the
same rows: ids of results come from the job and the events, so nothing is doubled and nothing is lost.
"""

import threading
from collections.abc import Callable
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter

from tocsin.clock import Clock
from tocsin.errors import Abandoned, Unavailable
from tocsin.evaluate.replay import Budget, Replay, Replayed
from tocsin.rule import Rule
from tocsin.rules.executable import executable
from tocsin.rules.jobs import repository
from tocsin.rules.jobs.repository import COMPLETED, FAILED, RUNNING, JobResults, JobRow
from tocsin.rules.jobs.results import removal, result
from tocsin.rules.shape import rule_from_api
from tocsin.signals.repository import SignalRows
from tocsin.signals.severity import Assets
from tocsin.signals.suppression import NO_SUPPRESSIONS, Suppressions
from tocsin.store.leases import Leases
from tocsin.store.state import StateStore

LEASE: Final = "historical jobs"

LEASE_SECONDS = 60
RENEW_SECONDS = 15

SECONDS = 24 * 3600
"""More than any job should take; beyond it the job fails, and says so."""

WRITTEN_TOGETHER = 200

READ_SHARE = 0.9
"""Of the progress: reading; the rest is writing the results."""

IDLE_SECONDS = 2.0

SAVE_MS = 1_000
"""Progress is saved this often, and a cancelled job noticed."""

_log = structlog.get_logger(__name__)


class _Ended(Exception):
    """The job was cancelled or deleted, or another process has it."""


class JobRunner:
    """Run it on a thread of its own. `holder` must be unique to this process."""

    def __init__(
        self,
        state: StateStore,
        replay: Replay,
        rows: SignalRows,
        results: JobResults,
        leases: Leases,
        clock: Clock,
        holder: str,
        registry: CollectorRegistry,
        seeing: Callable[[Rule], Rule],
        assets: Callable[[], Assets | None] = lambda: None,
        suppressions: Callable[[], Suppressions] = lambda: NO_SUPPRESSIONS,
    ) -> None:
        """`seeing` makes a rule what live detection would run, `assets` gives the critical assets, `suppressions` what
        hides signals."""
        self._state = state
        self._replay = replay
        self._rows = rows
        self._results = results
        self._leases = leases
        self._clock = clock
        self._holder = f"{holder} jobs"
        self._seeing = seeing
        self._assets = assets
        self._suppressions = suppressions
        self._awake = threading.Event()
        self._lost = threading.Event()
        self._finished = Counter(
            "tocsin_historical_jobs", "Historical jobs that ended, by status.", ["status"], registry=registry
        )
        self._errors = Counter("tocsin_historical_job_errors", "Jobs and rounds that failed.", registry=registry)

    def wake(self) -> None:
        self._awake.set()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`."""
        while not stop.is_set():
            self._awake.clear()
            try:
                if self.step(stop):
                    continue
            except Exception as error:  # noqa: BLE001 - the edge of a worker: counted, logged, tried again
                self._errors.inc()
                _log.error("a historical job will be repeated", error=str(error), kind=type(error).__name__)
            self._awake.wait(IDLE_SECONDS)

    def step(self, stop: threading.Event | None = None) -> bool:
        """Run the oldest unfinished job; False if there is none, or another process is at work."""
        with self._state.reading() as session:
            job = repository.next_job(session)
        if job is None:
            return False
        with self._leases.held(LEASE, self._holder, LEASE_SECONDS, RENEW_SECONDS) as lost:
            if lost is None:
                return False
            self._lost = lost
            try:
                self._run(job, stop or threading.Event())
            except _Ended:
                return not lost.is_set() and not (stop and stop.is_set())
        return True

    def remove_results(self, job_id: str) -> None:
        """Make a job's results disappear; harmless when repeated."""
        for rows in self._results.pages(job_id):
            self._rows.insert([removal(row, self._clock()) for row in rows])

    def _run(self, job: JobRow, stop: threading.Event) -> None:
        self._save(job, stop, status=RUNNING, progress=0.0)
        try:
            found = self._found(job, stop)
        except (Unavailable, _Ended):
            raise
        except Abandoned as error:
            raise _Ended from error
        except Exception as error:  # noqa: BLE001 - the edge of a job: counted, and told to who made it
            self._errors.inc()
            self._end(job, FAILED, error=str(error) or type(error).__name__)
            return
        if job.signal_output:
            self._write(job, found, stop)
        failed = "; ".join(f"group {list(group)}: {reason}" for group, reason in sorted(found.failures.items()))
        self._end(job, COMPLETED, signals=len(found.decisions), progress=1.0, error=failed[:10_000] or None)

    def _found(self, job: JobRow, stop: threading.Event) -> Replayed:
        rule = self._seeing(executable(rule_from_api(job.rule)))
        start, end = job.definition["from"], job.definition["to"]
        saved_at = self._clock()

        def on_page(at: int) -> None:
            nonlocal saved_at
            now = self._clock()
            if now - saved_at >= SAVE_MS:
                saved_at = now
                share = min(max(at - start, 0) / (end - start), 1.0)
                self._save(job, stop, progress=round(share * READ_SHARE, 4))

        budget = Budget(SECONDS, is_wanted=self._wanting(job, stop))
        return self._replay.run(rule, start, end, budget, is_live=False, on_page=on_page)

    def _wanting(self, job: JobRow, stop: threading.Event) -> Callable[[], bool]:
        """Says, also while a statement runs, whether the job is ours to go on with."""
        looked_at, is_active = self._clock(), True

        def is_wanted() -> bool:
            nonlocal looked_at, is_active
            if (now := self._clock()) - looked_at >= SAVE_MS:
                looked_at = now
                with self._state.reading() as session:
                    row = repository.load(session, job.id)
                is_active = row is not None and row.is_active
            return is_active and not self._lost.is_set() and not stop.is_set()

        return is_wanted

    def _write(self, job: JobRow, found: Replayed, stop: threading.Event) -> None:
        decisions = found.decisions
        for first in range(0, len(decisions), WRITTEN_TOGETHER):
            part = decisions[first : first + WRITTEN_TOGETHER]
            share = READ_SHARE + (1 - READ_SHARE) * first / len(decisions)
            self._save(job, stop, progress=round(share, 4), signals=first)
            refs = [list(dict.fromkeys([*decision.first_events, *decision.last_events])) for decision in part]
            wanted = {(ref.timestamp, ref.event_id) for named in refs for ref in named}
            events = self._replay.events(found.plan.rule, wanted)
            assets, suppressions = self._assets(), self._suppressions()
            lines = [
                result(
                    job.id,
                    job.name,
                    found.plan,
                    decision,
                    [events[ref.event_id] for ref in named if ref.event_id in events],
                    job.created_at,
                    self._clock(),
                    assets,
                    suppressions,
                ).line
                for decision, named in zip(part, refs, strict=True)
            ]
            self._rows.insert(lines)

    def _save(self, job: JobRow, stop: threading.Event, **values: object) -> None:
        """Raises `_Ended` if the job is not ours to go on with."""
        if self._lost.is_set() or stop.is_set():
            raise _Ended
        with self._state.transaction() as session:
            if not repository.change(session, job.id, modified_at=self._clock(), **values):
                raise _Ended

    def _end(self, job: JobRow, status: str, **values: object) -> None:
        with self._state.transaction() as session:
            ended = repository.change(session, job.id, status=status, modified_at=self._clock(), **values)
        if ended:
            self._finished.labels(status).inc()
            return
        with self._state.reading() as session:
            is_gone = repository.load(session, job.id) is None
        if is_gone:  # cancelled and deleted while the last rows were written
            self.remove_results(job.id)
