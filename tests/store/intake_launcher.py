"""An intake of its own process, to be killed: reads requests from standard input, prints what was acknowledged.

A request is a line `number TAB body`; an answer is a line `number TAB stored TAB rejected TAB duplicates`.
"""

import sys
import threading
from pathlib import Path

from prometheus_client import CollectorRegistry

from tocsin.clock import now_ms
from tocsin.config import Config
from tocsin.enrich import Enricher, Places
from tocsin.intake.metrics import IntakeMetrics
from tocsin.intake.processors import InChild, Prepare
from tocsin.intake.request import Request
from tocsin.intake.service import Intake
from tocsin.match import Matcher
from tocsin.normalise.normaliser import Normaliser
from tocsin.pipeline import Tools, prepare
from tocsin.query import Sql
from tocsin.rule import Rule, RuleQuery
from tocsin.store.events import EventStore, open_event_store
from tocsin.store.rows import encode_event

RULES = (Rule("every", "", "", (RuleQuery("a", "*", group_by_fields=("@n",)),), ()),)


def setup() -> Prepare:
    tools = Tools(Normaliser([]), Enricher(Places().place), Matcher(RULES))
    return lambda work: prepare(work, tools, encode_event)


def open_store(data: Path) -> EventStore:
    store = open_event_store(Config(data=data, logs_retention_days=0, rejected_retention_days=0, memory_bytes=10**9))
    store.migrate()
    return store


def serve(data: Path) -> None:
    from intake_launcher import setup  # under its own name, which the workers can import

    intake = Intake(
        open_store(data), [InChild(setup), InChild(setup)], clock=now_ms, metrics=IntakeMetrics(CollectorRegistry())
    )
    intake.start()
    writing = threading.Lock()

    def answer(number: str, future) -> None:
        receipt = future.result()
        with writing:
            print(number, receipt.stored, receipt.rejected, receipt.duplicates, sep="\t", flush=True)

    print("ready", flush=True)
    for line in sys.stdin:
        number, _, body = line.partition("\t")
        future = intake.submit(Request(body.encode(), now_ms()))
        future.add_done_callback(lambda future, number=number: answer(number, future))
    intake.stop()


def stored(data: Path) -> None:
    """Print, after a restart, the numbers of all stored events and of their matches, and the rejected texts."""
    store = open_store(data)
    for row in store.query(Sql("SELECT message FROM logs")):
        print("log", row["message"], sep="\t")
    for row in store.query(Sql("SELECT `group`[1] AS n FROM matches")):
        print("match", row["n"], sep="\t")
    for row in store.query(Sql("SELECT raw FROM rejected FINAL")):
        print("rejected", row["raw"], sep="\t")
    store.close()


if __name__ == "__main__":
    {"serve": serve, "stored": stored}[sys.argv[1]](Path(sys.argv[2]))
