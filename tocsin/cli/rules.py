"""`tocsin rules`: detection rules from the command line."""

import typer

from tocsin.cli import backtest, rules_eval, sigma_import

app = typer.Typer(help="Detection rules.", no_args_is_help=True)
app.command("eval")(rules_eval.evaluate)
app.command("import")(sigma_import.import_rules)
app.command()(backtest.backtest)
