"""What a kill between two parts of one insert may have left undone, done at the next start.

An insert into `logs` writes the part of the logs and then, by the view, that of the matches. Killed in
between, the logs are there and their matches are not; the sender was never answered and repeats the request, whose
events are then known and skipped. So the matches of the newest logs are written again where they are missing.
"""

from clickhouse_connect.driver.client import Client

from tocsin.event import BACKFILL_TAG

WINDOW_MS = 600_000
"""Longer than any insert can take; measured back from the newest log, not from the time of the restart."""

_NEWEST = "SELECT toUnixTimestamp64Milli(max(ingested_at)) FROM logs"

# On a cluster the matches of a node's logs are spread over all nodes: hence GLOBAL, and no INSERT node by node.
_RESTORE = """
INSERT INTO matches (rule_id, rule_version, query_index, `group`, timestamp, event_id, ingested_at, `distinct`, value,
  is_backfill)
SELECT m.rule_id, m.rule_version, m.query_index, m.`group`, timestamp, id, ingested_at, m.`distinct`, m.value,
  has(tags, {tag:String})
FROM logs ARRAY JOIN matched AS m
WHERE ingested_at >= fromUnixTimestamp64Milli({since:Int64}) AND (id, m.rule_id, m.query_index) GLOBAL NOT IN (
  SELECT event_id, rule_id, query_index FROM matches WHERE ingested_at >= fromUnixTimestamp64Milli({since:Int64}))
SETTINGS parallel_distributed_insert_select = 0, distributed_foreground_insert = 1
"""


def restore_matches(client: Client) -> None:
    """Write the matches that the newest logs carry and the table of matches lacks."""
    newest = client.query(_NEWEST).result_rows[0][0]
    client.command(_RESTORE, {"since": newest - WINDOW_MS, "tag": BACKFILL_TAG})
