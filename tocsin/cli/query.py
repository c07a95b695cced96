"""`tocsin query eval`: the query language, from a pipe."""

import sys
import tempfile
from contextlib import ExitStack
from enum import StrEnum
from typing import Annotated

import typer

from tocsin.query.evaluate import evaluate_lines

app = typer.Typer(help="Try the query language.", no_args_is_help=True)


class Backend(StrEnum):
    PREDICATE = "predicate"
    SQL = "sql"


@app.callback()
def _group() -> None:
    pass


@app.command("eval")
def evaluate(
    backend: Annotated[Backend, typer.Option(help="In Python, or on the embedded engine.")] = Backend.PREDICATE,
) -> None:
    """Read JSON lines {"id", "query", "event"} and write {"id", "result"}: match, no_match or parse_error."""
    with ExitStack() as stack:
        engine = None
        if backend is Backend.SQL:
            from tocsin.bootstrap import engine_for_queries  # here, so that no other command waits for the engine

            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-query-"))
            engine = stack.enter_context(engine_for_queries(directory))
        out = sys.stdout.buffer
        for line in evaluate_lines(sys.stdin.buffer, backend.value, engine):
            out.write(line)
        out.flush()
