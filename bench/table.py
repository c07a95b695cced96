"""One line of a benchmark, and all of them as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """`measure` and `baseline` as texts with units; `ratio` of the two as the target speaks of it; `target` likewise.

    `is_met` is None where the target is not a promise.
    """

    name: str
    measure: str
    baseline: str = ""
    ratio: float | None = None
    target: str = ""
    note: str = ""
    is_met: bool | None = None


def show(rows: Sequence[Row], title: str) -> None:
    """Print to standard output, wide enough for a file."""
    table = Table(title=title, title_justify="left")
    for heading in ("what", "measured", "baseline", "ratio", "target", "met", "note"):
        table.add_column(heading, justify="right" if heading in ("measured", "baseline", "ratio") else "left")
    for row in rows:
        met = "" if row.is_met is None else "yes" if row.is_met else "NO"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        table.add_row(row.name, row.measure, row.baseline, ratio, row.target, met, row.note)
    Console(width=160).print(table)
