"""Bodies and answers about pipelines (api-more.md)."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, ValidatorFunctionWrapHandler, WrapValidator


class PipelineFilter(BaseModel):
    query: str | None = None


class PipelineProcessor(BaseModel, extra="allow"):
    """A processor; its members depend on its type."""

    type: str
    name: str | None = None
    is_enabled: bool | None = None


class PipelineBody(BaseModel):
    """A pipeline as it is sent."""

    name: str
    is_enabled: bool | None = None
    filter: PipelineFilter | None = None
    processors: list[PipelineProcessor] | None = None
    tags: list[str] | None = None
    description: str | None = None
    version: Annotated[
        str | None, Field(description="Of an update: what the caller saw; without it the last wins.")
    ] = None


def _as_sent(value: Any, _: ValidatorFunctionWrapHandler) -> Any:
    return value


if TYPE_CHECKING:
    PipelineDocument = dict[str, Any]
else:
    # Documented as the model, handed over as sent: the compiler of pipelines says what is wrong, and where.
    PipelineDocument = Annotated[PipelineBody, WrapValidator(_as_sent)]


class PipelineAnswer(PipelineBody):
    """A pipeline as it is answered."""

    id: str
    type: str
    is_enabled: bool
    is_read_only: bool
    version: str


class PipelineOrder(BaseModel):
    pipeline_ids: list[str]


class PipelineTest(BaseModel):
    """Samples are logs as they are sent: a text, or an object with `message`, reserved attributes and attributes."""

    pipeline: PipelineDocument
    samples: Annotated[list[str | dict[str, Any]], Field(max_length=20)]


class PipelineStep(BaseModel):
    """`outcome` is changed, unchanged, failed, disabled or not_matched; `event` is the log after the processor."""

    where: str
    type: str
    name: str
    outcome: str
    failed: str | None
    event: dict[str, Any]


class PipelineTestResult(BaseModel):
    is_matched: bool
    before: dict[str, Any]
    steps: list[PipelineStep]
    event: dict[str, Any]


class PipelineTestResults(BaseModel):
    results: list[PipelineTestResult]
