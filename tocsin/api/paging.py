"""Paging by number, times as text: what several parts of the API share (api.md §1)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query


@dataclass(frozen=True, slots=True)
class PageNumber:
    """Which page of a list: `size` items, `number` from 0."""

    size: int
    number: int


async def page_number(
    size: Annotated[int, Query(alias="page[size]", ge=1, le=100)] = 10,
    number: Annotated[int, Query(alias="page[number]", ge=0, le=1_000_000)] = 0,
) -> PageNumber:
    return PageNumber(size, number)


Paging = Annotated[PageNumber, Depends(page_number)]


def timestamp(ms: int) -> str:
    """Unix milliseconds as RFC 3339, UTC, to the millisecond."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def maybe_timestamp(ms: int | None) -> str | None:
    return None if ms is None else timestamp(ms)
