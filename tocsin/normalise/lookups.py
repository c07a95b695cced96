"""What processors ask of others: places of addresses, parsed user agents and URLs. Wired by the bootstrap."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Place = Callable[[str], dict[str, Any]]
"""Text of an address to the object of siem.md §1.4 (`country`, `continent`, …); empty if unknown or private."""


RowOf = Callable[[str, str], dict[str, Any] | None]
"""Name of a reference table and a primary key to the row; None if it is not there. Raises where there is no such table,
which the processor is left behind with."""


def _nothing(_: str) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Lookups:
    """Each function returns a new object that the caller may keep and change; only `row` may return None."""

    place: Place = _nothing
    user_agent: Callable[[str], dict[str, Any]] = _nothing
    url: Callable[[str], dict[str, Any]] = _nothing
    row: RowOf = lambda table, key: None
