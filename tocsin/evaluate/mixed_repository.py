"""Matches of rules that read logs and signals: of the table `matches` and of the rows of signals (decision 0171)."""

from collections.abc import Iterable

from tocsin.evaluate.mixed import Owners
from tocsin.evaluate.repository import Matches
from tocsin.evaluate.signals_repository import MATCHES_OF_SIGNALS, SignalMatches
from tocsin.event import Event
from tocsin.query import Sql
from tocsin.store.events import EventStore

_BOTH = Sql.of(
    """(
SELECT * FROM {signals} UNION ALL
SELECT rule_id, rule_version, `group`, timestamp, event_id, ingested_at, query_index, `distinct`, value, is_backfill
FROM matches WHERE timestamp >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
)""",
    signals=MATCHES_OF_SIGNALS,
)


class MixedMatches(SignalMatches):
    """Matches of rules over signals, and of the logs that some of them read besides; news is told of the latter."""

    source = _BOTH

    def __init__(self, events: EventStore, owners: Owners) -> None:
        super().__init__(events)
        self._owners = owners

    def only(self) -> Sql:
        return Sql("rule_id IN {mixing:Array(String)}", {"mixing": list(self._owners.mixing())})

    def events(self, refs: Iterable[tuple[int, str]]) -> dict[str, Event]:
        """Signals as `SignalMatches.events`, and logs."""
        asked = set(refs)
        found = super().events(asked)
        logs = [(timestamp, event_id) for timestamp, event_id in asked if event_id not in found]
        return found | Matches.events(self, logs)
