"""The coverage ledger: which minutes detection has looked at, and what it left out (design §9.2, decision 0090).

A minute is one of arrival. It is *evaluated* when a round that began after its end left nothing behind: then every
match of every rule in it was decided. That is one row a minute, whatever the number of rules; what was skipped or
failed is a row for each rule, minute and reason; and how many logs each source sent is counted once, from the logs. All
else that the ledger says follows from what is stored anyway (`rules/coverage.py`).

Rows replace one another, so that a process that was killed and its heir can write the same minute.
"""

from prometheus_client import CollectorRegistry, Gauge

from tocsin.clock import Clock
from tocsin.evaluate.repository import Progress
from tocsin.signals.ledger_repository import MINUTE_MS, LedgerRows, Skipped

GRACE_MS = 5_000
"""A minute is closed so long after its end: an insert becomes visible a little after its time of arrival."""

BEAT_MS = 10_000
"""How often the state store hears that the engine is at work."""

KEPT_MINUTES = 30
"""What was skipped is counted in memory so long, since a minute may be read more than once."""

MOST_MINUTES = 43_200
"""Minutes that are caught up at once: 30 days, as long as the ledger is kept."""


class Ledger:
    """Kept by the one process that evaluates; call it from one thread. `writer` must be unique to this process."""

    def __init__(
        self, rows: LedgerRows, progress: Progress, clock: Clock, writer: str, registry: CollectorRegistry
    ) -> None:
        self._rows = rows
        self._progress = progress
        self._clock = clock
        self._writer = writer
        self._last: int | None = None
        self._beaten_at: int | None = None
        self._skipped: dict[tuple[str, int, str], Skipped] = {}
        self._unwritten: set[tuple[str, int, str]] = set()
        self._minutes = Gauge(
            "tocsin_coverage_last_minute",
            "Start of the last minute that was evaluated, Unix seconds.",
            registry=registry,
        )

    def skipped(self, rule_id: str, ingested_at: int, reason: str, matches: int = 1, message: str = "") -> None:
        """Matches of a rule were not evaluated; `ingested_at` in Unix milliseconds."""
        key = (rule_id, ingested_at // MINUTE_MS, reason)
        before = self._skipped.get(key)
        total = matches + (before.matches if before else 0)
        self._skipped[key] = Skipped(rule_id, key[1], reason, total, message or (before.message if before else ""))
        self._unwritten.add(key)

    def covered(self, at: int) -> None:
        """A round that began `at` (Unix milliseconds) left nothing behind. Writes the minutes that it has closed."""
        newest = (at - GRACE_MS) // MINUTE_MS - 1
        if self._last is None:
            self._last = self._rows.last_minute()
            if self._last is None:  # the ledger begins: nothing had arrived before
                self._last = at // MINUTE_MS - 1
                self._rows.write([self._last], {}, (), self._writer, self._clock())
        if newest > self._last:
            self._write(range(max(self._last + 1, newest + 1 - MOST_MINUTES), newest + 1))
            self._last = newest
            self._minutes.set(newest * 60)
        if self._beaten_at is None or not 0 <= at - self._beaten_at < BEAT_MS:
            self._progress.save(at, (), self._clock())
            self._beaten_at = at

    def forget(self) -> None:
        """Drop what is in memory, as when another process has been at work."""
        self._last = None
        self._beaten_at = None
        self._skipped.clear()
        self._unwritten.clear()

    def _write(self, minutes: range) -> None:
        arrived = self._rows.arrived(minutes.start, minutes.stop)
        skipped = [self._skipped[key] for key in sorted(self._unwritten)]
        self._rows.write(minutes, arrived, skipped, self._writer, self._clock())
        self._unwritten.clear()
        oldest = minutes.stop - KEPT_MINUTES
        self._skipped = {key: item for key, item in self._skipped.items() if item.minute >= oldest}
