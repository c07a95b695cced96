"""The first tables: logs, signals, audit, matches, rejected."""

from collections.abc import Iterator

from tocsin.store.layout import create_table, create_view
from tocsin.store.tracks import TABLES, VIEWS


def statements(cluster: str | None) -> Iterator[str]:
    for table in TABLES:
        yield from create_table(table, cluster)
    for view in VIEWS:
        yield from create_view(view, cluster)
