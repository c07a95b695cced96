"""Search and aggregation of logs, and search of audit events, as clients know it (api.md §3, §14)."""

import time
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request

from tocsin.access.actor import Actor
from tocsin.api.explore import Explore, elapsed_since
from tocsin.api.schemas.logs import (
    Aggregate,
    AggregateAnswer,
    BucketAnswer,
    Buckets,
    Cursor,
    Limit,
    LogEvent,
    LogsAnswer,
    LogsFilter,
    LogsMeta,
    LogsPage,
    LogsSearch,
    NextLink,
    PageAfter,
    Sort,
    Tier,
    V1Answer,
    V1List,
    V1Log,
)
from tocsin.api.security import requires
from tocsin.explore.service import ExploreService, Filter
from tocsin.explore.sorting import Sort as Order
from tocsin.explore.sorting import parse_sort

LogsReader = Annotated[Actor, Depends(requires("logs_read_data"))]
AuditReader = Annotated[Actor, Depends(requires("audit_logs_read"))]

LOGS = "/api/v2/logs/events"
AUDIT = "/api/v2/audit/events"

router = APIRouter(tags=["logs"])


async def _search_from_query(
    query: Annotated[str, Query(alias="filter[query]")] = "*",
    from_: Annotated[str, Query(alias="filter[from]", max_length=100)] = "now-15m",
    to: Annotated[str, Query(alias="filter[to]", max_length=100)] = "now",
    indexes: Annotated[str | None, Query(alias="filter[indexes]")] = None,
    storage_tier: Annotated[Tier, Query(alias="filter[storage_tier]")] = "indexes",
    sort: Sort = "-timestamp",
    cursor: Annotated[Cursor | None, Query(alias="page[cursor]")] = None,
    limit: Annotated[Limit, Query(alias="page[limit]")] = 10,
) -> LogsSearch:
    filter_ = LogsFilter.model_validate({"query": query, "from": from_, "to": to, "storage_tier": storage_tier})
    if indexes is not None:
        filter_.indexes = indexes.split(",")
    return LogsSearch(filter=filter_, sort=sort, page=LogsPage(cursor=cursor, limit=limit))


SearchFromQuery = Annotated[LogsSearch, Depends(_search_from_query)]


@router.post(f"{LOGS}/search", response_model_exclude_none=True)
def search_logs(request: Request, explore: Explore, actor: LogsReader, body: LogsSearch | None = None) -> LogsAnswer:
    """Logs that match a query, newest first unless told otherwise."""
    return _answer(request, explore, "logs", body or LogsSearch(), LOGS)


@router.get(LOGS, response_model_exclude_none=True)
def list_logs(request: Request, explore: Explore, actor: LogsReader, search: SearchFromQuery) -> LogsAnswer:
    """The same, asked for in the query string; cursors of both are the same."""
    return _answer(request, explore, "logs", search, LOGS)


@router.post(f"{AUDIT}/search", response_model_exclude_none=True, tags=["audit"])
def search_audit(request: Request, explore: Explore, actor: AuditReader, body: LogsSearch | None = None) -> LogsAnswer:
    """Audit events that match a query."""
    return _answer(request, explore, "audit", body or LogsSearch(), AUDIT)


@router.get(AUDIT, response_model_exclude_none=True, tags=["audit"])
def list_audit(request: Request, explore: Explore, actor: AuditReader, search: SearchFromQuery) -> LogsAnswer:
    """The same, asked for in the query string."""
    return _answer(request, explore, "audit", search, AUDIT)


@router.post("/api/v2/logs/analytics/aggregate", response_model_exclude_none=True)
def aggregate_logs(
    request: Request, explore: Explore, actor: LogsReader, body: Aggregate | None = None
) -> AggregateAnswer:
    """Counts and other measures of logs, in groups and over time."""
    start = time.monotonic()
    asked = body or Aggregate()
    scope = explore.scope("logs", asked.filter.model())
    computes = [compute.model(scope) for compute in asked.compute]
    found = explore.aggregate(scope, computes, [group.model() for group in asked.group_by])
    return AggregateAnswer(
        data=Buckets(buckets=[BucketAnswer.of(bucket) for bucket in found]),
        meta=LogsMeta(elapsed=elapsed_since(start), request_id=_request_id(request)),
    )


@router.post("/api/v1/logs-queries/list", response_model_exclude_none=True)
def list_logs_v1(explore: Explore, actor: LogsReader, body: V1List) -> V1Answer:
    """What old clients search with; `startAt` is the id of the first log to return."""
    scope = explore.scope("logs", Filter(body.query, body.time.from_, body.time.to))
    order = Order(is_descending=body.sort == "desc")
    page = explore.search(scope, order, body.limit, explore.cursor_at(scope, order, body.start_at))
    logs = [V1Log(id=event["id"], content=_v1_content(event["attributes"])) for event in page.events]
    return V1Answer.model_validate({"nextLogId": page.next_id, "logs": logs})


def _answer(request: Request, explore: ExploreService, track: str, search: LogsSearch, path: str) -> LogsAnswer:
    start = time.monotonic()
    scope = explore.scope(track, search.filter.model())
    page = explore.search(scope, parse_sort(search.sort), search.page.limit, search.page.cursor)
    meta = LogsMeta(elapsed=elapsed_since(start), request_id=_request_id(request))
    answer = LogsAnswer(data=[LogEvent.model_construct(**event) for event in page.events], meta=meta)
    if page.after:
        meta.page = PageAfter(after=page.after)
        answer.links = NextLink(next=_next(request, search, path, page.after))
    return answer


def _next(request: Request, search: LogsSearch, path: str, after: str) -> str:
    values = {
        "filter[query]": search.filter.query,
        "filter[from]": search.filter.from_,
        "filter[to]": search.filter.to,
        "sort": search.sort,
        "page[limit]": search.page.limit,
        "page[cursor]": after,
    }
    return f"{str(request.base_url).rstrip('/')}{path}?{urlencode(values)}"


def _v1_content(attributes: Mapping[str, Any]) -> dict[str, Any]:
    names = ("timestamp", "host", "service", "status", "message", "tags", "attributes")
    return {name: attributes[name] for name in names if name in attributes}


def _request_id(request: Request) -> str:
    return str(getattr(request.state, "request_id", "") or request.headers.get("x-request-id", ""))
