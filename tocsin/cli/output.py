"""What all commands print alike: errors on standard error, and log content that cannot command the terminal."""

from rich.console import Console
from rich.text import Text


def report(error: Exception | str, console: Console | None = None, label: str = "error:") -> None:
    """An error in one sentence; nothing in it is markup."""
    message = Text.assemble((label, "bold"), " " + printable(str(error), keep="\n"))
    (console or Console(stderr=True)).print(message, highlight=False, soft_wrap=True)


def printable(text: str, keep: str = "") -> str:
    """The text without control characters: what a sender wrote can neither colour a terminal nor move its cursor."""
    return "".join(c if c.isprintable() or c in keep else " " for c in text)
