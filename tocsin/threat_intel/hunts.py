"""Hunts: new indicators looked for in the logs of the last 30 days (siem.md §6.4, decision 0105).

A hunt goes through stored logs from the newest to the oldest, slice by slice, and remembers how far it has come. Where
a log holds a wanted indicator that it was not enriched with when it came, the log is matched, in memory and with
`threat_intel.retroactive: true`, against the rules that ask for exactly that; the matches join those of the intake and
the evaluator makes signals of them. So signals of a hunt are those of other rules than live ones, their ids follow from
rule, group and log, and however often a hunt is repeated or cut off, nothing comes twice.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import orjson
import structlog

from tocsin.clock import Clock
from tocsin.enrich.indicator_table import IndicatorTable, write_table
from tocsin.enrich.indicators import TYPES, Indicator, host_of
from tocsin.enrich.threat_intel import ThreatIntel
from tocsin.errors import TocsinError
from tocsin.event import Event
from tocsin.match import Matcher
from tocsin.query.values import flatten
from tocsin.rule import Match, Rule
from tocsin.store.events import EventStore
from tocsin.store.leases import Leases
from tocsin.store.state import StateStore
from tocsin.threat_intel import hunts_repository, logs_repository
from tocsin.threat_intel.hunts_repository import Hunt

SLICE = 20_000
"""Logs that one step looks at: a second or two, and some 50 MB where each must be read."""

FILTERED_SLICE = 1_000_000
"""The same where the engine picks the few that hold a wanted value."""

MOST_LOGS = 20_000_000
"""That one hunt looks at; it says where it ended."""

NEEDLES = 250
"""Values that the engine can look for at once."""

LEASE, LEASE_SECONDS = "threat_intel.hunt", 300

ASKS = "threat_intel.retroactive"
"""A rule that names this attribute is run by hunts."""

log = structlog.get_logger(__name__)


class Hunter:
    """Runs hunts, in one process at a time."""

    def __init__(
        self,
        state: StateStore,
        events: EventStore,
        clock: Clock,
        leases: Leases,
        *,
        holder: str,
        rules: Callable[[], Iterable[Rule]],
    ) -> None:
        """`rules` are the enabled ones at the time."""
        self._state = state
        self._events = events
        self._clock = clock
        self._leases = leases
        self._holder = holder
        self._rules = rules

    def of_feed(self, feed_id: str, limit: int = 20) -> list[Hunt]:
        """The latest hunts of a feed, the newest first."""
        with self._state.reading() as session:
            return hunts_repository.latest(session, limit, feed_id)

    def latest(self, limit: int) -> list[Hunt]:
        """The latest hunts of all feeds, the newest first."""
        with self._state.reading() as session:
            return hunts_repository.latest(session, limit)

    def run(self, should_stop: Callable[[], bool] = lambda: False) -> int:
        """Go on with every hunt that may begin; how many were finished."""
        with self._state.reading() as session:
            waiting = hunts_repository.running(session)
        finished = 0
        for hunt in waiting:
            if should_stop() or hunt.to_at > self._clock():
                continue  # logs that are on their way still come without the new indicators
            if not self._leases.acquire(LEASE, self._holder, LEASE_SECONDS):
                break
            finished += self._finish(hunt, should_stop)
            self._leases.release(LEASE, self._holder)
        return finished

    def _finish(self, hunt: Hunt, should_stop: Callable[[], bool]) -> bool:
        with self._state.reading() as session:
            wanted = hunts_repository.wanted(session, hunt.id)
        matcher = Matcher(rule for rule in self._rules() if _asks(rule))
        with tempfile.TemporaryDirectory(prefix="tocsin-hunt-") as folder:
            path = Path(folder) / "wanted.bin"
            write_table(path, wanted)
            table = IndicatorTable(path)
            search = _Search(table, matcher, needles_of(wanted))
            try:
                position, scanned, found = hunt.position, hunt.scanned, hunt.found
                matched = Counter(hunt.matched)
                while not should_stop() and self._leases.acquire(LEASE, self._holder, LEASE_SECONDS):
                    size = SLICE if search.needles is None else FILTERED_SLICE
                    count, edge = logs_repository.edge(self._events, hunt.from_at, position, size)
                    if not count or scanned >= MOST_LOGS:
                        note = hunt.error if not count else f"ended after {scanned:,} logs, the most that a hunt reads"
                        self._save(hunt, position, scanned, found, state="done", error=note, finished_at=self._clock())
                        log.info("a hunt is done", feed=hunt.feed_id, logs=scanned, found=found)
                        return True
                    hits = search.hits(logs_repository.logs(self._events, edge, position, search.needles))
                    logs_repository.add_matches(self._events, ((hit.event, hit.match) for hit in hits), self._clock())
                    position, scanned = edge, scanned + count
                    found += len({hit.event.id for hit in hits})
                    matched.update(indicator for _, indicator in {(hit.event.id, hit.indicator) for hit in hits})
                    most = dict(matched.most_common(hunts_repository.MAX_MATCHED))
                    self._save(hunt, position, scanned, found, matched=most)
            except TocsinError as error:
                log.warning("a hunt failed and will be continued", feed=hunt.feed_id, error=str(error))
                self._save(hunt, position, scanned, found, error=str(error)[:1000])
            finally:
                table.close()
        return False

    def _save(self, hunt: Hunt, position: int, scanned: int, found: int, **others: object) -> None:
        with self._state.transaction() as session:
            hunts_repository.change(session, hunt.id, position=position, scanned=scanned, found=found, **others)


@dataclass(frozen=True, slots=True)
class _Hit:
    """A log that holds an indicator, and a rule that asks for that."""

    event: Event
    match: Match
    indicator: str


class _Search:
    """Looks logs through for the indicators of a table."""

    def __init__(self, table: IndicatorTable, matcher: Matcher, needles: Sequence[str] | None) -> None:
        self.needles = needles
        self._table = table
        self._intel = ThreatIntel(table)
        self._matcher = matcher

    def hits(self, events: Iterable[Event]) -> list[_Hit]:
        return [hit for event in events for hit in self._of_event(event)]

    def _of_event(self, event: Event) -> Iterator[_Hit]:
        """One indicator after the other, so that groups never pair what two of them say."""
        values = flatten(event.attributes)
        rows = self._intel.rows(event, values)
        if not rows:
            return
        known = {str(value) for value in values.get("threat_intel.results.indicator", ())}
        for result in (result for row in rows for result in self._table.results(row)):
            if result["indicator"] in known:
                continue  # seen live: a live rule had its turn
            said = {"indicators_matched": [result["type"]], "results": [result], "retroactive": True}
            seen = copy(event)
            seen.attributes = {**event.attributes, "threat_intel": said}
            for match in self._matcher.match(seen, flatten(seen.attributes)):
                yield _Hit(event, match, result["indicator"])


def needles_of(indicators: Sequence[Indicator]) -> list[str] | None:
    """A text for each indicator without which no log can hold it; None where that cannot be said, or for too many."""
    needles: dict[str, None] = {}
    for indicator in indicators:
        needle = _needle(indicator)
        if needle is None:
            return None
        needles[needle] = None
        if len(needles) > NEEDLES:
            return None
    return list(needles)


def _needle(indicator: Indicator) -> str | None:
    value = indicator.value
    match indicator.type:
        case "ip_address":
            return None if "/" in value else value
        case "url":
            return host_of(value)
        case "domain":
            return value if not value.startswith("xn--") and ".xn--" not in value else None
        case "aws_account_id":
            return value.lstrip("0") or value
        case "container_image_name" | "container_registry_account_name":
            return value.partition("@")[0].rpartition("/")[2].partition(":")[0]
        case "user_agent":
            return orjson.dumps(value)[1:-1].decode()
        case "ssh_public_key":
            return value.partition(" ")[2]
        case kind if kind in TYPES:
            return value
    return None


def _asks(rule: Rule) -> bool:
    return any(ASKS in query.query for query in rule.queries)
