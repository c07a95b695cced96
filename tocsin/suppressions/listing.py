"""The list of suppressions: search and order (siem.md §5.3).

A suppression is searched in the language of every other search: bare words look at name, description and queries;
`id:`, `enabled:`, `creator:` and its own tags are tags.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tocsin.errors import BadRequest
from tocsin.event import Event
from tocsin.query import parse, to_predicate
from tocsin.query.track import Column, Kind, TextField, Track
from tocsin.suppressions.repository import SuppressionRow

SUPPRESSIONS = Track(
    "suppressions",
    "suppressions",
    {
        "message": Column("message", Kind.TEXT, "String"),
        "tags": Column("tags", Kind.TAGS, "Array(String)", is_list=True),
    },
    (TextField("message"),),
    full_text=(),
)

SORT_KEYS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "name": lambda body: body["name"].casefold(),
    "start_date": lambda body: body.get("start_date") or 0,
    "expiration_date": lambda body: body.get("expiration_date") or float("inf"),
    "update_date": lambda body: body["update_date"],
    "creation_date": lambda body: body["creation_date"],
    "enabled": lambda body: body["enabled"],
}


def matching(rows: Iterable[SuppressionRow], query: str) -> list[SuppressionRow]:
    """The suppressions that a query finds. Raises `QueryError`."""
    if not query.strip():
        return list(rows)
    holds = to_predicate(parse(query), SUPPRESSIONS)
    return [row for row in rows if holds(_event(row))]


def ordered(rows: Iterable[SuppressionRow], sort: str) -> list[SuppressionRow]:
    """By one of `SORT_KEYS`, descending with `-` before it; equal ones by name and id, so that pages are stable."""
    key = SORT_KEYS.get(sort.removeprefix("-"))
    if key is None:
        raise BadRequest(f"Unknown sort '{sort}'; use one of {', '.join(SORT_KEYS)}, with '-' before it to descend")
    by_name = sorted(rows, key=lambda row: (row.body["name"].casefold(), row.id))
    return sorted(by_name, key=lambda row: key(row.body), reverse=sort.startswith("-"))


def paged(rows: Sequence[SuppressionRow], size: int | None, number: int) -> Sequence[SuppressionRow]:
    """A page; everything if no size is given."""
    return rows if size is None else rows[number * size : (number + 1) * size]


def _event(row: SuppressionRow) -> Event:
    body = row.body
    names = ("name", "description", "rule_query", "suppression_query", "data_exclusion_query")
    tags = [f"id:{row.id}", f"enabled:{'true' if body['enabled'] else 'false'}"]
    tags.append(f"creator:{body['creator']['handle']}")
    tags += body.get("tags") or []
    message = "\n".join(body.get(name) or "" for name in names)
    return Event(id=row.id, timestamp=body["update_date"], message=message, tags=[tag.lower() for tag in tags])
