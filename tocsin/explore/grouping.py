"""By what an aggregation groups, and in which order its groups come (api.md §3)."""

from dataclasses import dataclass

from tocsin.errors import BadRequest
from tocsin.explore.measures import COUNT, Compute

MAX_GROUPS = 10_000
MAX_FIELDS = 4

Value = str | float | int | bool
"""What stands in a bucket's `by`."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Numbers of a field in steps of `interval` from `low` up to and without `high`."""

    interval: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.interval > 0 or not self.high > self.low:
            raise BadRequest("a histogram needs an interval above 0 and a max above its min")
        if (self.high - self.low) / self.interval > MAX_GROUPS:
            raise BadRequest(f"a histogram has at most {MAX_GROUPS:,} steps: use a larger interval")


@dataclass(frozen=True, slots=True)
class Order:
    """By a measure, or by the value when `measure` is None."""

    measure: Compute | None = COUNT
    is_descending: bool = True


@dataclass(frozen=True, slots=True)
class GroupBy:
    """The first `limit` values of a field in an order, within each group of the fields before it.

    `missing` stands for the events without the field, which are left out otherwise; `total` names one more
    group, of all events.
    """

    field: str
    limit: int = 10
    order: Order = Order()
    missing: Value | None = None
    total: Value | None = None
    histogram: Histogram | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_GROUPS:
            raise BadRequest(f"the limit of a group_by is 1 to {MAX_GROUPS:,}, not {self.limit}")
