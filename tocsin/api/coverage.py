"""What detection looked at, by rule and minute, and whether it works (ours; design §9.2)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.paging import Paging, maybe_timestamp, timestamp
from tocsin.api.security import requires
from tocsin.explore.times import parse_time
from tocsin.rules.coverage import STATUSES, Coverage, CoverageService, Engine, RuleCoverage
from tocsin.signals.ledger_repository import MINUTE_MS


async def _coverage(services: Services) -> CoverageService:
    service: CoverageService = services.coverage
    return service


Reader = Annotated[Actor, Depends(requires("security_monitoring_rules_read"))]

Sort = Literal["name", "-name", "missed", "-missed"]

router = APIRouter(tags=["rules"])


class CoverageCell(BaseModel):
    """Some minutes: the worst status among them, the minutes of each, the matches that arrived in them."""

    start: str
    status: str
    minutes: dict[str, int]
    matches: int
    reasons: list[str]


class RuleCoverageAttributes(BaseModel):
    """`sources` are those that the rule asks for by name, null if it may find logs of any."""

    name: str
    enabled: bool
    sources: list[str] | None
    matches: int
    summary: dict[str, int]
    cells: list[CoverageCell]


class RuleCoverageResource(BaseModel):
    id: str
    type: str = "coverage"
    attributes: RuleCoverageAttributes


class EngineHealth(BaseModel):
    """`working`, `stalled` or `never`; all that arrived before `covered_until` was evaluated."""

    status: str
    last_round_at: str | None
    covered_until: str | None
    lag_seconds: float | None


class EngineData(BaseModel):
    id: Literal["engine"] = "engine"
    type: Literal["engine_health"] = "engine_health"
    attributes: EngineHealth


class EngineAnswer(BaseModel):
    data: EngineData


class CoveragePage(BaseModel):
    """`total_filtered_count` are the rules with a minute of an asked status, `total_count` those before that choice."""

    total_count: int
    total_filtered_count: int


class CoverageMeta(BaseModel):
    """`interval` is the length of a cell in seconds.

    `summary` has the minutes of each status of all rules that `query` finds, on whatever page they are, and whether
    they have a minute of an asked status or not.
    """

    page: CoveragePage
    interval: int
    summary: dict[str, int]
    engine: EngineHealth


class CoverageAnswer(BaseModel):
    data: list[RuleCoverageResource]
    meta: CoverageMeta


@router.get("/api/v2/security_monitoring/coverage")
def get_coverage(
    services: Services,
    coverage: Annotated[CoverageService, Depends(_coverage)],
    _actor: Reader,
    paging: Paging,
    start: Annotated[str, Query(alias="from")] = "now-1h",
    end: Annotated[str, Query(alias="to")] = "now",
    query: Annotated[str, Query(max_length=2_000, description="Which rules, as in the list of rules.")] = "",
    status: Annotated[
        str,
        Query(
            max_length=200,
            description=f"Only rules with a minute of one of these, separated by commas: {', '.join(STATUSES)}.",
        ),
    ] = "",
    sort: Annotated[Sort, Query(description="`missed`: by the minutes that were not evaluated in time.")] = "name",
    rule_id: str = "",
    interval: Annotated[int, Query(ge=0, le=1440, description="Minutes in a cell; 0 chooses.")] = 0,
) -> CoverageAnswer:
    """For every rule and minute: evaluated, late, skipped, failed, no_data, not_evaluated (a hole), pending, or off."""
    now = services.clock()
    found = coverage.read(
        parse_time(start, now),
        parse_time(end, now),
        query=query,
        rule_id=rule_id,
        statuses=[name for each in status.split(",") if (name := each.strip())],
        sort=sort,
        step=interval,
        size=paging.size,
        number=paging.number,
    )
    return CoverageAnswer(data=[_resource(one) for one in found.rules], meta=_meta(found))


@router.get("/api/v2/security_monitoring/coverage/engine")
def get_engine(coverage: Annotated[CoverageService, Depends(_coverage)], _actor: Reader) -> EngineAnswer:
    """Whether detection is at work: cheap enough to be asked every few seconds."""
    return EngineAnswer(data=EngineData(attributes=_health(coverage.engine())))


def _resource(found: RuleCoverage) -> RuleCoverageResource:
    attributes = RuleCoverageAttributes(
        name=found.rule.custom_name or found.rule.name,
        enabled=found.rule.is_enabled,
        sources=None if found.sources is None else list(found.sources),
        matches=found.matches,
        summary=dict(found.minutes),
        cells=[
            CoverageCell(
                start=timestamp(cell.start),
                status=cell.status,
                minutes=dict(cell.minutes),
                matches=cell.matches,
                reasons=list(cell.reasons),
            )
            for cell in found.cells
        ],
    )
    return RuleCoverageResource(id=found.rule.id, attributes=attributes)


def _meta(found: Coverage) -> CoverageMeta:
    return CoverageMeta(
        page=CoveragePage(total_count=found.total, total_filtered_count=found.found),
        interval=found.span.step * MINUTE_MS // 1000,
        summary=dict(found.minutes),
        engine=_health(found.engine),
    )


def _health(engine: Engine) -> EngineHealth:
    return EngineHealth(
        status=engine.status,
        last_round_at=maybe_timestamp(engine.last_round_at),
        covered_until=maybe_timestamp(engine.covered_until),
        lag_seconds=engine.lag_seconds,
    )
