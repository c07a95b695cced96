"""`tocsin pipeline eval`: a pipeline, tried on samples from a pipe."""

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from tocsin.cli.output import note
from tocsin.errors import BadRequest

app = typer.Typer(help="Try pipelines.", no_args_is_help=True)

SHOWN_FAILURES = 10


@app.callback()
def _group() -> None:
    pass


@app.command("eval")
def evaluate(
    pipeline: Annotated[Path, typer.Argument(help="A pipeline as JSON, as the API or a published integration has it.")],
) -> None:
    """Read samples as JSON lines (a text, or an object with `message` and attributes) and write the processed events.

    One JSON line each: custom, message, service, status, tags, timestamp.
    """
    from tocsin.bootstrap import lookups_for_tests  # here, so that no other command waits for it
    from tocsin.normalise.evaluate import Evaluation

    try:
        body = orjson.loads(pipeline.read_bytes())
    except OSError as error:
        raise BadRequest(f"{pipeline} cannot be read: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"{pipeline} is not JSON: {error}") from error
    evaluation = Evaluation(body, lookups_for_tests())
    out = sys.stdout.buffer
    for line in evaluation.lines(iter(sys.stdin.buffer)):
        out.write(line)
    out.flush()
    for failure in evaluation.failures[:SHOWN_FAILURES]:
        note(f"a processor of '{failure.pipeline}' failed and was left out: {failure.error}")
    if len(evaluation.failures) > SHOWN_FAILURES:
        note(f"{len(evaluation.failures) - SHOWN_FAILURES} more failed")
