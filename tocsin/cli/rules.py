"""`tocsin rules`: detection rules from the command line."""

import typer

from tocsin.cli import backtest

app = typer.Typer(help="Detection rules.", no_args_is_help=True)
app.command()(backtest.backtest)
