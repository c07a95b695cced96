"""`tocsin`: the command line, put together."""

import sys
from typing import Annotated

import typer

from tocsin import __version__
from tocsin.cli import ingest, keys, pipeline, query, rejected, rules, search, settings, up, users
from tocsin.cli.output import report
from tocsin.errors import TocsinError

app = typer.Typer(
    help="Tocsin finds the threats in your logs and gives analysts one place to answer them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(up.up)
app.command()(ingest.ingest)
app.command()(search.search)
app.add_typer(users.app, name="user")
app.add_typer(keys.app, name="key")
app.add_typer(rejected.app, name="rejected")
app.add_typer(query.app, name="query")
app.add_typer(rules.app, name="rules")
app.add_typer(pipeline.app, name="pipeline")
app.command()(settings.config)


def _print_version(value: bool) -> None:
    if value:
        print(f"tocsin {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; an error that we know is one sentence, not a traceback."""
    try:
        app()
    except TocsinError as error:
        report(error)
        sys.exit(2)
    except OSError as error:
        if error.filename is None:
            raise  # no file of the user's
        report(f"{error.filename}: {error.strerror}")
        sys.exit(2)
