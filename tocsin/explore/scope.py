"""What a request looks at: a track, a query, a span of time, and the state of the store that it was answered from.

Facet counts, bars and pages agree because they all come from the same scope. Logs only arrive: a scope with a
`snapshot` leaves out what arrived after that moment, so any number of requests see the same events.
A signal's row is replaced when it changes: its answers name the snapshot that they come from, and two answers with the
same snapshot agree.
"""

from dataclasses import dataclass, replace

from tocsin.errors import BadRequest
from tocsin.query import Node, Track, parse_cached
from tocsin.store.tracks import is_replacing


@dataclass(frozen=True, slots=True)
class Scope:
    """`start <= timestamp < end` in Unix milliseconds."""

    track: Track
    query: str
    node: Node
    start: int
    end: int
    snapshot: int | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether the snapshot leaves out later arrivals."""
        return self.snapshot is not None and not is_replacing(self.track.table)

    def within(self, start: int, end: int, snapshot: int | None) -> "Scope":
        return replace(self, start=start, end=end, snapshot=snapshot)


def scope_of(track: Track, query: str, start: int, end: int, snapshot: int | None = None) -> Scope:
    """Raises `QueryError`, or `BadRequest` when the end is before the start."""
    if start > end:
        raise BadRequest("'from' is after 'to'")
    return Scope(track, query, parse_cached(query), start, end, snapshot)
