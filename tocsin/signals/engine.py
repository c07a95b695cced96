"""Detection at work: one process at a time evaluates matches and writes signals; the others stand by.

The evaluator and the triage messages share one lock within the process and one lease among processes, so a row of
`signals` has one writer.
"""

import threading
import time
from collections.abc import Sequence
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from tocsin.clock import Clock
from tocsin.errors import TocsinError
from tocsin.evaluate.evaluator import Evaluator
from tocsin.signals.ledger import Ledger
from tocsin.signals.writer import DRAINED, SignalWriter
from tocsin.store.leases import Leases

LEASE: Final = "signals"

LEASE_SECONDS = 20
"""A step takes well under a second; a killed process delays its heirs by at most this."""

RENEW_MS = 5_000

IDLE_SECONDS = 0.25
"""How often the store is asked for new matches when nobody wakes the engine."""

REST_SECONDS = 0.1
"""After a round the engine rests as long as the round took, at most this: the intake needs the cores as well."""

RETRY_SECONDS = 2.0

LONG_ROUND_SECONDS = 0.8
"""While a round has been going on for longer, no more is stored that the next one would have to evaluate."""

MOST_HOLD_SECONDS = 2.0
"""So long at most, whatever becomes of the round: late detection is better than logs that nobody takes."""

PROJECT_SECONDS = 2.0
"""How long a triage change waits to see itself in the explorer."""

_log = structlog.get_logger(__name__)


class SignalEngine:
    """Runs the evaluator and the writer. `holder` must be unique to this process."""

    def __init__(
        self,
        evaluator: Evaluator,
        writer: SignalWriter,
        leases: Leases,
        clock: Clock,
        holder: str,
        registry: CollectorRegistry,
        correlator: Evaluator | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        """`correlator` evaluates the rules over signals, after the others. `ledger` hears which minutes are done."""
        self.evaluator = evaluator
        self._correlator = correlator
        self._ledger = ledger
        self._writer = writer
        self._leases = leases
        self._clock = clock
        self._holder = holder
        self._turn = threading.Lock()
        self._rounds = threading.Condition()
        self._round_began: float | None = None
        self._awake = threading.Event()
        self._leased_until = 0
        self._is_behind = False
        self._errors = Counter("tocsin_evaluator_errors", "Steps of the engine that failed.", registry=registry)
        self._active = Gauge("tocsin_evaluator_active", "1 if this process evaluates.", registry=registry)
        self._rested = Gauge(
            "tocsin_evaluator_rested_at",
            "Start of the last round that left nothing to do, Unix s.",
            registry=registry,
        )

    def wake(self) -> None:
        """New matches may be there: look now rather than at the next round. Cheap, from any thread."""
        self._awake.set()

    def step(self) -> bool:
        """One round of everything; True if there is more to do. Does nothing while another process is at work."""
        with self._turn:
            if not self._is_ours():
                return False
            self._round_began = time.monotonic()
            try:
                return self._round()
            finally:
                with self._rounds:
                    self._round_began = None
                    self._rounds.notify_all()

    def hold(self) -> None:
        """Wait while evaluation takes long (decision 0164). The intake asks before each commit, from its own thread."""
        end = time.monotonic() + MOST_HOLD_SECONDS
        with self._rounds:
            while (began := self._round_began) is not None:
                now = time.monotonic()
                if now - began < LONG_ROUND_SECONDS or now >= end:
                    return
                self._rounds.wait(end - now)

    def project(self, signal_ids: Sequence[str]) -> None:
        """Bring signals up to date after a triage change; returns when they are, or after a short while, or at once if
        another process is at work: it will find the messages."""
        del signal_ids  # the messages name them, in order, with all others that wait
        end = time.monotonic() + PROJECT_SECONDS
        if not self._turn.acquire(timeout=PROJECT_SECONDS):
            return
        try:
            if self._is_ours():
                while self._writer.drain() and time.monotonic() < end:
                    pass
        except TocsinError as error:  # the decision stands and its message waits: the next round delivers it
            self._errors.inc()
            _log.error("a triage change is not in the explorer yet", error=str(error))
        finally:
            self._turn.release()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; a failed round is logged, counted and repeated."""
        while not stop.is_set():
            self._awake.clear()
            begun = time.monotonic()
            try:
                if self.step() and self._is_behind:
                    continue
                stop.wait(min(time.monotonic() - begun, REST_SECONDS))
                self._awake.wait(IDLE_SECONDS)
            except Exception as error:  # noqa: BLE001 - the edge of a worker: counted, logged, tried again
                self._errors.inc()
                _log.error("evaluation failed, will be repeated", error=str(error), kind=type(error).__name__)
                stop.wait(RETRY_SECONDS)
        with self._turn:
            if self._leased_until:
                self._leased_until = 0
                self._leases.release(LEASE, self._holder)

    def _round(self) -> bool:
        begun = self._clock()
        grows = self.evaluator.step()
        self._is_behind = self.evaluator.is_behind
        if self._correlator is not None:
            # What it raises may be correlated again: it comes to rest, since rules over signals form no cycle.
            self._is_behind |= self._correlator.step() or self._correlator.has_stored
        if self._ledger is not None and not self._is_behind:
            self._ledger.covered(begun)
        self._is_behind |= self._writer.drain() >= DRAINED
        self._writer.close_due()
        if not grows and not self._is_behind:
            self._rested.set(begun / 1000)
        return grows or self._is_behind

    def _is_ours(self) -> bool:
        """Whether this process holds the lease; renewed well before it ends."""
        now = self._clock()
        if self._leased_until - now > LEASE_SECONDS * 1000 - RENEW_MS:
            return True
        was_ours = self._leased_until > now
        if not self._leases.acquire(LEASE, self._holder, LEASE_SECONDS):
            self._leased_until = 0
            self._active.set(0)
            return False
        if not was_ours:  # others may have worked meanwhile: what is in memory is not to be trusted
            self.evaluator.forget()
            if self._correlator is not None:
                self._correlator.forget()
            if self._ledger is not None:
                self._ledger.forget()
            self._writer.forget()
        self._leased_until = now + LEASE_SECONDS * 1000
        self._active.set(1)
        return True
