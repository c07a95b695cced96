"""Search of the audit trail: who changed what, when, from where (api.md §14, siem.md §11.4)."""

import time
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.schemas.audit import (
    After,
    AuditEvent,
    AuditEvents,
    AuditFilter,
    AuditLinks,
    AuditMeta,
    AuditPage,
    AuditSearch,
    Cursor,
    Limit,
    Moment,
    Order,
    QueryText,
)
from tocsin.api.security import requires
from tocsin.explore.service import ExploreService, Filter
from tocsin.explore.sorting import parse_sort

PATH = "/api/v2/audit/events"

router = APIRouter(tags=["Audit"])

Reader = Annotated[Actor, Depends(requires("audit_logs_read"))]


def _explore(services: Services) -> ExploreService:
    service: ExploreService = services.explore
    return service


Explore = Annotated[ExploreService, Depends(_explore)]


@router.post(f"{PATH}/search", response_model_exclude_none=True)
def search_audit_events(
    request: Request, by: Reader, explore: Explore, search: AuditSearch | None = None
) -> AuditEvents:
    """Find entries; of the last 15 minutes if no times are given."""
    return _search(request, explore, search or AuditSearch())


@router.get(PATH, response_model_exclude_none=True)
def list_audit_events(
    request: Request,
    by: Reader,
    explore: Explore,
    query: Annotated[QueryText, Query(alias="filter[query]")] = "*",
    start: Annotated[Moment, Query(alias="filter[from]")] = "now-15m",
    end: Annotated[Moment, Query(alias="filter[to]")] = "now",
    sort: Order = "-timestamp",
    cursor: Annotated[Cursor | None, Query(alias="page[cursor]")] = None,
    limit: Annotated[Limit, Query(alias="page[limit]")] = 10,
) -> AuditEvents:
    """The same by GET; both kinds of request may share a cursor."""
    wanted = AuditFilter(query=query, from_=start, to=end)
    return _search(request, explore, AuditSearch(filter=wanted, sort=sort, page=AuditPage(cursor=cursor, limit=limit)))


def _search(request: Request, explore: ExploreService, search: AuditSearch) -> AuditEvents:
    begun = time.monotonic()
    scope = explore.scope("audit", Filter(search.filter.query, search.filter.from_, search.filter.to))
    found = explore.search(scope, parse_sort(search.sort), search.page.limit, search.page.cursor)
    meta = AuditMeta(
        elapsed=int((time.monotonic() - begun) * 1000), request_id=str(request.scope["state"]["request_id"])
    )
    answer = AuditEvents(data=[AuditEvent.model_validate(event) for event in found.events], meta=meta)
    if found.after is not None:
        meta.page = After(after=found.after)
        answer.links = AuditLinks(next=_next(request, search, found.after))
    return answer


def _next(request: Request, search: AuditSearch, cursor: str) -> str:
    again = {
        "filter[query]": search.filter.query,
        "filter[from]": search.filter.from_,
        "filter[to]": search.filter.to,
        "sort": search.sort,
        "page[limit]": search.page.limit,
        "page[cursor]": cursor,
    }
    return f"{str(request.base_url).rstrip('/')}{PATH}?{urlencode(again)}"
