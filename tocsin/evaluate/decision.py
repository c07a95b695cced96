"""What every method reads and concludes: matches in, decided signals out. Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from tocsin.evaluate.refs import EventRef, Refs
from tocsin.event import Json


class MatchRow(NamedTuple):
    """One match as it is stored. `timestamp` in Unix milliseconds.

    `is_history`: it was written by an earlier version of the rule, or for its baseline: a method may learn from it,
    but it never opens a signal (decision 0080).
    """

    timestamp: int
    event_id: str
    group: tuple[str, ...]
    query_index: int
    distinct: str | None = None
    value: float | None = None
    is_history: bool = False


NO_QUERY: Final = 255
"""In the place of a query's index: no event met any, a scheduled run ended (`look`)."""


def look(at: int) -> MatchRow:
    """What stands among the matches of a rule for the end of a scheduled run (Unix milliseconds), so that its cases are
    asked then although nothing came (siem.md §2.7, decision 0211)."""
    return MatchRow(at, f"run-{at}", (), NO_QUERY)


@dataclass(frozen=True, slots=True)
class QueryEvidence:
    """What one query contributes to a signal; `distinct_values` are the first 100 of `distinct`."""

    events: int
    value: float | None
    distinct: int = 0
    distinct_values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A case was reached: when, by which event, in which scope, and each query's value in the window then."""

    case_index: int
    timestamp: int
    event_id: str
    group: tuple[str, ...]
    values: tuple[float | None, ...]
    window_events: int


@dataclass(frozen=True, slots=True)
class Decision:
    """One signal, decided. Times in Unix milliseconds.

    `verdicts` rise in severity, the last decides. `groups` are the scopes that took part (at most 100, only
    where `groupSignalsBy` merges them). The signal is window-open until `closes_at`, exclusive. `facts` are what the
    method adds to the signal's attributes, under the paths of siem.md §3.1 (`anomaly.bound`, …).
    """

    group: tuple[str, ...]
    opened_by: str
    timestamp: int
    first_seen: int
    last_seen: int
    last_hit: int
    closes_at: int
    hits: int
    verdicts: tuple[Verdict, ...]
    events_matched: int
    queries: tuple[QueryEvidence, ...]
    groups: tuple[tuple[str, ...], ...]
    first_events: Refs | tuple[EventRef, ...]
    last_events: Refs | tuple[EventRef, ...]
    facts: Mapping[str, Json] = field(default_factory=dict, hash=False)

    @property
    def verdict(self) -> Verdict:
        """The one that decides."""
        return self.verdicts[-1]


def opening(decision: Decision) -> Decision:
    """The decision as it was when its signal opened, as far as that can still be told: its first verdict, and of the
    events that are named those until then."""
    first = decision.verdicts[0]
    until = (first.timestamp, first.event_id)
    events = [ref for ref in decision.first_events if (ref.timestamp, ref.event_id) <= until]
    if len(decision.verdicts) == 1 and len(events) == len(decision.first_events):
        return decision
    return replace(
        decision,
        last_seen=first.timestamp,
        last_hit=first.timestamp,
        hits=1,
        verdicts=(first,),
        events_matched=len(events),
        first_events=tuple(events),
        last_events=tuple(ref for ref in decision.last_events if (ref.timestamp, ref.event_id) <= until),
    )


def position(row: MatchRow) -> tuple[int, str]:
    """The order in which every method reads matches: event time, ties by event id."""
    return (row.timestamp, row.event_id)
