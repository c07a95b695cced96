"""Why a signal is there, and why a rule did not fire: ours (design §9.5)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.schemas.explain import (
    ExplainBody,
    RuleExplanation,
    RuleExplanationAnswer,
    RuleExplanationAttributes,
    SignalExplanation,
    SignalExplanationAnswer,
)
from tocsin.api.security import requires
from tocsin.explain.rules import Question, RuleExplanations
from tocsin.explain.signals import SignalExplanations
from tocsin.explore.times import parse_time


async def _of_signals(services: Services) -> SignalExplanations:
    explanations: SignalExplanations = services.signal_explanations
    return explanations


async def _of_rules(services: Services) -> RuleExplanations:
    explanations: RuleExplanations = services.rule_explanations
    return explanations


OfSignals = Annotated[SignalExplanations, Depends(_of_signals)]
OfRules = Annotated[RuleExplanations, Depends(_of_rules)]
SignalReader = Annotated[Actor, Depends(requires("security_monitoring_signals_read"))]
RuleReader = Annotated[
    Actor, Depends(requires("security_monitoring_rules_read", "security_monitoring_signals_read", "logs_read_data"))
]
Id = Annotated[str, Path(max_length=200)]

router = APIRouter(tags=["explain"])


@router.get("/api/v2/security_monitoring/signals/{signal_id}/explain")
def explain_signal(explanations: OfSignals, actor: SignalReader, signal_id: Id) -> SignalExplanationAnswer:
    """Why the signal is there: query, window, counts, the case that decided, what it was compared with, what changed
    its severity, what hides it, and when it closes. Hidden signals are explained as well."""
    return SignalExplanationAnswer(data=SignalExplanation(id=signal_id, attributes=explanations.explain(signal_id)))


@router.post("/api/v2/security_monitoring/rules/{rule_id}/explain")
def explain_rule(
    services: Services, explanations: OfRules, actor: RuleReader, rule_id: Id, body: ExplainBody
) -> RuleExplanationAnswer:
    """Why the rule did not fire for an entity (or that it did): which step failed, and by how much its condition did
    at the best moment."""
    now = services.clock()
    if body.at is not None:
        start, end = explanations.around(rule_id, parse_time(body.at, now))
    else:
        start, end = parse_time(body.start or "now-1h", now), parse_time(body.end or "now", now)
    attributes = explanations.explain(Question(rule_id, body.entity, start, end))
    return RuleExplanationAnswer(
        data=RuleExplanation(id=rule_id, attributes=RuleExplanationAttributes.model_validate(attributes))
    )
