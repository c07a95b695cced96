"""Fewer attributes as columns in parts of every size (`layout.ATTRIBUTE_COLUMNS`)."""

from collections.abc import Iterator

from tocsin.store.layout import FILE_SETTINGS, local_name
from tocsin.store.tracks import TABLES


def statements(cluster: str | None) -> Iterator[str]:
    settings = ", ".join(f"{name} = {value}" for name, value in FILE_SETTINGS.items())
    for table in TABLES:
        yield f"ALTER TABLE {local_name(table.name, cluster)} MODIFY SETTING {settings}"
