"""How long rows are kept: a TTL on each table, as the settings say at start."""

import re
from collections.abc import Iterator, Mapping

from clickhouse_connect.driver.client import Client

from tocsin.store.layout import local_name
from tocsin.store.tracks import TABLES

_TTL = re.compile(r"\bTTL .*?toIntervalDay\((\d+)\)")


def retention_statements(client: Client, cluster: str | None, days: Mapping[str, int]) -> Iterator[str]:
    """Statements that make each table's TTL what `days` says; none where it is so already."""
    for table in TABLES:
        name, wanted = local_name(table.name, cluster), days[table.name]
        engine = client.query(
            "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {name:String}",
            {"name": name},
        ).result_rows[0][0]
        found = _TTL.search(engine)
        current = int(found[1]) if found else 0
        if wanted and wanted != current:
            yield f"ALTER TABLE {name} MODIFY TTL toDateTime({table.expires}) + toIntervalDay({wanted:d})"
        elif current and not wanted:
            yield f"ALTER TABLE {name} REMOVE TTL"
