"""What detection could not decide, and how far it has come."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.security import requires
from tocsin.evaluate.evaluator import Evaluator


async def _evaluator(services: Services) -> Evaluator:
    evaluator: Evaluator = services.evaluator
    return evaluator


Reader = Annotated[Actor, Depends(requires("security_monitoring_rules_read"))]

router = APIRouter(tags=["rules"])


class EvaluationFailure(BaseModel):
    """A version of a rule that could not be evaluated: why, and how many matches stay undecided."""

    rule_id: str
    rule_version: int
    message: str
    matches: int
    first_at: int
    last_at: int


class EvaluationMeta(BaseModel):
    watermark: int | None


class EvaluationAnswer(BaseModel):
    """Times in Unix milliseconds. Matches ingested before the watermark have been decided."""

    data: list[EvaluationFailure]
    meta: EvaluationMeta


@router.get("/api/v2/security_monitoring/evaluation/failures")
def list_evaluation_failures(evaluator: Annotated[Evaluator, Depends(_evaluator)], _actor: Reader) -> EvaluationAnswer:
    """Rules that detection could not evaluate, the latest failure first."""
    progress = evaluator.progress
    failures = [
        EvaluationFailure(
            rule_id=failure.rule_id,
            rule_version=failure.rule_version,
            message=failure.message,
            matches=failure.matches,
            first_at=failure.first_at,
            last_at=failure.last_at,
        )
        for failure in progress.failures()
    ]
    return EvaluationAnswer(data=failures, meta=EvaluationMeta(watermark=progress.watermark()))
