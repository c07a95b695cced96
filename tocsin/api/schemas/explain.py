"""Answers that say why a signal is there, or why there is none (design §9.5)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from tocsin.api.schemas.signals import Time


class SignalExplanation(BaseModel):
    id: str
    type: Literal["signal_explanation"] = "signal_explanation"
    attributes: dict[str, Any]


class SignalExplanationAnswer(BaseModel):
    data: SignalExplanation


class ExplainBody(BaseModel):
    """An entity, by fields as the rule groups by them; and a moment, or a span of time."""

    entity: Annotated[
        dict[Annotated[str, Field(min_length=1, max_length=500)], Annotated[str, Field(max_length=4096)]],
        Field(min_length=1, max_length=5, examples=[{"@usr.id": "bob"}]),
    ]
    at: Time | None = None
    # `from` is a keyword of Python.
    start: Annotated[Time | None, Field(alias="from")] = None
    end: Annotated[Time | None, Field(alias="to")] = None

    @model_validator(mode="after")
    def _has_a_time(self) -> "ExplainBody":
        if (self.at is None) == (self.start is None or self.end is None):
            raise ValueError("give either 'at', or 'from' and 'to'")
        return self


class ExplainStep(BaseModel):
    name: Literal[
        "rule",
        "events",
        "query",
        "grouping",
        "exclusion",
        "filter",
        "table",
        "recognised",
        "calculated",
        "arrival",
        "match",
        "condition",
        "evaluation",
        "suppression",
        "signal",
    ]
    status: Literal["passed", "failed", "skipped"]
    message: str
    data: dict[str, Any]


class ExplainedRule(BaseModel):
    id: str
    name: str
    version: int
    current_version: int
    detection_method: str


class ExplainedCheck(BaseModel):
    name: str
    value: float | None
    operator: str
    wanted: float
    holds: bool
    missing: float | None


class ExplainedMoment(BaseModel):
    at: str
    event_id: str
    group: list[str]
    reason: str
    case: dict[str, Any]
    window_seconds: int
    window_events: int | None
    checks: list[ExplainedCheck]
    facts: dict[str, Any]


class ExplainedSignal(BaseModel):
    id: str
    timestamp: str
    state: Literal["shown", "hidden"]


class RuleExplanationAttributes(BaseModel):
    outcome: Literal["fired", "hidden", "not_fired"]
    answer: str
    because: str
    rule: ExplainedRule
    entity: dict[str, str]
    start: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]
    groups: list[list[str]]
    steps: list[ExplainStep]
    best_moment: ExplainedMoment | None
    signals: list[ExplainedSignal]


class RuleExplanation(BaseModel):
    id: str
    type: Literal["rule_explanation"] = "rule_explanation"
    attributes: RuleExplanationAttributes


class RuleExplanationAnswer(BaseModel):
    data: RuleExplanation
