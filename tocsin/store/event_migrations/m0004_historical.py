"""Results of historical jobs."""

from collections.abc import Iterator

from tocsin.store.layout import create_table
from tocsin.store.tracks import HISTORICAL


def statements(cluster: str | None) -> Iterator[str]:
    yield from create_table(HISTORICAL, cluster)
