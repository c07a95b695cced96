"""Which indicators the stored logs were enriched with, and where they occurred."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from tocsin.explore.repository import settings, table, where
from tocsin.explore.scope import Scope
from tocsin.query import Sql
from tocsin.store.events import EventStore

MOST = 5_000
"""Indicators that are told apart, those with the most logs."""

PLACES = 50
"""Hosts, services, sources and people that are named."""

_SIGHTINGS = """
SELECT JSONExtractString(result, 'indicator') AS indicator, any(JSONExtractString(result, 'type')) AS kind,
  groupUniqArray(50)(JSONExtractString(result, 'category')) AS categories,
  groupUniqArray(200)(tuple(JSONExtractString(result, 'intention'), JSONExtractString(result, 'source', 'name')))
    AS said,
  uniqExact(id) AS logs, min(timestamp) AS first_at, max(timestamp) AS last_at,
  max(JSONExtractRaw(result, 'additional_data')) AS data{places}
FROM (
  SELECT arrayJoin(JSONExtractArrayRaw(document, 'threat_intel', 'results')) AS result, id, timestamp, host, service,
    source, document
  FROM {table} WHERE {where}
)
WHERE {only}
GROUP BY indicator ORDER BY logs DESC, indicator LIMIT {most:UInt32}
"""

_PLACES = """,
  arraySort(groupUniqArrayIf({count:UInt32})(toString(host), host != '')) AS hosts,
  arraySort(groupUniqArrayIf({count:UInt32})(toString(service), service != '')) AS services,
  arraySort(groupUniqArrayIf({count:UInt32})(toString(source), source != '')) AS sources,
  arraySort(groupUniqArrayIf({count:UInt32})(JSONExtractString(document, 'usr', 'id') AS usr_id, usr_id != ''))
    AS user_ids,
  arraySort(groupUniqArrayIf({count:UInt32})(JSONExtractString(document, 'usr', 'name') AS usr_name, usr_name != ''))
    AS user_names"""


@dataclass(frozen=True, slots=True)
class Sighting:
    """An indicator with the logs that hold it. Times in Unix milliseconds; `said`: intention -> names of sources."""

    indicator: str
    type: str
    categories: tuple[str, ...]
    said: Mapping[str, tuple[str, ...]]
    logs: int
    first_at: int
    last_at: int
    data: Mapping[str, Any]
    hosts: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    user_ids: tuple[str, ...] = ()
    user_names: tuple[str, ...] = ()


def sightings(events: EventStore, scope: Scope, indicator: str | None = None) -> list[Sighting]:
    """Of the logs of a scope, the most frequent first; of one indicator also the places."""
    only = Sql("1") if indicator is None else Sql("indicator = {indicator:String}", {"indicator": indicator})
    sql = Sql.of(
        _SIGHTINGS,
        places=Sql("") if indicator is None else Sql(_PLACES, {"count": PLACES}),
        table=table(scope),
        where=where(scope),
        only=only,
        most=MOST,
    )
    return [_sighting(row) for row in events.query(sql, settings=settings(scope))]


def _sighting(row: Mapping[str, Any]) -> Sighting:
    said: dict[str, list[str]] = {}
    for intention, name in sorted(row["said"]):
        said.setdefault(intention, []).append(name)
    places = {name: tuple(row.get(name, ())) for name in ("hosts", "services", "sources", "user_ids", "user_names")}
    return Sighting(
        indicator=row["indicator"],
        type=row["kind"],
        categories=tuple(sorted(row["categories"])),
        said={intention: tuple(names) for intention, names in said.items()},
        logs=int(row["logs"]),
        first_at=int(row["first_at"]),
        last_at=int(row["last_at"]),
        data=orjson.loads(row["data"]) if row["data"] else {},
        **places,
    )
