"""Logs that several runs of a benchmark may share, since to load millions of them takes longer than to measure."""

import gc
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tocsin.config import Config
from tocsin.query import Sql
from tocsin.store.events import EventStore, open_event_store


@contextmanager
def kept_logs(setting: str, fill: Callable[[EventStore], object]) -> Iterator[EventStore]:
    """A store in the directory that the variable `setting` names, else in one that goes; `fill` is asked for logs when
    there are none."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as temporary:
        data = Path(os.environ.get(setting) or temporary)
        store = open_event_store(Config(data=data, logs_retention_days=0, signals_retention_days=0))
        try:
            store.migrate()
            if not store.query(Sql("SELECT 1 FROM logs LIMIT 1")):
                fill(store)
            gc.collect()
            gc.freeze()  # as the server does
            yield store
        finally:
            store.close()
