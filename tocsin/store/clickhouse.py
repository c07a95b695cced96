"""The event store over clickhouse-connect: what the embedded engine, a server and a cluster have in common."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tocsin.errors import Unavailable
from tocsin.query import Sql
from tocsin.query.track import INSERT_SETTINGS as TYPING_SETTINGS
from tocsin.store.cancelling import Cancelling
from tocsin.store.faults import told
from tocsin.store.layout import ATTRIBUTE_COLUMNS
from tocsin.store.limits import Limits, Retention
from tocsin.store.migrate import migrate_node
from tocsin.store.pool import Pool
from tocsin.store.recovery import restore_matches
from tocsin.store.results import rows_of

SESSION_SETTINGS: Mapping[str, str | int] = {
    # 64 KiB of query text, 5,000 values in a group and 200 nested parentheses must work (search-syntax.md §3).
    "max_query_size": 16 * 1024 * 1024,
    "max_parser_depth": 5000,
    "max_ast_depth": 5000,
    "max_ast_elements": 500_000,
    "max_expanded_ast_elements": 1_000_000,
}
"""Known before a statement is parsed, so they cannot stand in its SETTINGS clause."""

RESULT_SETTINGS: Mapping[str, str | int] = {
    "date_time_output_format": "unix_timestamp",
    "output_format_json_quote_64bit_integers": 0,
}

INSERT_SETTINGS: dict[str, str | int] = {
    "async_insert": 0,
    # However many days a batch spans, it is stored.
    "max_partitions_per_insert_block": 0,
    "distributed_foreground_insert": 1,
    # Times come as seconds since 1970 (`rows.stored_time`), also from before.
    "date_time_input_format": "basic",
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "max_dynamic_subcolumns_in_json_type_parsing": ATTRIBUTE_COLUMNS,
    **TYPING_SETTINGS,
}


class ClickHouseEvents:
    """`EventStore` over one node or several; `nodes[0]` answers queries and takes inserts."""

    def __init__(
        self,
        readers: Pool,
        writers: Pool,
        nodes: Sequence[Pool],
        *,
        limits: Limits,
        retention: Retention,
        cluster: str | None = None,
        attempts: int = 1,
    ) -> None:
        self._readers = readers
        self._writers = writers
        self._nodes = nodes
        self._limits = limits
        self._retention = retention
        self._cluster = cluster
        self._attempts = attempts
        self._cancelling = Cancelling(self.command)

    @property
    def is_distributed(self) -> bool:
        return self._cluster is not None

    def migrate(self) -> None:
        with told():
            for node in self._nodes:
                with node.client() as client:
                    migrate_node(client, self._cluster, self._retention.days())
            with self._writers.client() as client:
                restore_matches(client)

    def insert(self, table: str, lines: bytes, rows: int) -> None:
        if not rows:
            return
        for attempt in range(1, self._attempts + 1):
            try:
                with told(), self._writers.client() as client:
                    client.raw_insert(table, insert_block=lines, fmt="JSONEachRow", settings=INSERT_SETTINGS)
                return
            except Unavailable:
                if attempt == self._attempts:
                    raise

    def query(
        self, sql: Sql, limits: Limits | None = None, settings: Mapping[str, str | int] | None = None
    ) -> list[dict[str, Any]]:
        limits = limits or self._limits
        with self._cancelling.when_unwanted(limits.is_wanted) as named:
            clause = settings_clause({**limit_settings(limits), **(settings or {}), **named, **RESULT_SETTINGS})
            with told(), self._readers.client() as client:
                answer = client.raw_query(
                    f"{sql.text}\n{clause}", parameters=dict(sql.parameters) or None, fmt="JSONCompact"
                )
        return rows_of(orjson.loads(answer))

    def command(self, sql: Sql) -> None:
        with told(), self._writers.client() as client:
            client.command(sql.text, parameters=dict(sql.parameters) or None)

    def close(self) -> None:
        for pool in {self._readers, self._writers, *self._nodes}:
            pool.close()


def limit_settings(limits: Limits) -> dict[str, str | int]:
    """The engine's settings for our limits: throw rather than answer in part, spill before memory runs out."""
    return {
        "max_execution_time": str(limits.seconds),
        "timeout_before_checking_execution_speed": 0,
        "max_rows_to_read": limits.rows,
        "max_memory_usage": limits.memory_bytes,
        "max_bytes_before_external_group_by": limits.memory_bytes // 2,
        "max_bytes_before_external_sort": limits.memory_bytes // 2,
    }


def settings_clause(settings: Mapping[str, str | int]) -> str:
    """`SETTINGS a = 1, b = 'x'`: names are ours, values quoted."""
    quoted = (f"{name} = {value if isinstance(value, int) else _quote(value)}" for name, value in settings.items())
    return f"SETTINGS {', '.join(quoted)}"


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
