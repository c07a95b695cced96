"""Search of the audit trail: requests and answers (api.md §14)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Order = Literal["timestamp", "-timestamp"]
Cursor = Annotated[str, Field(max_length=4000)]
Limit = Annotated[int, Field(ge=1, le=1000)]
Moment = Annotated[str, Field(max_length=64)]
QueryText = Annotated[str, Field(max_length=20_000)]


class AuditFilter(BaseModel):
    """Times as RFC 3339, Unix milliseconds or date maths."""

    model_config = ConfigDict(populate_by_name=True, coerce_numbers_to_str=True)

    query: QueryText = "*"
    from_: Annotated[Moment, Field(alias="from")] = "now-15m"
    to: Moment = "now"


class AuditPage(BaseModel):
    cursor: Cursor | None = None
    limit: Limit = 10


class AuditSearch(BaseModel):
    filter: AuditFilter = AuditFilter()
    sort: Order = "-timestamp"
    page: AuditPage = AuditPage()
    options: dict[str, Any] = {}


class AuditEventAttributes(BaseModel):
    timestamp: str
    message: str
    service: str | None = None
    tags: list[str]
    attributes: dict[str, Any]


class AuditEvent(BaseModel):
    id: str
    type: Literal["audit"]
    attributes: AuditEventAttributes


class After(BaseModel):
    after: str


class AuditMeta(BaseModel):
    """`page` only when more may follow."""

    elapsed: int
    request_id: str
    status: Literal["done", "timeout"] = "done"
    page: After | None = None


class AuditLinks(BaseModel):
    next: str


class AuditEvents(BaseModel):
    """`links` only when more may follow."""

    data: list[AuditEvent]
    meta: AuditMeta
    links: AuditLinks | None = None
