"""What a query may cost, and how long rows are kept."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may cost; reaching a limit raises `LimitExceeded`. 0 = no limit."""

    seconds: float = 20
    rows: int = 500_000_000
    memory_bytes: int = 1_500_000_000


UNLIMITED = Limits(seconds=0, rows=0, memory_bytes=0)


@dataclass(frozen=True, slots=True)
class Retention:
    """Days that each table keeps its rows; 0 = for ever. Matches, and the ledger of what was evaluated, go
    with the logs that they speak of."""

    logs: int = 30
    signals: int = 456
    audit: int = 0
    rejected: int = 30

    def days(self) -> Mapping[str, int]:
        return {
            "logs": self.logs,
            "matches": self.logs,
            "signals": self.signals,
            "suppressed": self.signals,
            "historical": self.signals,
            "audit": self.audit,
            "rejected": self.rejected,
            "coverage": self.logs,
        }
