"""`tocsin up`: everything in one process."""

from pathlib import Path
from typing import Annotated

import typer

from tocsin.config import load_config
from tocsin.garbage import collect_nothing


def up(
    data: Annotated[Path | None, typer.Option(help="Directory of the stores; default: ./data.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; default: 8080.")] = None,
    demo: Annotated[bool | None, typer.Option("--demo", help="Fill an empty Tocsin with a story to look at.")] = None,
    reload: Annotated[bool, typer.Option("--reload", help="Start again when the code changes (development).")] = False,
) -> None:
    """Start Tocsin: intake, detection, API and the web application."""
    collect_nothing()
    from tocsin.workers.up import run  # here, so that the other commands need not wait for the whole server

    run(load_config(data=data, host=host, port=port, demo=demo), reload=reload)
