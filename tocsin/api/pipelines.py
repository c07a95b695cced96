"""Pipelines of logs (api-more.md): the v1 API, plain JSON."""

from collections.abc import Callable, Coroutine
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.schemas.pipelines import (
    PipelineAnswer,
    PipelineDocument,
    PipelineOrder,
    PipelineTest,
    PipelineTestResults,
)
from tocsin.api.security import requires
from tocsin.normalise.errors import BadPipeline
from tocsin.pipelines.service import Pipeline, PipelinesService


class PipelineRoute(APIRoute):
    """Answers a bad pipeline with the place of each mistake beside the sentences, for the form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_bad_pipeline(request: Request) -> Response:
            try:
                return await handle(request)
            except BadPipeline as error:
                details = [
                    {"code": one.code, "target": one.where, "message": one.problem} for one in (error, *error.others)
                ]
                detailed = {"code": "InvalidArgument", "message": error.reasons[0], "details": details}
                return JSONResponse({"errors": list(error.reasons), "error": detailed}, error.status)

        return handle_bad_pipeline


async def _pipelines(services: Services) -> PipelinesService:
    service: PipelinesService = services.pipelines
    return service


Pipelines = Annotated[PipelinesService, Depends(_pipelines)]
Reader = Annotated[Actor, Depends(requires("logs_read_config"))]
Writer = Annotated[Actor, Depends(requires("logs_write_pipelines"))]

PIPELINE: dict[int | str, dict[str, Any]] = {200: {"model": PipelineAnswer}}

NOT_ALL: dict[int | str, dict[str, Any]] = {
    422: {
        "description": "A pipeline is left out, named twice, or not there",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/APIErrorResponse"}}},
    }
}

router = APIRouter(prefix="/api/v1/logs/config", tags=["pipelines"], route_class=PipelineRoute)


@router.get("/pipelines", responses={200: {"model": list[PipelineAnswer]}})
def list_pipelines(actor: Reader, pipelines: Pipelines) -> Response:
    """All pipelines in the order in which logs run through them; shipped ones are read-only."""
    return JSONResponse([_shape(pipeline) for pipeline in pipelines.all()])


@router.post("/pipelines", responses=PIPELINE)
def create_pipeline(actor: Writer, pipelines: Pipelines, body: PipelineDocument) -> Response:
    """Create a pipeline; logs run through it last."""
    return JSONResponse(_shape(pipelines.create(body, actor)))


@router.post("/pipelines/test")
def test_pipeline(actor: Writer, pipelines: Pipelines, body: PipelineTest) -> PipelineTestResults:
    """Try a pipeline that need not be stored: each sample after each processor, and what failed."""
    traced = pipelines.test(body.pipeline, body.samples)
    return PipelineTestResults.model_validate({"results": [asdict(one) for one in traced]})


@router.get("/pipelines/{pipeline_id}", responses=PIPELINE)
def get_pipeline(actor: Reader, pipelines: Pipelines, pipeline_id: str) -> Response:
    """Get a pipeline."""
    return JSONResponse(_shape(pipelines.get(pipeline_id)))


@router.put("/pipelines/{pipeline_id}", responses=PIPELINE)
def update_pipeline(actor: Writer, pipelines: Pipelines, pipeline_id: str, body: PipelineDocument) -> Response:
    """Replace a pipeline; of a shipped one only `is_enabled` can change. A stale `version` is a conflict."""
    return JSONResponse(_shape(pipelines.update(pipeline_id, body, actor)))


@router.delete("/pipelines/{pipeline_id}", status_code=200)
def delete_pipeline(actor: Writer, pipelines: Pipelines, pipeline_id: str) -> None:
    """Delete a pipeline that is not shipped."""
    pipelines.delete(pipeline_id, actor)


@router.get("/pipeline-order")
def get_pipeline_order(actor: Reader, pipelines: Pipelines) -> PipelineOrder:
    """The order of all pipelines."""
    return PipelineOrder(pipeline_ids=[pipeline.id for pipeline in pipelines.all()])


@router.put("/pipeline-order", responses=NOT_ALL)
def set_pipeline_order(actor: Writer, pipelines: Pipelines, body: PipelineOrder) -> PipelineOrder:
    """Put all pipelines into an order; each must be named once."""
    return PipelineOrder(pipeline_ids=pipelines.arrange(body.pipeline_ids, actor))


def _shape(pipeline: Pipeline) -> dict[str, Any]:
    """Processors are answered as they were given."""
    return {
        "filter": {"query": ""},
        "processors": [],
        "tags": [],
        **pipeline.body,
        "id": pipeline.id,
        "type": "pipeline",
        "is_enabled": pipeline.is_enabled,
        "is_read_only": pipeline.is_read_only,
        "version": pipeline.version,
    }
