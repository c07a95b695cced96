"""Pieces of SQL that all queries of the explorer share."""

from tocsin.explore.scope import Scope
from tocsin.query import Sql, to_sql
from tocsin.store.tracks import is_replacing

FINAL_SETTINGS = {"do_not_merge_across_partitions_select_final": 1}
"""Versions of one signal share their timestamp, so they are never in two partitions."""


def table(scope: Scope) -> Sql:
    """The track's table; FINAL where rows replace one another."""
    return Sql(f"{scope.track.table} FINAL" if is_replacing(scope.track.table) else scope.track.table)


def where(scope: Scope) -> Sql:
    """Time, snapshot and query."""
    return Sql.of(
        "timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') "
        "AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC'){arrived} AND {query}",
        start=scope.start,
        end=scope.end,
        arrived=_arrived(scope),
        query=to_sql(scope.node, scope.track),
    )


def _arrived(scope: Scope) -> Sql:
    if not scope.is_bounded:
        return Sql("")
    return Sql(" AND ingested_at <= fromUnixTimestamp64Milli({snapshot:Int64}, 'UTC')", {"snapshot": scope.snapshot})


def settings(scope: Scope) -> dict[str, str | int]:
    return dict(FINAL_SETTINGS) if is_replacing(scope.track.table) else {}


def newest_arrival(scope: Scope) -> Sql:
    """The snapshot that a first answer comes from; read from the parts' minimum and maximum, not from rows."""
    return Sql.of("SELECT max(ingested_at) AS newest FROM {table}", table=Sql(scope.track.table))
