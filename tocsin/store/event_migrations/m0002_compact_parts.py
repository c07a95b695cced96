"""Fewer files: parts of up to a gigabyte in one file, larger ones with a bounded number of attributes as columns."""

from collections.abc import Iterator

from tocsin.store.layout import FILE_SETTINGS, local_name
from tocsin.store.tracks import TABLES

FIRST_TABLES = ("logs", "signals", "audit", "matches", "rejected")
"""Those of the first migration; later ones are made with these settings."""


def statements(cluster: str | None) -> Iterator[str]:
    settings = ", ".join(f"{name} = {value}" for name, value in FILE_SETTINGS.items())
    for table in TABLES:
        if table.name in FIRST_TABLES:
            yield f"ALTER TABLE {local_name(table.name, cluster)} MODIFY SETTING {settings}"
