"""A store in memory and a simple stand-in for the pipeline."""

import threading
from collections.abc import Callable

import orjson
from prometheus_client import CollectorRegistry
from waiting import PATIENCE

from tocsin.errors import Unavailable
from tocsin.event import Event, event_id
from tocsin.intake.batch import Prepared, Work
from tocsin.intake.formats import read_records
from tocsin.intake.metrics import IntakeMetrics
from tocsin.intake.processors import InThread, Prepare
from tocsin.intake.request import Request
from tocsin.intake.service import Intake
from tocsin.query.sql import Sql


class MemoryRows:
    """Tables as lists of rows. `faults` holds what the next inserts raise; `gate` holds them, `waiting` so many."""

    def __init__(self) -> None:
        self.tables: dict[str, list[dict]] = {"logs": [], "rejected": []}
        self.faults: list[tuple[Exception, bool]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = 0
        self.inserts: list[tuple[str, int]] = []

    def fail(self, error: Exception, *, after_storing: bool = False) -> None:
        self.faults.append((error, after_storing))

    def insert(self, table: str, lines: bytes, rows: int) -> None:
        self.waiting += 1
        assert self.gate.wait(PATIENCE)
        self.waiting -= 1
        fault, after_storing = self.faults.pop(0) if self.faults else (None, False)
        if fault is not None and not after_storing:
            raise fault
        found = [orjson.loads(line) for line in lines.split(b"\n")]
        assert len(found) == rows
        self.tables[table] += found
        self.inserts.append((table, rows))
        if fault is not None:
            raise fault

    def query(self, sql: Sql) -> list[dict]:
        if "max(ingested_at) AS at" in sql.text:
            return [{"at": max([round(float(row["ingested_at"]) * 1000) for row in self.tables["logs"]], default=0)}]
        if sql.text.startswith("SELECT id FROM logs"):
            wanted = sql.parameters.get("ids")
            ids = [row["id"] for row in reversed(self.tables["logs"])]
            return [{"id": id} for id in ids if wanted is None or id in wanted]
        raise NotImplementedError(sql.text)

    @property
    def ids(self) -> list[str]:
        return [row["id"] for row in self.tables["logs"]]


def encode(event: Event) -> bytes:
    return orjson.dumps(
        {"id": event.id, "timestamp": event.timestamp, "n": event.attributes, "ingested_at": "0000000000.000"}
    )


def prepare(work: Work) -> Prepared:
    """Objects become events by their `timestamp`; an object that says `reject` and what is unreadable does not."""
    prepared = Prepared()
    if isinstance(work, Request):
        records, bad = read_records(work)
        for record, why in bad:
            prepared.reject_unreadable(record, why.code, why.reason)
    else:
        records = list(work)
    for record in records:
        body = record.body if isinstance(record.body, dict) else {"message": record.body}
        if "reject" in body:
            prepared.reject(record, "asked", "it says so")
            continue
        at = body["timestamp"] if isinstance(body.get("timestamp"), int) else record.received_at
        id = event_id(at, record.raw, record.occurrence)
        prepared.add(id, encode(Event(id, at, attributes=body)))
    return prepared


def setup() -> Prepare:
    return prepare


def make_intake(
    rows: MemoryRows, processors=None, clock: Callable[[], int] = lambda: 1_700_000_000_000, **more
) -> Intake:
    return Intake(
        rows,
        processors or [InThread(setup)],
        clock=clock,
        metrics=IntakeMetrics(CollectorRegistry()),
        **{"linger_seconds": 0.002, **more},
    )


def full_disk() -> Unavailable:
    return Unavailable("the disk of the event store is full: free space or shorten the retention")
