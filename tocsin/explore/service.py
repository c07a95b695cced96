"""The explorer: search, facets, trend, counts and aggregations over every track, from one scope (siem.md §4)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tocsin.clock import Clock
from tocsin.errors import BadRequest, NotFound
from tocsin.event import Json
from tocsin.explore import aggregate as aggregation
from tocsin.explore import completion, events_repository, facets_repository, repository, series_repository
from tocsin.explore.aggregate import Bucket
from tocsin.explore.answers import Completion, Count, Facets, Page, Timeseries
from tocsin.explore.cursor import Cursor, parse_cursor
from tocsin.explore.grouping import GroupBy
from tocsin.explore.intervals import bucket_count, checked_interval, interval_for
from tocsin.explore.measures import COUNT, Compute
from tocsin.explore.resources import SIGNAL_TRACKS, all_columns, list_columns, resource
from tocsin.explore.scope import Scope, scope_of
from tocsin.explore.series_repository import Bar
from tocsin.explore.shapes import ShapeMemory
from tocsin.explore.sorting import Sort
from tocsin.explore.times import EARLIEST, LATEST, parse_time
from tocsin.query import TRACKS, Track, parse_field
from tocsin.store.events import EventStore

MAX_PAGE = 1000
MAX_FACETS = 40
MAX_VALUES = 1000

_ID_PREFIX = "AwAAA"
_ID_LENGTH = 41


@dataclass(frozen=True, slots=True)
class Filter:
    """What a request asks for, as it says it; `snapshot` is one that an earlier answer named."""

    query: str = "*"
    start: str | int = "now-15m"
    end: str | int = "now"
    snapshot: int | None = None


class ExploreService:
    """Every method raises `QueryError` for a query that does not parse and `LimitExceeded` for one too expensive."""

    def __init__(self, events: EventStore, clock: Clock) -> None:
        self._events = events
        self._clock = clock
        self._shapes = ShapeMemory(events)

    def scope(self, track: str, filter_: Filter) -> Scope:
        """Times become absolute, and a scope without a snapshot names the present one. Raises `NotFound`."""
        now = self._clock()
        start, end = parse_time(filter_.start, now), parse_time(filter_.end, now)
        scope = scope_of(track_of(track), filter_.query, start, end, filter_.snapshot)
        return self._at_present(scope)

    def search(self, scope: Scope, sort: Sort | None = None, limit: int = 50, cursor: str | None = None) -> Page:
        """A page; with a cursor the scope and sort of the first page hold, whatever these say."""
        if not 1 <= limit <= MAX_PAGE:
            raise BadRequest(f"page.limit is 1 to {MAX_PAGE:,}, not {limit}")
        order, after = sort or Sort(), None
        if cursor:
            place = parse_cursor(cursor)
            order, after = place.sort, place.key
            scope = scope.within(place.start, place.end, place.snapshot)
        keys = events_repository.keys(self._events, scope, order, after, limit + 1)
        rows = events_repository.rows(self._events, scope, list_columns(scope.track), keys[:limit])
        events = [resource(scope.track, row) for row in rows]
        if len(keys) <= limit:
            return Page(events, scope.snapshot or 0)
        following = Cursor(order, scope.start, scope.end, scope.snapshot, keys[limit - 1]).text()
        return Page(events, scope.snapshot or 0, following, str(keys[limit][-1]))

    def cursor_at(self, scope: Scope, sort: Sort, event_id: str | None) -> str | None:
        """The cursor of a page that begins with this event, in an order by time. Raises `BadRequest`."""
        if event_id is None:
            return None
        at = time_of_id(event_id)
        if at is None:
            raise BadRequest(f"'{event_id[:60]}' is not the id of a log")
        # Just before the id in the order: ids are hex digits, and nothing else sorts so near to one.
        before = f"{event_id}\0" if sort.is_descending else f"{event_id[:-1]}{chr(ord(event_id[-1]) - 1)}\x7f"
        return Cursor(sort, scope.start, scope.end, scope.snapshot, (at, before)).text()

    def event(self, track: str, event_id: str) -> dict[str, Json]:
        """One event in full. Raises `NotFound`."""
        scope = scope_of(track_of(track), "*", EARLIEST, LATEST)
        columns = all_columns(scope.track)
        at = time_of_id(event_id)
        rows = events_repository.one(self._events, scope, columns, event_id, at)
        if not rows and at is not None:
            rows = events_repository.one(self._events, scope, columns, event_id, None)
        if not rows:
            raise NotFound(f"{'Signal' if track in SIGNAL_TRACKS else 'Event'} not found")
        return resource(scope.track, rows[0])

    def facets(
        self, scope: Scope, fields: Sequence[str], limit: int = 10, search: tuple[str, str] | None = None
    ) -> Facets:
        """The most frequent values of each field. `search` is a field and a text that its values must hold."""
        if not 1 <= limit <= MAX_VALUES or not 1 <= len(fields) <= MAX_FACETS:
            raise BadRequest(f"a request takes 1 to {MAX_FACETS} facets with 1 to {MAX_VALUES:,} values each")
        found = {}
        for text in fields:
            containing = search[1] if search and search[0] == text else ""
            found[text] = facets_repository.facet(self._events, scope, parse_field(text), limit, containing)
        return Facets(found, next(iter(found.values())).total, scope.snapshot or 0)

    def timeseries(
        self,
        scope: Scope,
        buckets: int = 60,
        interval_ms: int | None = None,
        group_by: str | None = None,
        limit: int = 10,
    ) -> Timeseries:
        """One bar for every bucket of the span, also the empty ones; the first and the last may be cut by the span."""
        start, end = scope.start, scope.end
        interval = checked_interval(start, end, interval_ms) if interval_ms else interval_for(start, end, buckets)
        origin = start // interval * interval
        field = parse_field(group_by) if group_by else None
        found = series_repository.bars(self._events, scope, origin, interval, field, limit)
        bars = [found.get(n, Bar(origin + n * interval)) for n in range(bucket_count(start, end, interval))]
        return Timeseries(interval, bars, sum(bar.count for bar in bars), scope.snapshot or 0)

    def count(self, scope: Scope, ingested_after: int | None = None) -> Count:
        """How many events; with `ingested_after` only those that arrived later than that moment."""
        newest = self._newest(scope)
        return Count(events_repository.count(self._events, scope, ingested_after), newest)

    def aggregate(self, scope: Scope, computes: Sequence[Compute] = (), by: Sequence[GroupBy] = ()) -> list[Bucket]:
        """Measures (one count, if none is named) of groups of events."""
        return aggregation.aggregate(self._events, scope, computes or (COUNT,), by)

    def complete(self, scope: Scope, text: str, cursor: int) -> Completion:
        """Names or values that fit at the cursor of the text."""
        return completion.complete(self._events, scope, text, cursor)

    def _at_present(self, scope: Scope) -> Scope:
        newest = self._newest(scope)
        shapes = self._shapes.of(scope.track, newest)
        return replace(scope, snapshot=scope.snapshot if scope.is_bounded else newest, shapes=shapes)

    def _newest(self, scope: Scope) -> int:
        (row,) = self._events.query(repository.newest_arrival(scope))
        return int(row["newest"])


def track_of(name: str) -> Track:
    """Raises `NotFound`."""
    if name not in EXPLORED:
        raise NotFound(f"there is no track '{name}'")
    return TRACKS[name]


EXPLORED = ("logs", "signals", "suppressed", "historical", "audit")


def time_of_id(event_id: str) -> int | None:
    """The time that ids of ours begin with (`event.event_id`); Unix milliseconds."""
    if not event_id.startswith(_ID_PREFIX) or len(event_id) != _ID_LENGTH:
        return None
    try:
        return min(int(event_id[len(_ID_PREFIX) : len(_ID_PREFIX) + 12], 16), LATEST)
    except ValueError:
        return None
