"""The explorer of indicators that logs of the last 30 days hold (api.md §9)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.schemas.ioc_explorer import (
    Count,
    IocDetailAnswer,
    IocDetailAttributes,
    IocDetailData,
    IocFacetsAnswer,
    IocListAnswer,
    IocListAttributes,
    IocListData,
    IocTriageAnswer,
    Offset,
    SortColumn,
    State,
    TriageBody,
    detail_item,
    facets_answer,
    ioc_item,
    triage_answer,
)
from tocsin.api.security import requires
from tocsin.threat_intel.explorer import IndicatorExplorer


async def _explorer(services: Services) -> IndicatorExplorer:
    service: IndicatorExplorer = services.indicators
    return service


Explorer = Annotated[IndicatorExplorer, Depends(_explorer)]
Reader = Annotated[Actor, Depends(requires("security_monitoring_signals_read"))]
Writer = Annotated[Actor, Depends(requires("security_monitoring_signals_write"))]

router = APIRouter(prefix="/api/v2/security/siem/ioc-explorer", tags=["threat intelligence"])


@router.get("", response_model_exclude_unset=True)
def list_indicators_of_compromise(
    _actor: Reader,
    explorer: Explorer,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    query: Annotated[str, Query(max_length=2_000)] = "*",
    sort_column: Annotated[SortColumn, Query(alias="sort[column]")] = "score",
    sort_order: Annotated[Literal["asc", "desc"], Query(alias="sort[order]")] = "desc",
    triage_state: State | None = None,
    worked_by: Annotated[str | None, Query(max_length=320, description="E-mail address.")] = None,
) -> IocListAnswer:
    """Indicators that logs of the last 30 days were enriched with.

    `query` is of the search language, over `@indicator_type`, `@category`, `@source`, `@intention`, `@score`,
    `@log_count`, `@signal_count`, `@triage_state`; bare words search the indicator.
    """
    total, found = explorer.page(
        query,
        limit=limit,
        offset=offset,
        sort=sort_column,
        is_descending=sort_order == "desc",
        triage_state=triage_state,
        worked_by=worked_by,
    )
    attributes = IocListAttributes(
        data=[ioc_item(ioc) for ioc in found], metadata=Count(count=total), paging=Offset(offset=offset)
    )
    return IocListAnswer(
        data=IocListData(id="ioc_explorer_response", type="ioc_explorer_response", attributes=attributes)
    )


@router.get("/facets")
def list_ioc_facets(
    _actor: Reader, explorer: Explorer, query: Annotated[str, Query(max_length=2_000)] = "*"
) -> IocFacetsAnswer:
    """How many of the indicators that a query finds have each type, intention, category, source and triage state.

    Each facet is counted without what the query says about that facet itself.
    """
    return facets_answer(explorer.facets(query))


@router.get("/indicator", response_model_exclude_unset=True)
def get_indicator_of_compromise(
    _actor: Reader,
    explorer: Explorer,
    indicator: Annotated[str, Query(min_length=1, max_length=4_000)],
    include_triage_history: bool = False,
    triage_history_limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    triage_history_offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> IocDetailAnswer:
    """One indicator: who says what about it, where it occurred, and what became of it."""
    limit = triage_history_limit if include_triage_history else 0
    detail = explorer.get(indicator, history_limit=limit, history_offset=triage_history_offset)
    attributes = IocDetailAttributes(data=detail_item(detail, with_history=include_triage_history))
    return IocDetailAnswer(data=IocDetailData(id=detail.ioc.id, type="get_indicator_response", attributes=attributes))


@router.post("/triage", status_code=201)
def create_ioc_triage_state(actor: Writer, explorer: Explorer, body: TriageBody) -> IocTriageAnswer:
    """Say whether somebody has looked at an indicator."""
    asked = body.data.attributes
    return triage_answer(explorer.triage(asked.indicator, asked.triage_state, actor))
