"""Bodies and answers about critical assets (api-more.md)."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StrictBool, StrictInt

Severity = Literal["info", "low", "medium", "high", "critical", "increase", "decrease", "no-op"]
Tags = Annotated[list[str], Field(max_length=100)]


class AssetAttributes(BaseModel):
    query: str
    rule_query: str
    severity: Severity
    enabled: StrictBool = True
    description: str | None = None
    tags: Tags | None = None


class AssetData(BaseModel):
    type: Literal["critical_assets"]
    attributes: AssetAttributes


class AssetBody(BaseModel):
    data: AssetData


class AssetChanges(BaseModel):
    query: str | None = None
    rule_query: str | None = None
    severity: Severity | None = None
    enabled: StrictBool | None = None
    description: str | None = None
    tags: Tags | None = None
    version: StrictInt | None = None


class AssetChangesData(BaseModel):
    type: Literal["critical_assets"]
    attributes: AssetChanges


class AssetChangesBody(BaseModel):
    data: AssetChangesData


class AssetUser(BaseModel):
    handle: str
    name: str


class AssetAnswerAttributes(BaseModel):
    """Dates in Unix milliseconds."""

    query: str
    rule_query: str
    severity: Severity
    enabled: bool
    description: str
    tags: list[str]
    version: int
    editable: bool
    creation_date: int
    creation_author_id: int
    creator: AssetUser
    update_date: int
    update_author_id: int
    updater: AssetUser


class AssetAnswerData(BaseModel):
    id: str
    type: Literal["critical_assets"] = "critical_assets"
    attributes: AssetAnswerAttributes


class AssetAnswer(BaseModel):
    data: AssetAnswerData


class AssetList(BaseModel):
    data: list[AssetAnswerData]
