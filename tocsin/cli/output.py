"""What all commands print alike: errors on standard error, and log content that cannot command the terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 500
"""Characters of a line that nobody's terminal cuts."""


def report(error: Exception | str, console: Console | None = None, label: str = "error:") -> None:
    """An error in one sentence; nothing in it is markup."""
    message = Text.assemble((label, "bold"), " " + printable(str(error), keep="\n"))
    (console or Console(stderr=True)).print(message, highlight=False, soft_wrap=True)


def note(text: str) -> None:
    """A remark beside the result, which stands alone on standard output."""
    Console(stderr=True).print(Text(printable(text)), highlight=False, soft_wrap=True)


def printable(text: str, keep: str = "") -> str:
    """The text without control characters: what a sender wrote can neither colour a terminal nor move its cursor."""
    return "".join(c if c.isprintable() or c in keep else " " for c in text)


def cell(value: object) -> Text:
    """A table's cell: what somebody wrote is neither markup nor a command to the terminal."""
    return Text(printable("" if value is None else str(value)))


def plain_table(*headings: str) -> Table:
    """A table without lines."""
    return Table(*headings, box=None, padding=(0, 2, 0, 0), header_style="bold")


def print_table(table: Table) -> None:
    """Cut to the width of the terminal; into a pipe with all that there is."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH)
    console.print(table)
