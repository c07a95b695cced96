"""`tocsin rules`: detection rules from the command line."""

import typer

from tocsin.cli import backtest, rules_eval, rules_files, rules_test, sigma_import

app = typer.Typer(help="Detection rules.", no_args_is_help=True)
app.command("eval")(rules_eval.evaluate)
app.command("test")(rules_test.test)
app.command("import")(sigma_import.import_rules)
app.command()(rules_files.export)
app.command()(rules_files.diff)
app.command()(rules_files.apply)
app.command()(backtest.backtest)
