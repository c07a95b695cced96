"""`tocsin query eval` line by line: parsing and answering, against the plain reference evaluator of the tests."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson

from bench.table import Row
from tocsin.config import Config
from tocsin.query import QueryError, parse
from tocsin.query.evaluate import evaluate_lines
from tocsin.store.events import open_event_store

TESTS = Path(__file__).resolve().parents[1] / "tests"
LINES = 20_000
TARGET = 5_000


def run(lines: int = LINES) -> list[Row]:
    """Rows for queries seen again and again, for queries each seen once, and for the SQL back end."""
    sys.path.insert(0, str(TESTS))
    from query_cases import asked
    from query_reference import matches

    cases = [
        (query, event) for _, query, event, track, _, code in asked("examples.txt") if track == "logs" and not code
    ]
    asked_again = [cases[number % len(cases)] for number in range(lines)]
    asked_once = [(f"{query} z{number}", event) for number, (query, event) in enumerate(asked_again)]
    sample = asked_again[: max(1, lines // 20)]

    def plainly() -> list[bool]:
        return [matches(parse(query), event) for query, event in sample]

    baseline = _rate(plainly, len(sample))
    again = _rate(lambda: list(evaluate_lines(_lines(asked_again))), lines)
    once = _rate(lambda: list(evaluate_lines(_lines(asked_once))), lines)
    with tempfile.TemporaryDirectory() as directory:
        engine = open_event_store(Config(data=Path(directory)))
        by_sql = _rate(lambda: list(evaluate_lines(_lines(asked_again), "sql", engine)), lines, clock=time.perf_counter)
        engine.close()
    characters = sum(len(query) for query, _ in asked_once)
    parsed = _rate(lambda: [_parsed(query) for query, _ in asked_once], lines)
    plain = f"{baseline:,.0f} lines/s plainly"
    return [
        Row(
            "eval, queries seen before",
            f"{again:,.0f} lines/s",
            plain,
            again / baseline,
            f">= {TARGET:,}",
            "",
            again >= TARGET,
        ),
        Row(
            "eval, each query new", f"{once:,.0f} lines/s", plain, once / baseline, f">= {TARGET:,}", "", once >= TARGET
        ),
        Row("eval by SQL", f"{by_sql:,.0f} lines/s", plain, by_sql / baseline, "", f"{len(cases)} distinct queries"),
        Row("parse", f"{parsed:,.0f} queries/s", "", None, "", f"{parsed * characters / lines:,.0f} characters/s"),
    ]


def _lines(pairs: Iterable[tuple[str, dict[str, Any]]]) -> Iterable[bytes]:
    return (orjson.dumps({"id": number, "query": query, "event": event}) for number, (query, event) in enumerate(pairs))


def _parsed(query: str) -> object:
    try:
        return parse(query)
    except QueryError as error:
        return error


def _rate(work: Callable[[], object], count: int, clock: Callable[[], float] = time.process_time) -> float:
    """Lines a second of this process's own time, making the lines included."""
    began = clock()
    work()
    return count / (clock() - began)
