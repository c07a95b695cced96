"""The engine in this process (chDB), on one data directory."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from tocsin.errors import Unavailable
from tocsin.store.clickhouse import SESSION_SETTINGS, ClickHouseEvents
from tocsin.store.faults import DirectoryInUse
from tocsin.store.limits import Limits, Retention
from tocsin.store.pool import Pool

READERS = 8
WRITERS = 4

LOCK_FILE = "tocsin.lock"

_CACHES = {
    "mark_cache_size": 0.10,
    "primary_index_cache_size": 0.05,
    "index_mark_cache_size": 0.05,
    "text_index_tokens_cache_size": 0.03,
    "text_index_header_cache_size": 0.03,
    "text_index_postings_cache_size": 0.06,
    "query_condition_cache_size": 0.02,
    "compiled_expression_cache_size": 0.02,
}
"""Shares of the memory; the engine's own sizes (5 GB for marks alone) are meant for a whole server."""


class EmbeddedEvents(ClickHouseEvents):
    """`ClickHouseEvents` that gives the data directory back when it is closed."""

    def __init__(self, lock: IO[str], pool: Pool, writers: Pool, limits: Limits, retention: Retention) -> None:
        super().__init__(pool, writers, [writers], limits=limits, retention=retention)
        self._lock = lock

    def close(self) -> None:
        super().close()
        self._lock.close()


def open_embedded(directory: Path, limits: Limits, retention: Retention, memory_bytes: int) -> EmbeddedEvents:
    """Open (or create) the data directory. Raises `DirectoryInUse`, `Unavailable`."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = _lock(directory)
    connect = _connector(directory, memory_bytes)
    try:
        connect().close()
    except ClickHouseError as error:
        lock.close()
        raise Unavailable(f"cannot open the event store in {directory}: {error}") from error
    return EmbeddedEvents(lock, Pool(connect, READERS), Pool(connect, WRITERS), limits, retention)


def _connector(directory: Path, memory_bytes: int) -> Callable[[], Client]:
    _take_no_signals()
    options = {"max_server_memory_usage": memory_bytes}
    options |= {name: int(memory_bytes * share) for name, share in _CACHES.items()}

    def connect() -> Client:
        return clickhouse_connect.get_client(
            interface="chdb", path=str(directory), chdb_options=options, settings=dict(SESSION_SETTINGS)
        )

    return connect


def _take_no_signals() -> None:
    """Leave Ctrl-C and crash reports to Python; must come before the first connection."""
    from chdb import _chdb

    _chdb.set_signal_handlers_enabled(0)  # type: ignore[attr-defined]  # missing from its stub


def _lock(directory: Path) -> IO[str]:
    """An advisory lock that dies with the process, so that a kill leaves nothing to clean up."""
    file = (directory / LOCK_FILE).open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise DirectoryInUse(
            f"another tocsin (process {holder}) is running on {directory}: stop it, or choose another directory "
            "with --data; commands such as `tocsin search` talk to the running server and need no directory"
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
