"""Historical jobs and their results (api.md §8), under the path of older and of newer clients."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.schemas.jobs import Convert, JobAnswer, JobCreate, JobCreated, JobCreatedData, JobData, JobList
from tocsin.api.schemas.jobs import JobListMeta as Meta
from tocsin.api.schemas.signals import Resource, SignalAnswer, SignalsAnswer, SignalsSearch
from tocsin.api.security import requires
from tocsin.api.signals import Asked, Explore, page_of
from tocsin.rules.jobs.service import JobsService

OLDER = "/api/v2/siem-historical-detections"
NEWER = "/api/v2/siem-threat-hunting"


async def _jobs(services: Services) -> JobsService:
    service: JobsService = services.jobs
    return service


Jobs = Annotated[JobsService, Depends(_jobs)]
Reader = Annotated[Actor, Depends(requires("security_monitoring_rules_read"))]
Writer = Annotated[Actor, Depends(requires("security_monitoring_rules_write"))]
SignalReader = Annotated[Actor, Depends(requires("security_monitoring_signals_read"))]
SignalWriter = Annotated[Actor, Depends(requires("security_monitoring_signals_write"))]

router = APIRouter(tags=["historical jobs"])


@router.post(f"{OLDER}/jobs", status_code=201)
@router.post(f"{NEWER}/jobs", status_code=201)
def run_job(_actor: Writer, jobs: Jobs, body: JobCreate) -> JobCreated:
    """Run a rule, or what one would be, once over stored logs."""
    job = jobs.run(body.data.attributes.model_dump(exclude_none=True), _actor)
    return JobCreated(data=JobCreatedData(id=job.id))


@router.get(f"{OLDER}/jobs", response_model_exclude_none=True)
@router.get(f"{NEWER}/jobs", response_model_exclude_none=True)
def list_jobs(
    _actor: Reader,
    jobs: Jobs,
    size: Annotated[int, Query(alias="page[size]", ge=1, le=100)] = 10,
    number: Annotated[int, Query(alias="page[number]", ge=0, le=1_000_000)] = 0,
    sort: str = "-created_at",
    query: Annotated[str, Query(alias="filter[query]")] = "",
) -> JobList:
    """Jobs, the latest first; `filter[query]` finds words of name and status."""
    page = jobs.page(query, sort, size, number)
    return JobList(data=[JobData.of(job) for job in page.jobs], meta=Meta(totalCount=page.found))


@router.post(f"{OLDER}/jobs/signal_convert", status_code=204)
@router.post(f"{NEWER}/jobs/signal_convert", status_code=204)
def convert_results(_actor: SignalWriter, jobs: Jobs, body: Convert) -> None:
    """Make signals of results, with a severity, message and targets of their own."""
    asked = body.data.attributes
    jobs.convert(asked.jobResultIds, asked.signalSeverity, asked.signalMessage, asked.notifications, _actor)


@router.get(f"{OLDER}/jobs/{{job_id}}", response_model_exclude_none=True)
@router.get(f"{NEWER}/jobs/{{job_id}}", response_model_exclude_none=True)
def get_job(_actor: Reader, jobs: Jobs, job_id: str) -> JobAnswer:
    """A job with its status and progress."""
    return JobAnswer(data=JobData.of(jobs.get(job_id)))


@router.patch(f"{OLDER}/jobs/{{job_id}}/cancel", status_code=204)
@router.patch(f"{NEWER}/jobs/{{job_id}}/cancel", status_code=204)
def cancel_job(_actor: Writer, jobs: Jobs, job_id: str) -> None:
    """End a job that has not finished."""
    jobs.cancel(job_id, _actor)


@router.delete(f"{OLDER}/jobs/{{job_id}}", status_code=204)
@router.delete(f"{NEWER}/jobs/{{job_id}}", status_code=204)
def delete_job(_actor: Writer, jobs: Jobs, job_id: str) -> None:
    """Delete a finished job with its results."""
    jobs.delete(job_id, _actor)


@router.get(f"{OLDER}/jobs/{{job_id}}/histsignals", response_model_exclude_none=True)
@router.get(f"{NEWER}/jobs/{{job_id}}/histsignals", response_model_exclude_none=True)
def list_job_results(
    request: Request, _actor: SignalReader, jobs: Jobs, explore: Explore, job_id: str, asked: Asked
) -> SignalsAnswer:
    """What one job found; by default over the range of the job."""
    job = jobs.get(job_id)
    start, end = asked.filter.start or job.definition["from"], asked.filter.end or job.definition["to"]
    asked.filter = asked.filter.model_copy(update={"start": start, "end": end})
    only = f'@workflow.job.id:"{job.id}"'
    return page_of(request, explore, asked, request.url.path, track="historical", only=only)


@router.get(f"{OLDER}/histsignals", response_model_exclude_none=True)
@router.get(f"{NEWER}/histsignals", response_model_exclude_none=True)
def list_results(request: Request, _actor: SignalReader, explore: Explore, asked: Asked) -> SignalsAnswer:
    """What all jobs found; of the last 15 minutes if no times are given."""
    return page_of(request, explore, asked, request.url.path, track="historical")


@router.post(f"{OLDER}/histsignals/search", response_model_exclude_none=True)
@router.post(f"{NEWER}/histsignals/search", response_model_exclude_none=True)
def search_results(
    request: Request, _actor: SignalReader, explore: Explore, body: SignalsSearch | None = None
) -> SignalsAnswer:
    """The same search by a body; both forms share their cursors."""
    path = request.url.path.removesuffix("/search")
    return page_of(request, explore, body or SignalsSearch(), path, track="historical")


@router.get(f"{OLDER}/histsignals/{{result_id}}")
@router.get(f"{NEWER}/histsignals/{{result_id}}")
def get_result(_actor: SignalReader, explore: Explore, result_id: str) -> SignalAnswer:
    """One result in full."""
    return SignalAnswer(data=Resource.model_validate(explore.event("historical", result_id)))
