"""`tocsin config`: the effective settings."""

from dataclasses import fields

from rich.console import Console
from rich.table import Table

from tocsin.config import Config, load_config


def config() -> None:
    """Print the effective settings with their meaning; secrets only say whether they are set."""
    shown = load_config().shown()
    table = Table("setting", "environment", "value", "meaning", box=None, padding=(0, 2, 0, 0))
    for item in fields(Config):
        table.add_row(item.name, f"TOCSIN_{item.name.upper()}", shown[item.name], item.metadata["doc"])
    Console().print(table)
