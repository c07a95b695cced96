"""How explanations write numbers and times: one way everywhere."""

from tocsin.signals.resource import iso


def number(value: float) -> str:
    """`5`, `2.5`, `1,200`."""
    return f"{int(value):,}" if float(value).is_integer() else f"{value:,.3f}".rstrip("0")


def moment(at: str | int) -> str:
    """A time (RFC 3339, or Unix milliseconds) as people read it: `2026-01-01 00:04:10`, UTC; with milliseconds only
    where there are any."""
    text = iso(at) if isinstance(at, int) else at
    return text.removesuffix("Z").removesuffix(".000").replace("T", " ")


def several(count: int, what: str) -> str:
    """`1 event`, `3 events`."""
    return f"{number(count)} {what}" if count == 1 else f"{number(count)} {what}s"
