"""The coverage ledger, and what rules over signals find in a signal."""

from collections.abc import Iterator

from tocsin.store.layout import create_table, local_name
from tocsin.store.tracks import COVERAGE, MATCHED_COLUMNS


def statements(cluster: str | None) -> Iterator[str]:
    yield from create_table(COVERAGE, cluster)
    for track in ("signals", "suppressed"):
        for table in dict.fromkeys((local_name(track, cluster), track)):
            for name, kind in MATCHED_COLUMNS.items():
                yield f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS `{name}` {kind}"
