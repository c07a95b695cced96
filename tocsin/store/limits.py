"""What a query may cost, and how long rows are kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may cost; reaching a limit raises `LimitExceeded`. 0 = no limit.

    `is_wanted` is asked from time to time, on another thread, and ends the query with `Abandoned` when it says no.
    """

    seconds: float = 20
    rows: int = 500_000_000
    memory_bytes: int = 1_500_000_000
    is_wanted: Callable[[], bool] | None = None


UNLIMITED = Limits(seconds=0, rows=0, memory_bytes=0)


LEARNED_DAYS = 61
"""Rules that learn look back so far: 30 days of learning, and 30 in which nothing was forgotten (decision 0083)."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Days that each table keeps its rows; 0 = for ever. The ledger of what was evaluated goes with the logs that it
    speaks of; matches, which are small, stay for as long as rules learn from them."""

    logs: int = 30
    signals: int = 456
    audit: int = 0
    rejected: int = 30

    def days(self) -> Mapping[str, int]:
        return {
            "logs": self.logs,
            "matches": self.logs and max(self.logs, LEARNED_DAYS),
            "signals": self.signals,
            "suppressed": self.signals,
            "historical": self.signals,
            "audit": self.audit,
            "rejected": self.rejected,
            "coverage": self.logs,
        }
