"""When a scheduled rule runs, and how its runs went (ours; siem.md §2.22)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.schemas.scheduled import NextRunsAnswer, RuleScheduleAnswer, ScheduleBody
from tocsin.api.security import requires
from tocsin.rules.scheduled.service import ScheduledRuns


async def _runs(services: Services) -> ScheduledRuns:
    runs: ScheduledRuns = services.scheduled_runs
    return runs


Runs = Annotated[ScheduledRuns, Depends(_runs)]
Reader = Annotated[Actor, Depends(requires("security_monitoring_rules_read"))]

router = APIRouter(tags=["rules"])


@router.get("/api/v2/security_monitoring/rules/{rule_id}/schedule")
def rule_schedule(runs: Runs, actor: Reader, rule_id: Annotated[str, Path(max_length=200)]) -> RuleScheduleAnswer:
    """The schedule of a rule, its next times, and its last runs. 404 for a rule without a schedule."""
    return RuleScheduleAnswer.of(rule_id, runs.of(rule_id))


@router.post("/api/v2/security_monitoring/rules/schedule")
def next_runs(runs: Runs, actor: Reader, body: ScheduleBody) -> NextRunsAnswer:
    """When a schedule would run next, before a rule with it is stored. 400 for what is no schedule."""
    return NextRunsAnswer.of(runs.times_of(body.to_model()))
