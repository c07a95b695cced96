"""Versioned migrations of the event store, on one node.

Each migration is a numbered module of `event_migrations` with `statements(cluster)`: DDL that may be repeated. A
version is recorded after its statements, so a kill half-way repeats them and nothing else.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping

from clickhouse_connect.driver.client import Client

from tocsin.store import event_migrations
from tocsin.store.faults import SchemaTooNew
from tocsin.store.retention import retention_statements

Statements = Callable[[str | None], Iterable[str]]

_VERSIONS = """CREATE TABLE IF NOT EXISTS schema_version (
  version UInt32, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = MergeTree ORDER BY version SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"""


def migrations() -> Iterator[tuple[int, Statements]]:
    """Numbers and statements, in order: `m0001_tracks` is 1."""
    names = sorted(module.name for module in pkgutil.iter_modules(event_migrations.__path__))
    for name in names:
        module = importlib.import_module(f"{event_migrations.__name__}.{name}")
        yield int(name[1:5]), module.statements


def migrate_node(
    client: Client,
    cluster: str | None,
    retention_days: Mapping[str, int],
    steps: Iterable[tuple[int, Statements]] | None = None,
) -> int:
    """Bring one node to the newest version and to the retention of the settings; answers the version.

    Raises `SchemaTooNew`, before it touches anything, when a newer Tocsin has written the data.
    """
    known = list(migrations() if steps is None else steps)
    newest = known[-1][0]
    client.command(_VERSIONS)
    current = int(client.query("SELECT max(version) FROM schema_version").result_rows[0][0])
    if current > newest:
        raise SchemaTooNew(
            f"the event store has schema version {current}, this Tocsin knows {newest}: "
            "start the newer Tocsin that wrote it, or restore a backup from before the upgrade"
        )
    for version, statements in known:
        if version > current:
            for statement in statements(cluster):
                client.command(statement)
            client.command("INSERT INTO schema_version (version) VALUES ({version:UInt32})", {"version": version})
    for statement in retention_statements(client, cluster, retention_days):
        client.command(statement)
    return newest
