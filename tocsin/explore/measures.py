"""What an aggregation computes of the events of a group (api.md §3)."""

from dataclasses import dataclass

from tocsin.errors import BadRequest

PERCENTILES = {"median": 0.5, "pc75": 0.75, "pc90": 0.9, "pc95": 0.95, "pc98": 0.98, "pc99": 0.99}
"""Interpolated between the two nearest values, as spreadsheets do."""

NUMERIC = ("sum", "min", "max", "avg", *PERCENTILES)
AGGREGATIONS = ("count", "cardinality", *NUMERIC)


@dataclass(frozen=True, slots=True)
class Compute:
    """`interval_ms` makes a time series of it; None is one number for the whole time."""

    aggregation: str = "count"
    metric: str | None = None
    interval_ms: int | None = None

    def __post_init__(self) -> None:
        if self.aggregation not in AGGREGATIONS:
            raise BadRequest(f"unknown aggregation '{self.aggregation}': use one of {', '.join(AGGREGATIONS)}")
        if self.aggregation != "count" and not self.metric:
            raise BadRequest(f"the aggregation {self.aggregation} needs a metric, such as @duration")


COUNT = Compute()
