"""How long rows are kept: a TTL on each table, as the settings say at start."""

from collections.abc import Iterator, Mapping

from clickhouse_connect.driver.client import Client

from tocsin.store.layout import local_name
from tocsin.store.tracks import TABLES


def retention_statements(client: Client, cluster: str | None, days: Mapping[str, int]) -> Iterator[str]:
    """Statements that make each table's TTL what `days` says; none where it is so already."""
    for table in TABLES:
        name, wanted = local_name(table.name, cluster), days[table.name]
        engine = client.query(
            "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {name:String}",
            {"name": name},
        ).result_rows[0][0]
        ttl = f"TTL toDateTime({table.expires}) + toIntervalDay({wanted:d})"
        if wanted and f"{ttl} SETTINGS" not in engine:
            yield f"ALTER TABLE {name} MODIFY {ttl}"
        elif not wanted and " TTL " in engine:
            yield f"ALTER TABLE {name} REMOVE TTL"
