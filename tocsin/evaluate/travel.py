"""The impossible-travel method: one account at two places, too far apart for the time between (siem.md §2.17).

Pure, as every method. What the words mean here (decision 0084):

- An *access* is an event with coordinates; one without is passed over. It is compared with the access before it in the
  same scope, in event time; ties in the order of event ids.
- A *travel* is impossible when it is longer than 500 km and faster than 1000 km/h; less than a second counts as one.
- A *location* is a city and country; without a city, the coordinates to a tenth of a degree.

With `baselineUserLocations`, an impossible travel is passed over where the account is being learned, where the location
is usual, or where the same transition was seen before:

- An account is *learned* for `baselineUserLocationsDuration` from its first access on; one unseen for 30 days is new.
- A location is *usual* when the account began to come from there while it was learned, or as long ago as that takes. A
  location unseen for 30 days is forgotten.
- A *transition* is two accesses in a row, one from each location; it is forgotten 30 days after its departure.

So what is concluded at a moment depends on a bounded past, and a restart needs no more than that.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self, cast

import orjson

from tocsin.errors import BadRequest
from tocsin.evaluate import history
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.evidence import Entry
from tocsin.evaluate.machine import EventMachine
from tocsin.evaluate.method import FIRST_EVENTS, MAX_ENTRIES, Plan, ScopeTooLarge, kept_positions
from tocsin.evaluate.refs import packed
from tocsin.evaluate.window import counted
from tocsin.event import Json
from tocsin.rule import Rule

MAX_SPEED_KMH = 1000.0
MIN_DISTANCE_KM = 500.0

EARTH_RADIUS_KM = 6371.0088
"""The mean radius (IUGG); a sphere is off by at most 0.6 %, less than where a city's centre is put."""

DAY_MS = 24 * 3600 * 1000
HOUR_MS = 3600 * 1000

REMEMBERED_MS = DAY_MS
"""No travel on earth is impossible in more: half way round are 20,015 km."""

FORGET_MS = 30 * DAY_MS

DEFAULT_LEARNING_DAYS = 1

LAST_ACCESSES = 10
"""Shown on the signal: where the account was before."""


class Place(NamedTuple):
    """Where an access came from. Degrees; north and east are positive."""

    latitude: float
    longitude: float
    city: str
    country: str
    ip: str

    @property
    def name(self) -> tuple[str, str]:
        """What makes two accesses come from the same location."""
        return (self.city or f"{self.latitude:.1f}, {self.longitude:.1f}", self.country)


class Access(NamedTuple):
    entry: Entry
    place: Place


def distance_km(one: Place, other: Place) -> float:
    """The great-circle distance."""
    north, other_north = math.radians(one.latitude), math.radians(other.latitude)
    half_north = (other_north - north) / 2
    half_east = math.radians(other.longitude - one.longitude) / 2
    chord = math.sin(half_north) ** 2 + math.cos(north) * math.cos(other_north) * math.sin(half_east) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(chord)))


def speed_kmh(kilometres: float, milliseconds: int) -> float:
    return kilometres / (max(milliseconds, 1000) / HOUR_MS)


def is_impossible(kilometres: float, milliseconds: int) -> bool:
    return kilometres > MIN_DISTANCE_KM and speed_kmh(kilometres, milliseconds) > MAX_SPEED_KMH


@dataclass(frozen=True)
class TravelPlan(Plan):
    """`learning_ms`: how long an account is learned; None without a baseline."""

    learning_ms: int | None

    @property
    def lookback_ms(self) -> int:
        if self.learning_ms is None:
            return REMEMBERED_MS
        # Longer than any account or location can be remembered without having been learned.
        return FORGET_MS + 2 * self.learning_ms

    @property
    def baseline(self) -> str | None:
        """Editing a text or a severity does not restart what is learned."""
        return None if self.learning_ms is None else history.baseline(self.rule)

    def machine(self, start: int | None = None, named: int = FIRST_EVENTS) -> "TravelMachine":
        return TravelMachine(self, start, named)


def plan(rule: Rule) -> TravelPlan:
    """Read a rule; raises `BadRequest` for what this method cannot decide."""
    for query in rule.queries:
        if query.aggregation != "geo_data" or len(query.metrics) != 1:
            raise BadRequest(f"query '{query.label}' must have the aggregation 'geo_data' and one metric")
    if len(rule.cases) != 1:
        raise BadRequest(f"impossible travel has exactly one case, {len(rule.cases)} given")
    options: Mapping[str, Any] = rule.options.method_options.get("impossibleTravelOptions") or {}
    learning = None
    if options.get("baselineUserLocations"):
        learning = (options.get("baselineUserLocationsDuration") or DEFAULT_LEARNING_DAYS) * DAY_MS
    # The evaluation window has no meaning here (siem.md §2.9).
    windowless = replace(rule, options=replace(rule.options, evaluation_window=0))
    return TravelPlan(windowless, kept_positions(rule), learning)


class Stay(NamedTuple):
    """Since when and until when something was seen without being forgotten in between."""

    began: int
    last: int

    def seen(self, timestamp: int) -> "Stay":
        return Stay(self.began if timestamp - self.last <= FORGET_MS else timestamp, timestamp)


