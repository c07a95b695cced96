"""`tocsin config`: the effective settings."""

from dataclasses import fields

from tocsin.cli.output import cell, note, plain_table, print_table
from tocsin.config import Config, load_config, misspelt


def config() -> None:
    """Print the effective settings with their meaning; secrets only say whether they are set."""
    shown = load_config().shown()
    table = plain_table("setting", "environment", "value", "meaning")
    for item in fields(Config):
        table.add_row(*map(cell, (item.name, f"TOCSIN_{item.name.upper()}", shown[item.name], item.metadata["doc"])))
    print_table(table)
    for name, near in misspelt():
        note(f"{name} is no setting; did you mean {near}?")
