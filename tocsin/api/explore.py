"""The explorer's endpoints over every track: list, facets, trend, counts, completion, check."""

import time
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.schemas.explore import (
    CheckAnswer,
    CheckBody,
    CheckData,
    CompleteBody,
    CompletionAnswer,
    CountAnswer,
    CountBody,
    EventAnswer,
    EventsAnswer,
    EventsBody,
    FacetsAnswer,
    FacetsBody,
    QueryFault,
    QueryHint,
    TimeseriesAnswer,
    TimeseriesBody,
)
from tocsin.api.security import requires
from tocsin.explore.service import ExploreService, Filter
from tocsin.query import TRACKS, QueryError, Track, hints, parse

PERMISSIONS = {
    "logs": "logs_read_data",
    "signals": "security_monitoring_signals_read",
    "suppressed": "security_monitoring_signals_read",
    "audit": "audit_logs_read",
}


async def _explore(services: Services) -> ExploreService:
    service: ExploreService = services.explore
    return service


Explore = Annotated[ExploreService, Depends(_explore)]

router = APIRouter(tags=["explore"])


def elapsed_since(start: float) -> int:
    """Whole milliseconds since `start` of `time.monotonic`."""
    return int((time.monotonic() - start) * 1000)


def _add_routes(track: str) -> None:
    """The endpoints of one track. Each track has a permission of its own, and a route names one."""
    reader = Annotated[Actor, Depends(requires(PERMISSIONS[track]))]
    base = f"/api/v2/explore/{track}"

    def events(explore: Explore, actor: reader, body: EventsBody) -> EventsAnswer:
        """A page of events, in the order of any field."""
        start = time.monotonic()
        sort = body.sort[0].model() if body.sort else None
        page = explore.search(explore.scope(track, body.filter.model()), sort, body.page.limit, body.page.cursor)
        return EventsAnswer.of(page, elapsed_since(start))

    def event(explore: Explore, actor: reader, event_id: Annotated[str, Path(max_length=200)]) -> EventAnswer:
        """One event in full."""
        return EventAnswer.model_validate({"data": explore.event(track, event_id)})

    def facets(explore: Explore, actor: reader, body: FacetsBody) -> FacetsAnswer:
        """Counts of the most frequent values of fields."""
        start = time.monotonic()
        search = (body.search.facet, body.search.text) if body.search else None
        found = explore.facets(explore.scope(track, body.filter.model()), body.facets, body.limit, search)
        return FacetsAnswer.of(found, elapsed_since(start))

    def timeseries(explore: Explore, actor: reader, body: TimeseriesBody) -> TimeseriesAnswer:
        """Counts over time, in round intervals, by the values of a field."""
        start = time.monotonic()
        scope = explore.scope(track, body.filter.model())
        found = explore.timeseries(scope, body.buckets, body.interval_ms, body.group_by, body.limit)
        return TimeseriesAnswer.of(found, elapsed_since(start))

    def count(explore: Explore, actor: reader, body: CountBody) -> CountAnswer:
        """How many events there are, or have arrived since a moment."""
        return CountAnswer.of(explore.count(explore.scope(track, body.filter.model()), body.ingested_after))

    def complete(explore: Explore, actor: reader, body: CompleteBody) -> CompletionAnswer:
        """What could stand at the cursor of a query that is being typed."""
        scope = explore.scope(track, Filter("*", body.from_, body.to))
        return CompletionAnswer.of(explore.complete(scope, body.text, body.cursor))

    def check(actor: reader, body: CheckBody) -> CheckAnswer:
        """Whether a query parses; if not, where it fails, else what may not be meant."""
        return CheckAnswer(data=checked(body.query, TRACKS[track]))

    endpoints: tuple[tuple[str, str, Callable[..., object]], ...] = (
        ("POST", "events", events),
        ("GET", "events/{event_id}", event),
        ("POST", "facets", facets),
        ("POST", "timeseries", timeseries),
        ("POST", "count", count),
        ("POST", "complete", complete),
        ("POST", "check", check),
    )
    for method, path, endpoint in endpoints:
        router.add_api_route(
            f"{base}/{path}",
            endpoint,
            methods=[method],
            name=f"{endpoint.__name__}_of_{track}",
            response_model_exclude_none=True,
        )


def checked(query: str, track: Track) -> CheckData:
    """A fault with its place, or hints."""
    try:
        parse(query)
    except QueryError as error:
        fault = QueryFault(code=str(error.code), start=error.start, end=error.end, message=error.message, fix=error.fix)
        return CheckData(ok=False, error=fault)
    found = [
        QueryHint(start=each.start, end=each.end, message=each.message, fix=each.fix) for each in hints(query, track)
    ]
    return CheckData(ok=True, hints=found)


for _name in PERMISSIONS:
    _add_routes(_name)
