"""Where a page ended, as an opaque text for the client (api.md §1, paging)."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import orjson

from tocsin.errors import BadRequest
from tocsin.explore.sorting import Sort

Key = tuple[Any, ...]
"""Sort values of one event: `(time, id)`, or `(is missing, is text, number, text, time, id)`."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The key of the last event of a page, and the frame that the first page was answered in.

    `now-15m` moves between two pages; the frame does not.
    """

    sort: Sort
    start: int
    end: int
    snapshot: int | None
    key: Key

    def text(self) -> str:
        values = [self.sort.field, self.sort.is_descending, self.start, self.end, self.snapshot, *self.key]
        return base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def parse_cursor(text: str) -> Cursor:
    """Raises `BadRequest` for anything that `Cursor.text` did not make."""
    try:
        values = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        field, is_descending, start, end, snapshot, *key = values
    except (binascii.Error, ValueError, TypeError):
        raise _broken() from None
    is_sound = (
        isinstance(field, str)
        and isinstance(is_descending, bool)
        and all(type(each) is int for each in (start, end))
        and (snapshot is None or type(snapshot) is int)
        and [type(each) for each in key] in ([int, str], [int, int, float, str, int, str])
    )
    if not is_sound:
        raise _broken()
    return Cursor(Sort(field, is_descending), start, end, snapshot, tuple(key))


def _broken() -> BadRequest:
    return BadRequest("page.cursor is not one that this API gave out: take it from meta.page.after as it is")
