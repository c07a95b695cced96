"""What a request looks at: a track, a query, a span of time, and the state of the store that it was answered from.

Facet counts, bars and pages agree because they all come from the same scope. Logs only arrive: a scope that is held to
a `snapshot` leaves out what arrived after that moment, so any number of requests see the same events. One that is not
held shows all that there is, and names the snapshot to hold others to.
A signal's row is replaced when it changes: its answers name the snapshot that they come from, and two answers with the
same snapshot agree.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tocsin.errors import BadRequest
from tocsin.query import Field, Node, Track, parse_cached
from tocsin.query.columns import OTHERS, STRINGS, encode_path
from tocsin.store.tracks import is_replacing

_PLAIN_TYPES = frozenset(("String", "Int64", "UInt64"))


@dataclass(frozen=True, slots=True)
class Shapes:
    """What attributes hold. `lists` are the paths of `in_lists`; None where that is not known: all may be there.

    `types` answers the types of the single values of a path.
    """

    lists: frozenset[str] | None = None
    types: Callable[[str], frozenset[str]] = lambda path: frozenset()

    def may_be_list(self, field: Field) -> bool:
        """Whether some event has several values there."""
        if self.lists is None:
            return True
        path = encode_path(field.name)
        return f"{STRINGS}.{path}" in self.lists or f"{OTHERS}.{path}" in self.lists

    def only_type(self, field: Field) -> str | None:
        """The one type of all single values there, if it is one whose text form the engine writes as we do."""
        types = self.types(field.name)
        return next(iter(types)) if len(types) == 1 and types <= _PLAIN_TYPES else None


@dataclass(frozen=True, slots=True)
class Scope:
    """`start <= timestamp < end` in Unix milliseconds."""

    track: Track
    query: str
    node: Node
    start: int
    end: int
    snapshot: int | None = None
    is_held: bool = False
    shapes: Shapes = Shapes()

    @property
    def is_bounded(self) -> bool:
        """Whether later arrivals than the snapshot are left out; unasked that would read one more column each time."""
        return self.is_held and not is_replacing(self.track.table)

    def within(self, start: int, end: int, snapshot: int | None) -> "Scope":
        return replace(self, start=start, end=end, snapshot=snapshot)


def scope_of(track: Track, query: str, start: int, end: int, snapshot: int | None = None) -> Scope:
    """Raises `QueryError`, or `BadRequest` when the end is before the start."""
    if start > end:
        raise BadRequest("'from' is after 'to'")
    return Scope(track, query, parse_cached(query), start, end, snapshot, is_held=snapshot is not None)
