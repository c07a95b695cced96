"""Signals: search, list, one, the events behind one, and the searches that lead on from it (api.md §5)."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.paging import timestamp
from tocsin.api.schemas.signals import (
    EntitiesAnswer,
    EntitiesAttributes,
    EntitiesData,
    Identity,
    Links,
    Meta,
    PageMeta,
    Resource,
    SearchesAnswer,
    SignalAnswer,
    SignalsAnswer,
    SignalsFilter,
    SignalsPage,
    SignalsSearch,
    Sort,
)
from tocsin.api.security import requires
from tocsin.event import Event, Json, SignalEvent
from tocsin.explain.leads import Leads
from tocsin.explore.resources import resource
from tocsin.explore.service import ExploreService, Filter
from tocsin.explore.sorting import parse_sort
from tocsin.query import parse
from tocsin.query.track import LOGS
from tocsin.signals.service import SignalsService


async def _explore(services: Services) -> ExploreService:
    service: ExploreService = services.explore
    return service


async def _signals(services: Services) -> SignalsService:
    service: SignalsService = services.signals
    return service


async def _leads(services: Services) -> Leads:
    leads: Leads = services.leads
    return leads


Explore = Annotated[ExploreService, Depends(_explore)]
Signals = Annotated[SignalsService, Depends(_signals)]
Reader = Annotated[Actor, Depends(requires("security_monitoring_signals_read"))]
Leading = Annotated[Leads, Depends(_leads)]
EventReader = Annotated[Actor, Depends(requires("security_monitoring_signals_read", "logs_read_data"))]

BASE = "/api/v2/security_monitoring/signals"


async def _asked(
    query: Annotated[str | None, Query(alias="filter[query]")] = None,
    start: Annotated[str | None, Query(alias="filter[from]")] = None,
    end: Annotated[str | None, Query(alias="filter[to]")] = None,
    sort: Sort | None = None,
    cursor: Annotated[str | None, Query(alias="page[cursor]")] = None,
    limit: Annotated[int, Query(alias="page[limit]", ge=1, le=1000)] = 10,
) -> SignalsSearch:
    wanted = SignalsFilter.model_validate({"query": query, "from": start, "to": end})
    return SignalsSearch(filter=wanted, page=SignalsPage(cursor=cursor, limit=limit), sort=sort)


Asked = Annotated[SignalsSearch, Depends(_asked)]
"""A search of signals by query parameters."""

router = APIRouter(tags=["signals"])


@router.post(f"{BASE}/search", response_model_exclude_none=True)
def search_signals(
    request: Request, explore: Explore, _actor: Reader, body: SignalsSearch | None = None
) -> SignalsAnswer:
    """Find signals; of the last 15 minutes if no times are given."""
    return page_of(request, explore, body or SignalsSearch(), BASE)


@router.get(BASE, response_model_exclude_none=True)
def list_signals(request: Request, explore: Explore, _actor: Reader, asked: Asked) -> SignalsAnswer:
    """The same search by query parameters; both forms share their cursors."""
    return page_of(request, explore, asked, BASE)


@router.get(f"{BASE}/{{signal_id}}")
def get_signal(signals: Signals, _actor: Reader, signal_id: str) -> SignalAnswer:
    """One signal with its samples and the explanation why it fired."""
    return SignalAnswer(data=Resource.model_validate(signals.get(signal_id)))


@router.get(f"{BASE}/{{signal_id}}/events", response_model_exclude_none=True)
def get_signal_events(
    request: Request,
    signals: Signals,
    _actor: EventReader,
    signal_id: str,
    sort: Sort = "timestamp",
    cursor: Annotated[str | None, Query(alias="page[cursor]")] = None,
    limit: Annotated[int, Query(alias="page[limit]", ge=1, le=1000)] = 10,
) -> SignalsAnswer:
    """The logs, or for correlation the signals, that it rests on: exactly those that `events_matched` counts."""
    page = signals.events(signal_id, limit=limit, after=cursor, newest_first=sort == "-timestamp")
    shown = [_member(event) if isinstance(event, SignalEvent) else _log(event) for event in page.events]
    answer = SignalsAnswer(data=[Resource.model_validate(event) for event in shown], meta=Meta(total=page.total))
    if page.after:
        answer.meta = Meta(page=PageMeta(after=page.after), total=page.total)
        answer.links = _next(request, {"sort": sort, "page[limit]": limit, "page[cursor]": page.after})
    return answer


@router.get(f"{BASE}/{{signal_id}}/investigation_queries")
def get_investigation_queries(signals: Signals, _actor: Reader, signal_id: str) -> SearchesAnswer:
    """Searches of logs that lead on from the signal."""
    return SearchesAnswer(data=[Resource.model_validate(search) for search in signals.investigation_queries(signal_id)])


@router.get(f"{BASE}/{{signal_id}}/suggested_actions")
def get_suggested_actions(leads: Leading, _actor: Reader, signal_id: str) -> SearchesAnswer:
    """The same searches, then pages to read: those that the rule's author names, and those of its techniques."""
    return SearchesAnswer(data=[Resource.model_validate(action) for action in leads.suggested_actions(signal_id)])


