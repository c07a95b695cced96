"""Bodies and answers of the explorer; ours, under the conventions of the rest (api.md §1)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from tocsin.explore.answers import Completion, Count, Facets, Page, Timeseries
from tocsin.explore.service import MAX_FACETS, MAX_PAGE, MAX_VALUES, Filter
from tocsin.explore.sorting import Sort

TrackName = Literal["logs", "signals", "suppressed", "audit"]
Milliseconds = Annotated[int, Field(ge=-(2**62), le=2**62)]
Time = Annotated[
    Milliseconds | Annotated[str, Field(max_length=100)],
    Field(description="RFC 3339, Unix milliseconds, or date maths such as now-1d/d."),
]
FieldName = Annotated[
    str, Field(min_length=1, max_length=1000, description="status, a tag's key, or an attribute such as @usr.id")
]


class FilterBody(BaseModel):
    query: str = "*"
    from_: Annotated[Time, Field(alias="from")] = "now-15m"
    to: Time = "now"
    snapshot: Annotated[
        Milliseconds | None,
        Field(description="`meta.snapshot` of an earlier answer: the same events again, without later arrivals."),
    ] = None

    def model(self) -> Filter:
        return Filter(self.query, self.from_, self.to, self.snapshot)


class SortBody(BaseModel):
    field: FieldName = "timestamp"
    order: Literal["asc", "desc"] = "desc"

    def model(self) -> Sort:
        return Sort(self.field, self.order == "desc")


class PageBody(BaseModel):
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    cursor: Annotated[str, Field(max_length=10_000)] | None = None


class EventsBody(BaseModel):
    filter: FilterBody = FilterBody()
    sort: Annotated[list[SortBody], Field(max_length=1, description="One field; time and id break ties.")] = []
    page: PageBody = PageBody()


class Event(BaseModel):
    id: str
    type: Literal["log", "signal", "audit"]
    attributes: Annotated[dict[str, Any], Field(description="As in the search of logs, signals or audit events.")]


class After(BaseModel):
    after: Annotated[str | None, Field(description="Cursor of the next page; absent on the last.")] = None


class EventsMeta(BaseModel):
    page: After
    elapsed: Annotated[int, Field(description="Milliseconds.")]
    snapshot: Annotated[int, Field(description="State of the track: answers of one snapshot agree.")]


class EventsAnswer(BaseModel):
    data: list[Event]
    meta: EventsMeta

    @classmethod
    def of(cls, page: Page, elapsed: int) -> "EventsAnswer":
        events = [Event.model_construct(**event) for event in page.events]
        meta = EventsMeta(page=After(after=page.after), elapsed=elapsed, snapshot=page.snapshot)
        return cls.model_construct(data=events, meta=meta)


class EventAnswer(BaseModel):
    data: Event


class FacetSearch(BaseModel):
    facet: FieldName
    text: Annotated[str, Field(max_length=1000)]


class FacetsBody(BaseModel):
    filter: FilterBody = FilterBody()
    facets: Annotated[list[FieldName], Field(min_length=1, max_length=MAX_FACETS)]
    limit: Annotated[int, Field(ge=1, le=MAX_VALUES)] = 10
    search: FacetSearch | None = None


class FacetValue(BaseModel):
    value: str
    count: int


class Facet(BaseModel):
    facet: str
    values: list[FacetValue]
    distinct: Annotated[int, Field(description="Number of values; with a search, of those that hold its text.")]
    missing: Annotated[int, Field(description="Events without any.")]


class TotalMeta(BaseModel):
    total: Annotated[int, Field(description="Events in all.")]
    elapsed: int
    snapshot: int


class FacetsAnswer(BaseModel):
    data: list[Facet]
    meta: TotalMeta

    @classmethod
    def of(cls, found: Facets, elapsed: int) -> "FacetsAnswer":
        data = [
            Facet(
                facet=name,
                values=[FacetValue(value=value, count=count) for value, count in counts.values],
                distinct=counts.distinct,
                missing=counts.missing,
            )
            for name, counts in found.facets.items()
        ]
        return cls(data=data, meta=TotalMeta(total=found.total, elapsed=elapsed, snapshot=found.snapshot))


class TimeseriesBody(BaseModel):
    filter: FilterBody = FilterBody()
    buckets: Annotated[int, Field(ge=1, le=2000, description="At most so many; the interval is a round one.")] = 60
    interval_ms: Annotated[int, Field(ge=1, le=2**53)] | None = None
    group_by: FieldName | None = None
    limit: Annotated[int, Field(ge=1, le=50, description="Values of group_by: the most frequent.")] = 10


class TimeBucket(BaseModel):
    time: Annotated[int, Field(description="Start, Unix milliseconds.")]
    count: int
    by: dict[str, int]


class TimeseriesData(BaseModel):
    interval_ms: int
    buckets: list[TimeBucket]


class TimeseriesAnswer(BaseModel):
    data: TimeseriesData
    meta: TotalMeta

    @classmethod
    def of(cls, found: Timeseries, elapsed: int) -> "TimeseriesAnswer":
        buckets = [TimeBucket(time=bar.time, count=bar.count, by=bar.by) for bar in found.bars]
        return cls(
            data=TimeseriesData(interval_ms=found.interval_ms, buckets=buckets),
            meta=TotalMeta(total=found.total, elapsed=elapsed, snapshot=found.snapshot),
        )


class CountBody(BaseModel):
    filter: FilterBody = FilterBody()
    ingested_after: Annotated[
        Milliseconds | None, Field(description="Only events that arrived after this; for “n new”.")
    ] = None


class CountData(BaseModel):
    count: int
    latest_ingested_at: Annotated[int, Field(description="Of the whole track; 0 when it is empty.")]


class CountAnswer(BaseModel):
    data: CountData

    @classmethod
    def of(cls, found: Count) -> "CountAnswer":
        return cls(data=CountData(count=found.count, latest_ingested_at=found.latest_ingested_at))


class CompleteBody(BaseModel):
    text: Annotated[str, Field(max_length=64 * 1024, description="The whole query as typed so far.")]
    cursor: Annotated[int, Field(ge=0, le=2**31)]
    from_: Annotated[Time, Field(alias="from")] = "now-1d"
    to: Time = "now"


class CompletionOption(BaseModel):
    text: str
    insert: str
    count: int
    detail: str


class CompletionData(BaseModel):
    start: int
    end: int
    kind: Literal["field", "value"]
    options: list[CompletionOption]


class CompletionAnswer(BaseModel):
    data: CompletionData

    @classmethod
    def of(cls, found: Completion) -> "CompletionAnswer":
        options = [
            CompletionOption(text=each.text, insert=each.insert, count=each.count, detail=each.detail)
            for each in found.options
        ]
        kind: Literal["field", "value"] = "field" if found.kind == "field" else "value"
        return cls(data=CompletionData(start=found.start, end=found.end, kind=kind, options=options))


class CheckBody(BaseModel):
    query: Annotated[str, Field(max_length=200_000)]


class QueryHint(BaseModel):
    start: int
    end: int
    message: str
    fix: str | None = None


class QueryFault(QueryHint):
    code: str


class CheckData(BaseModel):
    ok: bool
    hints: list[QueryHint] | None = None
    error: QueryFault | None = None


class CheckAnswer(BaseModel):
    data: CheckData
