"""Matches say themselves whether their event was sent as backfill."""

from collections.abc import Iterator

from tocsin.event import BACKFILL_TAG
from tocsin.store.layout import local_name
from tocsin.store.tracks import MATCHES_OF_LOGS


def statements(cluster: str | None) -> Iterator[str]:
    """Matches that are there keep what the events say: late ones are few, and read once more here."""
    for name in dict.fromkeys((local_name("matches", cluster), "matches")):
        yield f"ALTER TABLE {name} ADD COLUMN IF NOT EXISTS is_backfill UInt8"
    select = MATCHES_OF_LOGS.select.format(source=local_name(MATCHES_OF_LOGS.source, cluster))
    yield f"ALTER TABLE {local_name(MATCHES_OF_LOGS.name, cluster)} MODIFY QUERY {select}"
    yield (
        f"ALTER TABLE {local_name('matches', cluster)} UPDATE is_backfill = 1 WHERE event_id IN "
        f"(SELECT id FROM logs WHERE has(tags, '{BACKFILL_TAG}')) SETTINGS mutations_sync = 1"
    )