@router.get(f"{BASE}/{{signal_id}}/entities")
def get_signal_entities(
    leads: Leading, _actor: Reader, signal_id: str, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> EntitiesAnswer:
    """The users, addresses, hosts and domains that the signal is about."""
    identities = [Identity.model_validate(each) for each in leads.entities(signal_id, limit)]
    return EntitiesAnswer(data=EntitiesData(id=signal_id, attributes=EntitiesAttributes(identities=identities)))


def page_of(
    request: Request, explore: ExploreService, body: SignalsSearch, path: str, *, track: str = "signals", only: str = ""
) -> SignalsAnswer:
    """A page of signals of a track; `only` is a query that all must meet as well, `path` where the next page is."""
    text = body.filter.query
    if only:
        parse(text or "*")  # by itself: a parenthesis of its own must not end that of ours
        text = f"({text}) AND {only}" if text and text.strip() not in ("", "*") else only
    given = {"query": text, "start": body.filter.start, "end": body.filter.end}
    scope = explore.scope(track, Filter(**{name: value for name, value in given.items() if value is not None}))  # type: ignore[arg-type]
    page = explore.search(scope, parse_sort(body.sort), body.page.limit, body.page.cursor)
    answer = SignalsAnswer(data=[Resource.model_validate(event) for event in page.events])
    if page.after:
        answer.meta = Meta(page=PageMeta(after=page.after))
        again: dict[str, Any] = {
            "filter[query]": body.filter.query,
            "filter[from]": body.filter.start,
            "filter[to]": body.filter.end,
            "sort": body.sort,
            "page[limit]": body.page.limit,
            "page[cursor]": page.after,
        }
        answer.links = _next(request, again, path)
    return answer


def _next(request: Request, parameters: dict[str, Any], path: str | None = None) -> Links:
    given = {name: value for name, value in parameters.items() if value is not None}
    return Links(next=f"{str(request.base_url).rstrip('/')}{path or request.url.path}?{urlencode(given)}")


def _member(event: Event) -> dict[str, Json]:
    """A signal that a signal of correlation consists of, as far as it follows from its events."""
    attributes: dict[str, Json] = {
        "timestamp": timestamp(event.timestamp),
        "title": event.message,
        "status": event.status,
        "service": event.service,
        "source": event.source,
        "tags": event.tags,
        "custom": event.attributes,
    }
    return {"id": event.id, "type": "signal", "attributes": attributes}


def _log(event: Event) -> dict[str, Json]:
    row = {
        "id": event.id,
        "timestamp": event.timestamp,
        "ingested_at": event.ingested_at,
        "host": event.host,
        "service": event.service,
        "source": event.source,
        "status": event.status,
        "message": event.message,
        "trace_id": event.trace_id,
        "tags": event.tags,
        "document": "{}",
    }
    shown = resource(LOGS, row)
    shown["attributes"]["attributes"] = event.attributes
    return shown