class _Account:
    """What is remembered of one scope."""

    __slots__ = ("accesses", "counted", "locations", "stay", "transitions")

    def __init__(self) -> None:
        self.stay: Stay | None = None
        self.accesses: deque[Access] = deque(maxlen=LAST_ACCESSES)
        self.locations: dict[tuple[str, str], Stay] = {}
        self.transitions: dict[tuple[tuple[str, str], tuple[str, str]], int] = {}
        self.counted = -1

    @property
    def size(self) -> int:
        return len(self.accesses) + len(self.locations) + len(self.transitions)

    def copy(self) -> "_Account":
        twin = _Account()
        twin.stay = self.stay
        twin.accesses = self.accesses.copy()
        twin.locations = self.locations.copy()
        twin.transitions = self.transitions.copy()
        twin.counted = self.counted
        return twin

    def is_expected(self, access: Access, before: Access, learning_ms: int) -> bool:
        """Whether the baseline explains an impossible travel."""
        now = access.entry.timestamp
        stay = self.stay
        if stay is None or now - stay.last > FORGET_MS or now < stay.began + learning_ms:
            return True
        known = self.locations.get(access.place.name)
        if known is not None and now - known.last <= FORGET_MS:
            began_while_learning = known.began < stay.began + learning_ms
            if began_while_learning or known.began <= now - learning_ms:
                return True
        departed = self.transitions.get((before.place.name, access.place.name))
        return departed is not None and now - departed <= FORGET_MS

    def remember(self, access: Access, *, baseline: bool) -> None:
        now, name = access.entry.timestamp, access.place.name
        if baseline:
            if self.accesses and self.accesses[-1].place.name != name:
                before = self.accesses[-1]
                self.transitions[(before.place.name, name)] = before.entry.timestamp
            self.stay = (self.stay or Stay(now, now)).seen(now)
            self.locations[name] = self.locations.get(name, Stay(now, now)).seen(now)
        self.accesses.append(access)

    def sweep(self, now: int) -> None:
        self.locations = {name: stay for name, stay in self.locations.items() if now - stay.last <= FORGET_MS}
        self.transitions = {pair: at for pair, at in self.transitions.items() if now - at <= FORGET_MS}


class TravelMachine(EventMachine):
    """O(1) for each match. `watch_travel` is told of each two accesses that are compared (`nearest.py`)."""

    def __init__(self, prepared: TravelPlan, start: int | None, named: int) -> None:
        super().__init__(prepared, start, named)
        self.plan = prepared
        self.watch_travel: Callable[[tuple[str, ...], _Account, Access, Access], None] | None = None
        self._accounts: dict[tuple[str, ...], _Account] = {}
        self._sweep_at = 256

    def copy(self) -> Self:
        twin = super().copy()
        twin._sweep_at = self._sweep_at
        twin._accounts = {group: account.copy() for group, account in self._accounts.items()}
        return twin

    def _event(self, at: tuple[int, str], rows: list[MatchRow]) -> None:
        found = {}
        for row in sorted((row for row in rows if row.distinct is not None), key=_order, reverse=True):
            found[row.group] = row
        for group in sorted(found):
            self._access(found[group])
        if self.entries > self._sweep_at:
            self._sweep(at[0])

    def _access(self, row: MatchRow) -> None:
        self._serial += 1
        entry = Entry(self._serial, row.timestamp, packed(row.event_id), counted(row.query_index))
        access = Access(entry, read_place(cast(str, row.distinct)))
        account = self._accounts.setdefault(row.group, _Account())
        held = account.size
        is_past = row.is_history or (self.start is not None and row.timestamp < self.start)
        if account.accesses and not is_past:
            if self.watch_travel is not None:
                self.watch_travel(row.group, account, account.accesses[-1], access)
            self._compare(row.group, account, account.accesses[-1], access)
        account.remember(access, baseline=self.plan.learning_ms is not None)
        self.entries += account.size - held

    def _compare(self, group: tuple[str, ...], account: _Account, before: Access, access: Access) -> None:
        elapsed = access.entry.timestamp - before.entry.timestamp
        kilometres = distance_km(before.place, access.place)
        if not is_impossible(kilometres, elapsed):
            return
        learning_ms = self.plan.learning_ms
        if learning_ms is not None and account.is_expected(access, before, learning_ms):
            return
        facts = {
            "impossible_travel": {
                "triggering_locations": {"first_location": _shown(before), "second_location": _shown(access)},
                "travel_distance": round(kilometres, 1),
                "travel_speed": round(speed_kmh(kilometres, elapsed), 1),
                "previous_locations": [
                    _shown(earlier)
                    for earlier in account.accesses
                    if access.entry.timestamp - earlier.entry.timestamp <= REMEMBERED_MS
                ],
            }
        }
        values = (None,) * len(self.plan.rule.queries)
        signal, is_new = self._life.hit(access.entry, group, 0, values, 2, facts)
        if is_new:
            for other in self._accounts.values():
                other.counted = -1
        signal.take(group, [entry for entry in (before.entry, access.entry) if entry.serial > account.counted])
        account.counted = access.entry.serial

    def _sweep(self, now: int) -> None:
        kept_ms = REMEMBERED_MS if self.plan.learning_ms is None else FORGET_MS
        for group, account in list(self._accounts.items()):
            account.sweep(now)
            if now - account.accesses[-1].entry.timestamp > kept_ms:
                del self._accounts[group]
        self.entries = sum(account.size for account in self._accounts.values())
        self._sweep_at = max(256, 2 * self.entries)
        if self.entries > MAX_ENTRIES:
            raise ScopeTooLarge(
                f"more than {MAX_ENTRIES} locations are remembered in one signal group; group signals by more fields"
            )


def read_place(text: str) -> Place:
    """What `match.texts.place` wrote."""
    written = orjson.loads(text)
    return Place(**{name: written[name] for name in Place._fields})


def _shown(access: Access) -> Json:
    place = access.place
    return {"city": place.city, "country": place.country, "ip": place.ip, "timestamp": access.entry.timestamp}


def _order(row: MatchRow) -> tuple[bool, int, str]:
    return (row.is_history, row.query_index, row.distinct or "")
