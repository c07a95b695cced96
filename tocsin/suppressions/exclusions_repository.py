"""Counts of the stored events that exclusions found while they were in force."""

from collections.abc import Mapping, Sequence

from tocsin.query import Node, Sql, to_sql
from tocsin.query.track import LOGS
from tocsin.store.events import EventStore

_PERIOD = """ingested_at >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND ingested_at < fromUnixTimestamp64Milli({end:Int64}, 'UTC') AND {query}"""

_EXCLUDED = """
SELECT intDiv(toUnixTimestamp64Milli(ingested_at), 3600000) * 3600000 AS hour, count() AS events,
  sumForEach([{losses}]) AS losses
FROM logs
WHERE timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC') AND ({excluded})
GROUP BY hour ORDER BY hour
"""

Asked = tuple[Node, int, int, Sequence[str]]
"""An exclusion, from when until when it was in force (Unix milliseconds), and the ids of the rules in its scope."""


def excluded(
    events: EventStore, asked: Sequence[Asked], finds: Mapping[str, Node], start: int, end: int
) -> tuple[list[tuple[int, int]], dict[str, int]]:
    """The events of `[start, end)` (Unix milliseconds) that came in while an exclusion that finds them was in force: by
    hour of arrival, and how many of these each rule in scope would have found (`finds`)."""
    spans = [
        Sql.of(f"({_PERIOD})", query=to_sql(node, LOGS), start=since, end=until) for node, since, until, _ in asked
    ]
    losses = []
    for rule_id, node in finds.items():
        scoped = [span for span, (_, _, _, rules) in zip(spans, asked, strict=True) if rule_id in rules]
        within = Sql.join(" OR ", scoped, "s")
        losses.append(Sql.of("toUInt64(({within}) AND {found})", within=within, found=to_sql(node, LOGS)))
    sql = Sql.of(
        _EXCLUDED,
        losses=Sql.join(", ", losses, "r") if losses else Sql("toUInt64(0)"),
        excluded=Sql.join(" OR ", spans, "p"),
        start=start,
        end=end,
    )
    hours: list[tuple[int, int]] = []
    totals = dict.fromkeys(finds, 0)
    for row in events.query(sql):
        hours.append((int(row["hour"]), int(row["events"])))
        for rule_id, count in zip(finds, row["losses"], strict=False):
            totals[rule_id] += int(count)
    return hours, totals
