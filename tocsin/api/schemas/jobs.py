"""Bodies and answers of historical jobs (api.md §8)."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field

from tocsin.rules.jobs.repository import JobRow
from tocsin.signals.resource import iso

Object = dict[str, Any]


class JobAttributes(BaseModel):
    """`fromRule` {id, from, to, index, caseIndex, notifications}, or `jobDefinition`: a rule, from, to and index."""

    fromRule: Object | None = None
    jobDefinition: Object | None = None
    signalOutput: bool | None = None


class JobCreateData(BaseModel):
    type: Literal["historicalDetectionsJobCreate"] = "historicalDetectionsJobCreate"
    attributes: JobAttributes


class JobCreate(BaseModel):
    data: JobCreateData


class JobCreatedData(BaseModel):
    id: str
    type: Literal["historicalDetectionsJob"] = "historicalDetectionsJob"


class JobCreated(BaseModel):
    data: JobCreatedData


class JobAnswerAttributes(BaseModel):
    """`resultCount` and `error` are ours: how many signals were found, and why a job failed."""

    jobName: str
    jobStatus: str
    jobDefinition: Object
    createdAt: str
    modifiedAt: str
    createdByHandle: str
    createdByName: str
    createdFromRuleId: str | None = None
    progressRate: float
    signalOutput: bool
    resultCount: int
    error: str | None = None


class JobData(BaseModel):
    id: str
    type: Literal["historicalDetectionsJob"] = "historicalDetectionsJob"
    attributes: JobAnswerAttributes

    @classmethod
    def of(cls, job: JobRow) -> Self:
        attributes = JobAnswerAttributes(
            jobName=job.name,
            jobStatus=job.status,
            jobDefinition=_definition(job),
            createdAt=iso(job.created_at),
            modifiedAt=iso(job.modified_at),
            createdByHandle=job.created_by_handle,
            createdByName=job.created_by_name,
            createdFromRuleId=job.rule_id,
            progressRate=job.progress,
            signalOutput=job.signal_output,
            resultCount=job.signals,
            error=job.error,
        )
        return cls(id=job.id, attributes=attributes)


class JobAnswer(BaseModel):
    data: JobData


class JobListMeta(BaseModel):
    totalCount: int


class JobList(BaseModel):
    data: list[JobData]
    meta: JobListMeta


class ConvertAttributes(BaseModel):
    jobResultIds: list[Annotated[str, Field(min_length=1)]]
    notifications: list[str]
    signalMessage: str
    signalSeverity: Literal["info", "low", "medium", "high", "critical"]


class ConvertData(BaseModel):
    type: Literal["historicalDetectionsJobResultSignalConversion"] = "historicalDetectionsJobResultSignalConversion"
    attributes: ConvertAttributes


class Convert(BaseModel):
    data: ConvertData


_MEMBERS = (
    "name",
    "message",
    "queries",
    "cases",
    "options",
    "type",
    "tags",
    "groupSignalsBy",
    "referenceTables",
    "calculatedFields",
    "thirdPartyCases",
)


def _definition(job: JobRow) -> Object:
    """What runs, whichever way it was asked for."""
    members = {name: job.rule[name] for name in _MEMBERS if name in job.rule}
    return {**members, "from": job.definition["from"], "to": job.definition["to"], "index": "main"}
