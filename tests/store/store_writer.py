"""What runs in processes of its own in the tests of the embedded engine: a writer to be killed, a reader after it."""

import json
from pathlib import Path

from tocsin.config import Config
from tocsin.event import Event
from tocsin.query import Sql
from tocsin.rule import Match
from tocsin.store.events import EventStore, open_event_store
from tocsin.store.rows import encode_event

SIZE = 50
NOW = 1_795_000_000_000


def _open(data: Path) -> EventStore:
    store = open_event_store(Config(data=data, logs_retention_days=0))
    store.migrate()
    return store


def write_for_ever(data: Path) -> None:
    """Insert batch after batch; print the number of each when its insert has returned."""
    store = _open(data)
    number = 0
    while True:
        events = [
            Event(id=f"{number}-{i}", timestamp=NOW + i, ingested_at=NOW + number, service=str(number))
            for i in range(SIZE)
        ]
        lines = b"\n".join(encode_event(event, [Match("rule", 1, 0, (str(number),))]) for event in events)
        store.insert("logs", lines, SIZE)
        print(number, flush=True)
        number += 1


def batches(data: Path) -> None:
    """Print how many logs and how many matches of each batch there are after a restart."""
    store = _open(data)
    logs = store.query(Sql("SELECT service AS batch, count() AS n FROM logs GROUP BY batch"))
    matches = store.query(Sql("SELECT `group`[1] AS batch, count() AS n FROM matches GROUP BY batch"))
    print(json.dumps([{row["batch"]: row["n"] for row in rows} for rows in (logs, matches)]))
