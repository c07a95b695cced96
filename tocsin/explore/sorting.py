"""The order of a list, and the place in it where a page ends.

Every order ends in time and id, so that it is total: equal sort values neither repeat nor vanish between pages.
"""

from dataclasses import dataclass

from tocsin.errors import BadRequest

TIME = "timestamp"


@dataclass(frozen=True, slots=True)
class Sort:
    """By `timestamp`, or by any field as a query writes it. Events without a value come last, either way."""

    field: str = TIME
    is_descending: bool = True

    @property
    def is_by_time(self) -> bool:
        return self.field == TIME


def parse_sort(text: str | None) -> Sort:
    """`timestamp`, `-timestamp`, `-@duration`; None is newest first."""
    if text is None:
        return Sort()
    field = text.removeprefix("-")
    if not field:
        raise BadRequest("the sort names no field: write timestamp, -timestamp, or a field such as -@duration")
    return Sort(field, text.startswith("-"))
