"""What the explorer answers; times in Unix milliseconds."""

from dataclasses import dataclass, field

from tocsin.event import Json
from tocsin.explore.facets_repository import FacetCounts
from tocsin.explore.series_repository import Bar


@dataclass(frozen=True, slots=True)
class Page:
    """Events in the API's shape; `after` is the cursor of the next page, `next_id` its first id; None on the last."""

    events: list[dict[str, Json]]
    snapshot: int
    after: str | None = None
    next_id: str | None = None


@dataclass(frozen=True, slots=True)
class Facets:
    facets: dict[str, FacetCounts]
    total: int
    snapshot: int


@dataclass(frozen=True, slots=True)
class Timeseries:
    interval_ms: int
    bars: list[Bar]
    total: int
    snapshot: int


@dataclass(frozen=True, slots=True)
class Count:
    count: int
    latest_ingested_at: int


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that could stand at the cursor: how it reads, what to write, how many events, and a word about it."""

    text: str
    insert: str
    count: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """`insert` of an option replaces the characters from `start` to `end` of the text."""

    start: int
    end: int
    kind: str
    options: list[Option] = field(default_factory=list)
