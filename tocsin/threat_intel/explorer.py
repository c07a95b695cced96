"""The explorer of indicators: those that logs of the last 30 days hold, scored and triaged (siem.md §6.4).

It shows what the logs say, so an indicator appears if it was in a feed when a log came, and stays when the feed has
dropped it since.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tocsin.access.actor import Actor
from tocsin.access.audit import AuditTrail
from tocsin.clock import Clock
from tocsin.enrich.indicators import TYPES
from tocsin.errors import BadRequest, NotFound
from tocsin.event import Event, Json
from tocsin.explore.service import ExploreService, Filter
from tocsin.query import Node, parse, to_predicate
from tocsin.query.tree import All, And, Field, FieldKind, Leaf, conjunction, leaves
from tocsin.store.events import EventStore
from tocsin.store.state import StateStore
from tocsin.threat_intel import sightings_repository, triage_repository
from tocsin.threat_intel.score import Score, score
from tocsin.threat_intel.service import FeedsService
from tocsin.threat_intel.sightings_repository import Sighting
from tocsin.threat_intel.triage_repository import STATES, Entry, Triage

ASSET = "ioc_triage"
SPAN = "now-30d"

MAX_SIGNAL_VALUES = 1_000
"""Indicators whose signals are counted in a list, those with the most."""

SORTS: Mapping[str, Callable[["Ioc"], Any]] = {
    "score": lambda ioc: ioc.score.value,
    "first_seen_ts_epoch": lambda ioc: ioc.first_seen,
    "last_seen_ts_epoch": lambda ioc: ioc.sighting.last_at,
    "indicator": lambda ioc: ioc.sighting.indicator,
    "indicator_type": lambda ioc: ioc.sighting.type,
    "signal_count": lambda ioc: ioc.signals,
    "log_count": lambda ioc: ioc.sighting.logs,
    "category": lambda ioc: ioc.sighting.categories,
    "as_type": lambda ioc: ioc.as_type,
}

FACETS = ("indicator_type", "intention", "category", "source", "triage_state")

Place = Callable[[str], dict[str, Any]]


class IndicatorNotFound(NotFound):
    def __init__(self, indicator: str) -> None:
        super().__init__(f"no log of the last 30 days holds the indicator {indicator[:200]}")


@dataclass(frozen=True, slots=True)
class Ioc:
    """An indicator as the explorer shows it. `first_seen` (Unix milliseconds): in a feed, else in a log."""

    sighting: Sighting
    score: Score
    signals: int
    first_seen: int
    place: Mapping[str, Any]
    triage: Triage | None

    @property
    def id(self) -> str:
        return triage_repository.id_of(self.sighting.indicator)

    @property
    def as_type(self) -> str:
        found = self.place.get("as", {})
        return str(found.get("type", "")) if isinstance(found, dict) else ""

    @property
    def state(self) -> str:
        return self.triage.state if self.triage else STATES[0]


@dataclass(frozen=True, slots=True)
class IocDetail:
    """With what only the panel shows."""

    ioc: Ioc
    severities: Sequence[tuple[str, int]]
    history: Sequence[Entry]


class IndicatorExplorer:
    """Safe to use from many threads."""

    def __init__(
        self,
        state: StateStore,
        events: EventStore,
        explore: ExploreService,
        feeds: FeedsService,
        audit: AuditTrail,
        clock: Clock,
        place: Place,
    ) -> None:
        """`place` looks an address up."""
        self._state = state
        self._events = events
        self._explore = explore
        self._feeds = feeds
        self._audit = audit
        self._clock = clock
        self._place = place
        self._lock = threading.Lock()
        self._sinces: tuple[int, dict[tuple[str, str], int | None]] = (-1, {})

    def page(
        self,
        query: str = "*",
        *,
        limit: int = 50,
        offset: int = 0,
        sort: str = "score",
        is_descending: bool = True,
        triage_state: str | None = None,
        worked_by: str | None = None,
    ) -> tuple[int, Sequence[Ioc]]:
        """How many indicators a query finds, and a page of them.

        The query is of the search language: bare words search the indicator; its attributes are `@indicator`,
        `@indicator_type`, `@category`, `@source`, `@intention`, `@score`, `@log_count`, `@signal_count` and
        `@triage_state`.
        Raises `QueryError`, `BadRequest`.
        """
        if sort not in SORTS:
            raise BadRequest(f"cannot sort by '{sort[:60]}', but by {', '.join(SORTS)}")
        holds = to_predicate(parse(query or "*"))
        found = [
            ioc
            for ioc in self._present()
            if holds(_as_event(ioc))
            and (triage_state is None or ioc.state == triage_state)
            and (worked_by is None or (ioc.triage is not None and ioc.triage.changed_by == worked_by))
        ]
        found.sort(key=lambda ioc: ioc.sighting.indicator)
        found.sort(key=SORTS[sort], reverse=is_descending)
        return len(found), found[offset : offset + limit]

    def facets(self, query: str = "*") -> Mapping[str, Sequence[tuple[str, int]]]:
        """How many indicators have each value of each facet, the most frequent first.

        What the query itself says about a facet is left out where that facet is counted, so that there is something
        else to choose. Raises `QueryError`.
        """
        node = parse(query or "*")
        events = [_as_event(ioc) for ioc in self._present()]
        found = {}
        for name in FACETS:
            holds = to_predicate(_without(node, name))
            counts = Counter(value for event in events if holds(event) for value in _values(event.attributes[name]))
            found[name] = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return found

    def get(self, indicator: str, *, history_limit: int = 0, history_offset: int = 0) -> IocDetail:
        """Raises `IndicatorNotFound`."""
        quoted = _quoted(indicator)
        logs = self._explore.scope("logs", Filter(f"@threat_intel.results.indicator:{quoted}", SPAN))
        found = sightings_repository.sightings(self._events, logs, indicator)
        if not found:
            raise IndicatorNotFound(indicator)
        signals = self._explore.scope("signals", Filter(f"@threat_intel.results.indicator:{quoted}", SPAN))
        severities = self._explore.facets(signals, ["status"]).facets["status"].values
        (ioc,) = self._iocs(found, {indicator: sum(count for _, count in severities)})
        with self._state.reading() as session:
            history = triage_repository.history(session, indicator, history_limit, history_offset)
        return IocDetail(ioc, severities, history)

    def triage(self, indicator: str, state: str, by: Actor) -> Triage:
        """Say whether somebody has looked at an indicator. Raises `BadRequest`."""
        if state not in STATES:
            raise BadRequest(f"the triage state '{state[:60]}' is none of {', '.join(STATES)}")
        if not indicator.strip() or len(indicator) > 4_000:
            raise BadRequest("an indicator has 1 to 4,000 characters")
        with self._state.transaction() as session:
            before = triage_repository.of(session, [indicator]).get(indicator)
            made = triage_repository.decide(session, indicator, state, self._clock(), by.handle)
            prior = None if before is None else before.state
            self._audit.record(
                session, by, "modified", ASSET, triage_repository.id_of(indicator), indicator[:200], prior, state
            )
        return made

    def _present(self) -> Sequence[Ioc]:
        scope = self._explore.scope("logs", Filter("@threat_intel.indicators_matched:*", SPAN))
        return self._iocs(sightings_repository.sightings(self._events, scope), self._signals())

    def _signals(self) -> dict[str, int]:
        scope = self._explore.scope("signals", Filter("@threat_intel.results.indicator:*", SPAN))
        name = "@threat_intel.results.indicator"
        return dict(self._explore.facets(scope, [name], MAX_SIGNAL_VALUES).facets[name].values)

    def _iocs(self, sightings: Sequence[Sighting], signals: Mapping[str, int]) -> Sequence[Ioc]:
        now = self._clock()
        sinces = self._since([(_LABELS.get(each.type, ""), each.indicator) for each in sightings])
        with self._state.reading() as session:
            triaged = triage_repository.of(session, [each.indicator for each in sightings])
        found = []
        for sighting in sightings:
            since = sinces.get((_LABELS.get(sighting.type, ""), sighting.indicator))
            place = self._place(sighting.indicator) if sighting.type == "IP" and "/" not in sighting.indicator else {}
            count = signals.get(sighting.indicator, 0)
            known = place.get("as", {})
            made = score(
                sighting.said,
                since=since,
                now=now,
                as_type=str(known.get("type", "")) if isinstance(known, dict) else "",
                signals=count,
            )
            first = min(since, sighting.first_at) if since is not None else sighting.first_at
            found.append(Ioc(sighting, made, count, first, place, triaged.get(sighting.indicator)))
        return found

    def _since(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], int | None]:
        """Since when each (type, value) has been in a feed, None: it is in none; remembered until a feed changes."""
        revision = self._feeds.revision()
        with self._lock:
            known = dict(self._sinces[1]) if self._sinces[0] == revision else {}
        missing = [key for key in keys if key not in known]
        if missing:
            listed = self._feeds.listings(missing)
            known |= {
                key: min((one.since for _, one in listed[key]), default=None) if key in listed else None
                for key in missing
            }
            with self._lock:
                self._sinces = (revision, known)
        return known


_LABELS = {label: name for name, label in TYPES.items()}


def _as_event(ioc: Ioc) -> Event:
    """What a query of the list searches."""
    sighting = ioc.sighting
    attributes = {
        "indicator": sighting.indicator,
        "indicator_type": sighting.type,
        "category": list(sighting.categories),
        "source": sorted({name for names in sighting.said.values() for name in names}),
        "intention": list(sighting.said),
        "score": ioc.score.value,
        "log_count": sighting.logs,
        "signal_count": ioc.signals,
        "triage_state": ioc.state,
    }
    return Event(ioc.id, sighting.last_at, message=sighting.indicator, attributes=attributes)


def _without(node: Node, facet: str) -> Node:
    """The query without the clauses, joined by AND at its top, that are about a facet and nothing else."""
    parts = node.parts if isinstance(node, And) else (node,)
    return conjunction([part for part in parts if not all(_is_about(leaf, facet) for leaf in leaves(part))])


def _is_about(leaf: Leaf, facet: str) -> bool:
    return not isinstance(leaf, All) and leaf.field == Field(FieldKind.ATTRIBUTE, facet)


def _values(value: Json) -> Sequence[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
