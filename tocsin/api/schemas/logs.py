"""Bodies and answers of the search of logs and audit events (api.md §3, §14)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from tocsin.api.paging import timestamp
from tocsin.api.schemas.explore import Time
from tocsin.explore.aggregate import Bucket, Point
from tocsin.explore.grouping import GroupBy, Histogram, Order
from tocsin.explore.intervals import interval_for
from tocsin.explore.measures import COUNT, Compute
from tocsin.explore.scope import Scope
from tocsin.explore.service import MAX_PAGE, Filter
from tocsin.explore.times import parse_interval

Sort = Literal["timestamp", "-timestamp"]
Tier = Literal["indexes", "online-archives", "flex"]
Limit = Annotated[int, Field(ge=1, le=MAX_PAGE)]
Cursor = Annotated[str, Field(max_length=10_000)]
Aggregation = Literal[
    "count", "cardinality", "pc75", "pc90", "pc95", "pc98", "pc99", "sum", "min", "max", "avg", "median"
]
FieldText = Annotated[str, Field(min_length=1, max_length=1000)]


class LogsFilter(BaseModel):
    query: str = "*"
    from_: Annotated[Time, Field(alias="from")] = "now-15m"
    to: Time = "now"
    indexes: Annotated[list[str], Field(description="Taken, without effect: there is one index.")] = ["*"]
    storage_tier: Annotated[Tier, Field(description="Taken, without effect.")] = "indexes"

    def model(self) -> Filter:
        return Filter(self.query, self.from_, self.to)


class LogsPage(BaseModel):
    cursor: Cursor | None = None
    limit: Limit = 10


class LogsSearch(BaseModel):
    filter: LogsFilter = LogsFilter()
    sort: Sort = "-timestamp"
    page: LogsPage = LogsPage()
    options: Annotated[dict[str, Any], Field(description="Taken, without effect: times are absolute.")] = {}


class LogEvent(BaseModel):
    id: str
    type: Literal["log", "audit"]
    attributes: dict[str, Any]


class NextLink(BaseModel):
    next: str


class PageAfter(BaseModel):
    after: str


class LogsMeta(BaseModel):
    elapsed: Annotated[int, Field(description="Milliseconds.")]
    request_id: str
    status: Literal["done", "timeout"] = "done"
    page: PageAfter | None = None
    warnings: list[dict[str, str]] = []


class LogsAnswer(BaseModel):
    data: list[LogEvent]
    links: NextLink | None = None
    meta: LogsMeta


class ComputeBody(BaseModel):
    aggregation: Aggregation
    metric: FieldText | None = None
    type: Literal["total", "timeseries"] = "total"
    interval: Annotated[str, Field(max_length=20)] | None = None

    def model(self, scope: Scope) -> Compute:
        """A time series without an interval gets one that makes about 60 points."""
        if self.type == "total":
            return Compute(self.aggregation, self.metric)
        interval = parse_interval(self.interval) if self.interval else interval_for(scope.start, scope.end, 60)
        return Compute(self.aggregation, self.metric, interval)


class SortBody(BaseModel):
    type: Literal["alphabetical", "measure"] = "alphabetical"
    aggregation: Aggregation = "count"
    metric: FieldText | None = None
    order: Literal["asc", "desc"] = "asc"

    def model(self) -> Order:
        measure = Compute(self.aggregation, self.metric) if self.type == "measure" else None
        return Order(measure, self.order == "desc")


class HistogramBody(BaseModel):
    interval: float
    min: float
    max: float

    def model(self) -> Histogram:
        return Histogram(self.interval, self.min, self.max)


class GroupByBody(BaseModel):
    facet: FieldText
    limit: Annotated[int, Field(ge=1, le=10_000)] = 10
    missing: str | float | None = None
    total: bool | str | float | None = None
    sort: SortBody | None = None
    histogram: HistogramBody | None = None

    def model(self) -> GroupBy:
        """Without a sort the most frequent come first. A total that is just asked for is named `*`."""
        return GroupBy(
            field=self.facet,
            limit=self.limit,
            order=self.sort.model() if self.sort else Order(COUNT),
            missing=self.missing,
            total="*" if self.total is True else None if self.total is False else self.total,
            histogram=self.histogram.model() if self.histogram else None,
        )


class Aggregate(BaseModel):
    filter: LogsFilter = LogsFilter()
    compute: Annotated[list[ComputeBody], Field(max_length=20)] = []
    group_by: Annotated[list[GroupByBody], Field(max_length=4)] = []
    options: dict[str, Any] = {}
    page: Annotated[dict[str, Any], Field(description="Taken, without effect: there is one page.")] = {}


class SeriesPoint(BaseModel):
    time: str
    value: float


class BucketAnswer(BaseModel):
    by: dict[str, str | float | int | bool]
    computes: dict[str, float | list[SeriesPoint]]

    @classmethod
    def of(cls, bucket: Bucket) -> "BucketAnswer":
        return cls(by=bucket.by, computes={name: _shown(value) for name, value in bucket.computes.items()})


class Buckets(BaseModel):
    buckets: list[BucketAnswer]


class AggregateAnswer(BaseModel):
    data: Buckets
    meta: LogsMeta


class V1Time(BaseModel):
    from_: Annotated[Time, Field(alias="from")]
    to: Time
    timezone: str | None = None


class V1List(BaseModel):
    query: str = "*"
    time: V1Time
    index: str | None = None
    sort: Literal["asc", "desc"] = "desc"
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    start_at: Annotated[str | None, Field(alias="startAt", max_length=200)] = None


class V1Log(BaseModel):
    id: str
    content: dict[str, Any]


class V1Answer(BaseModel):
    status: Literal["done"] = "done"
    next_log_id: Annotated[str | None, Field(alias="nextLogId")] = None
    logs: list[V1Log]


def _shown(value: float | list[Point]) -> float | list[SeriesPoint]:
    if isinstance(value, list):
        return [SeriesPoint(time=timestamp(point.time), value=point.value) for point in value]
    return value
