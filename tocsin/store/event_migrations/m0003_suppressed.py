"""Hidden signals."""

from collections.abc import Iterator

from tocsin.store.layout import create_table
from tocsin.store.tracks import SUPPRESSED


def statements(cluster: str | None) -> Iterator[str]:
    yield from create_table(SUPPRESSED, cluster)
