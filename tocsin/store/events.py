"""The event store: tracks, matches and rejected events on the ClickHouse engine (design §3).

One protocol, three shapes behind one setting: the engine in this process (`embedded.py`), a ClickHouse
server, or a cluster of them (`server.py`). Nobody outside the store knows which one it is.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from tocsin.config import Config
from tocsin.query import Sql
from tocsin.store.embedded import open_embedded
from tocsin.store.faults import DirectoryInUse, SchemaTooNew
from tocsin.store.limits import UNLIMITED, Limits, Retention
from tocsin.store.server import open_server

__all__ = [
    "UNLIMITED",
    "DirectoryInUse",
    "EventStore",
    "Limits",
    "Retention",
    "SchemaTooNew",
    "open_event_store",
]


class EventStore(Protocol):
    """All methods may be called from any thread. `Unavailable` when the engine does not answer or the disk is full."""

    @property
    def is_distributed(self) -> bool:
        """Whether the tables are spread over the nodes of a cluster."""

    def migrate(self) -> None:
        """Bring the schema and the retention up to date. Raises `SchemaTooNew`."""

    def insert(self, table: str, lines: bytes, rows: int) -> None:
        """Store JSON lines (`rows.py`); durable when it returns. The same lines twice in a row count once."""

    def query(
        self, sql: Sql, limits: Limits | None = None, settings: Mapping[str, str | int] | None = None
    ) -> list[dict[str, Any]]:
        """Rows as dictionaries; DateTime and DateTime64 columns come back as Unix milliseconds.

        Raises `LimitExceeded` with what to narrow, `Abandoned` once `limits` say that it is not wanted. `settings` are
        the engine's own, for this query.
        """

    def command(self, sql: Sql) -> None:
        """Run a statement that returns nothing, on the node that answers queries."""

    def close(self) -> None: ...


def open_event_store(config: Config) -> EventStore:
    """Open what `events_url` names; the embedded engine, in `data/events`, when it is empty.

    Call `migrate` before the first use. Raises `DirectoryInUse`, `Unavailable`.
    """
    limits = Limits(config.query_seconds, config.query_rows, config.query_memory_bytes)
    retention = Retention(
        config.logs_retention_days,
        config.signals_retention_days,
        config.audit_retention_days,
        config.rejected_retention_days,
    )
    if config.events_url:
        return open_server(config.events_url, limits, retention)
    return open_embedded(config.data / "events", limits, retention, config.memory_bytes)
