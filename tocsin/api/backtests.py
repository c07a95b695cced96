"""Preview and backtest of rules over stored logs (siem.md §2.27)."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.rules import RuleRoute
from tocsin.api.schemas.backtests import BacktestAnswer, BacktestBody, PreviewAnswer, PreviewBody
from tocsin.api.security import requires
from tocsin.errors import BadRequest
from tocsin.explore.times import parse_time
from tocsin.rules.backtest import Backtests


async def _backtests(services: Services) -> Backtests:
    service: Backtests = services.backtests
    return service


Replays = Annotated[Backtests, Depends(_backtests)]
Reader = Annotated[Actor, Depends(requires("security_monitoring_rules_read"))]

router = APIRouter(prefix="/api/v2/security_monitoring/rules", tags=["rules"], route_class=RuleRoute)


LOOK_SECONDS = 0.1
"""How often it is looked whether a caller is still there."""


@router.post("/preview")
async def preview_rule(
    services: Services, actor: Reader, replays: Replays, body: PreviewBody, request: Request
) -> PreviewAnswer:
    """What the queries of a rule find in stored logs, and the signals that it would have raised; nothing is stored.

    It ends early when its caller goes away: an editor asks anew with each change."""
    began, now = time.monotonic(), services.clock()
    start, end = parse_time(body.from_, now), parse_time(body.to, now)
    async with _watched(request) as is_wanted:
        asked = (body.rule, start, end, body.limit, is_wanted, body.ruleId or "")
        found = await run_in_threadpool(replays.preview, *asked)
    return PreviewAnswer.of(found, start, end, _since(began))


@router.post("/backtest")
async def backtest_rule(
    services: Services, actor: Reader, replays: Replays, body: BacktestBody, request: Request
) -> BacktestAnswer:
    """The signals that a rule would have raised on stored logs, and how they differ from those of its current version;
    nothing is stored. It ends early when its caller goes away."""
    began, now = time.monotonic(), services.clock()
    start, end = parse_time(body.from_, now), parse_time(body.to, now)
    if (body.rule is None) == (body.ruleId is None):
        raise BadRequest("give either 'rule' or 'ruleId'")
    async with _watched(request) as is_wanted:
        if body.ruleId is not None:
            stored = (body.ruleId, body.version, start, end, body.limit, is_wanted)
            found = await run_in_threadpool(replays.backtest_stored, *stored)
        else:
            unsaved = (body.rule, body.against, start, end, body.limit, is_wanted)
            found = await run_in_threadpool(replays.backtest_unsaved, *unsaved)
    return BacktestAnswer.of(found, start, end, _since(began))


@asynccontextmanager
async def _watched(request: Request) -> AsyncIterator[Callable[[], bool]]:
    """Says, to any thread, whether the caller of a request still waits."""
    gone = threading.Event()

    async def watch() -> None:
        while not await request.is_disconnected():  # noqa: ASYNC110 - the framework has nothing to wait for
            await asyncio.sleep(LOOK_SECONDS)
        gone.set()

    watcher = asyncio.create_task(watch())
    try:
        yield lambda: not gone.is_set()
    finally:
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
