"""Which attributes and tags there are, and the values of one, looked up in the newest events only."""

from dataclasses import replace

from tocsin.explore.facets_repository import facet
from tocsin.explore.repository import settings, table, where
from tocsin.explore.scope import Scope
from tocsin.query import Field, Sql, Track
from tocsin.query.track import ATTRIBUTES, IN_LISTS
from tocsin.store.events import EventStore, Limits

NAMES_FROM = 2000
"""Events that names are gathered from: their JSON is read whole, which costs some 10 µs each."""

VALUES_SECONDS = 2
"""A list of values that takes longer does not come."""

_NEWEST = """
SELECT {name} AS name, count() AS n FROM (
  SELECT {column} FROM {table} WHERE {where} ORDER BY timestamp DESC LIMIT {events:UInt32}
) GROUP BY name ORDER BY n DESC, name LIMIT 1000
"""


_SHAPES = """
SELECT {found} AS found FROM {table}
WHERE ingested_at > fromUnixTimestamp64Milli({after:Int64}, 'UTC')
  AND ingested_at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
"""


def attribute_names(events: EventStore, scope: Scope) -> list[tuple[str, int]]:
    """Encoded attribute paths (`columns.encode_path`) with the number of newest events that have them."""
    counts: dict[str, int] = {}
    for column, prefix in (("attributes", 0), ("in_lists", 2)):
        for path, count in _names(events, scope, f"arrayJoin(JSONAllPaths({column}))", column):
            counts[path[prefix:]] = counts.get(path[prefix:], 0) + count
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def tag_keys(events: EventStore, scope: Scope) -> list[tuple[str, int]]:
    """Keys of tags with the number of newest events that have them; a tag without a colon is its own key."""
    return _names(events, scope, "arrayJoin(arrayDistinct(arrayMap(x -> splitByChar(':', x)[1], tags)))", "tags")


def field_values(events: EventStore, scope: Scope, field: Field, containing: str, limit: int) -> list[tuple[str, int]]:
    """Values that hold the text, most frequent first."""
    bounded = replace(Limits(), seconds=VALUES_SECONDS)
    return facet(events, scope, field, limit, containing, bounded).values


def list_paths(events: EventStore, track: Track, after: int, until: int) -> frozenset[str]:
    """Paths of `in_lists` among the events that arrived between; read from the parts that can have such events."""
    return _shapes(events, track, f"distinctJSONPaths({IN_LISTS})", after, until)


def value_types(events: EventStore, track: Track, path: str, after: int, until: int) -> frozenset[str]:
    """Types of the single values at an encoded path, likewise."""
    return _shapes(events, track, f"distinctDynamicTypes({ATTRIBUTES}.`{path}`)", after, until)


def _shapes(events: EventStore, track: Track, found: str, after: int, until: int) -> frozenset[str]:
    sql = Sql.of(_SHAPES.strip(), found=Sql(found), table=Sql(track.table), after=after, until=until)
    (row,) = events.query(sql)
    return frozenset(row["found"])


def _names(events: EventStore, scope: Scope, name: str, column: str) -> list[tuple[str, int]]:
    sql = Sql.of(
        _NEWEST.strip(), name=Sql(name), column=Sql(column), table=table(scope), where=where(scope), events=NAMES_FROM
    )
    return [(row["name"], row["n"]) for row in events.query(sql, settings=settings(scope))]
