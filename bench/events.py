"""Events for benchmarks as the real pipelines make them."""

from pathlib import Path

from bench.load import load_lines
from bench.rules import CONTENT
from tocsin.event import Event
from tocsin.intake.formats import read_records
from tocsin.intake.request import Request
from tocsin.pipeline import STAGES, Recipe, passed
from tocsin.rule import Rule
from tocsin.store.rows import encode_event

DATA = Path(__file__).resolve().parents[1] / "tocsin" / "data"


def recipe(rules: list[Rule]) -> Recipe:
    """What the server's workers are given, with these rules."""
    return Recipe(tuple(rules), CONTENT / "pipelines", tuple(sorted(DATA.glob("*.mmdb"))), encode_event)


def normalised(count: int) -> list[Event]:
    """Events after every stage but matching."""
    tools = recipe([]).tools()
    events: list[Event] = []
    for batch in load_lines(count, batch=1000):
        records, _ = read_records(Request(batch, 1_767_657_600_000))
        events += [passed(record, tools, STAGES[:-1]).event for record in records]
    return events
