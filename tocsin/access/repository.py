"""What access asks of the stores."""

from collections.abc import Sequence

from tocsin.query import Sql
from tocsin.store.events import EventStore


def audit_ids(events: EventStore, ids: Sequence[str], since: int, until: int) -> set[str]:
    """Those of the ids that are in the track `audit` already; times in Unix milliseconds, both included."""
    text = (
        "SELECT id FROM audit WHERE timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') "
        "AND timestamp <= fromUnixTimestamp64Milli({until:Int64}, 'UTC') AND id IN {ids:Array(String)}"
    )
    rows = events.query(Sql(text, {"since": since, "until": until, "ids": list(ids)}))
    return {row["id"] for row in rows}
