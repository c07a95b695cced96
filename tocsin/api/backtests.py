"""Preview and backtest of rules over stored logs (siem.md §2.27)."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.rules import RuleRoute
from tocsin.api.schemas.backtests import BacktestAnswer, BacktestBody, PreviewAnswer, PreviewBody
from tocsin.api.security import requires
from tocsin.errors import BadRequest
from tocsin.explore.times import parse_time
from tocsin.rules.backtest import Backtests


def _backtests(services: Services) -> Backtests:
    service: Backtests = services.backtests
    return service


Replays = Annotated[Backtests, Depends(_backtests)]
Reader = Annotated[Actor, Depends(requires("security_monitoring_rules_read"))]

router = APIRouter(prefix="/api/v2/security_monitoring/rules", tags=["rules"], route_class=RuleRoute)


@router.post("/preview")
def preview_rule(services: Services, actor: Reader, replays: Replays, body: PreviewBody) -> PreviewAnswer:
    """What the queries of a rule find in stored logs, and the signals that it would have raised; nothing is stored."""
    began, now = time.monotonic(), services.clock()
    start, end = parse_time(body.from_, now), parse_time(body.to, now)
    found = replays.preview(body.rule, start, end, body.limit)
    return PreviewAnswer.of(found, start, end, _since(began))


@router.post("/backtest")
def backtest_rule(services: Services, actor: Reader, replays: Replays, body: BacktestBody) -> BacktestAnswer:
    """The signals that a rule would have raised on stored logs, and how they differ from those of its current version;
    nothing is stored."""
    began, now = time.monotonic(), services.clock()
    start, end = parse_time(body.from_, now), parse_time(body.to, now)
    if (body.rule is None) == (body.ruleId is None):
        raise BadRequest("give either 'rule' or 'ruleId'")
    if body.ruleId is not None:
        found = replays.backtest_stored(body.ruleId, body.version, start, end, body.limit)
    else:
        found = replays.backtest_unsaved(body.rule, body.against, start, end, body.limit)
    return BacktestAnswer.of(found, start, end, _since(began))


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
