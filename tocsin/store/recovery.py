"""What a kill between two parts of one insert may have left undone, done at the next start.

An insert into `logs` writes the part of the logs and then, by the view, that of the matches. Killed in
between, the logs are there and their matches are not; the sender was never answered and repeats the request, whose
events are then known and skipped. So the matches of the newest logs are written again where they are missing.
"""

from clickhouse_connect.driver.client import Client

WINDOW_SECONDS = 600
"""Longer than any insert can take; measured back from the newest log, not from the time of the restart."""

_RESTORE = f"""
INSERT INTO matches (rule_id, rule_version, query_index, `group`, timestamp, event_id, ingested_at, `distinct`, value)
SELECT m.rule_id, m.rule_version, m.query_index, m.`group`, timestamp, id, ingested_at, m.`distinct`, m.value
FROM logs ARRAY JOIN matched AS m
WHERE ingested_at >= (SELECT max(ingested_at) FROM logs) - toIntervalSecond({WINDOW_SECONDS})
  AND (id, m.rule_id, m.query_index) NOT IN (
    SELECT event_id, rule_id, query_index FROM matches
    WHERE ingested_at >= (SELECT max(ingested_at) FROM logs) - toIntervalSecond({WINDOW_SECONDS}))
"""


def restore_matches(client: Client) -> None:
    """Write the matches that the newest logs carry and the table of matches lacks."""
    client.command(_RESTORE)
