"""Bodies and answers about security filters (api.md §6)."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StrictBool, StrictInt


class ExclusionFilter(BaseModel):
    name: str
    query: str


class FilterAttributes(BaseModel):
    name: str
    query: str
    is_enabled: StrictBool
    filtered_data_type: Literal["logs"]
    exclusion_filters: Annotated[list[ExclusionFilter], Field(max_length=50)]


class FilterData(BaseModel):
    type: Literal["security_filters"]
    attributes: FilterAttributes


class FilterBody(BaseModel):
    data: FilterData


class FilterChanges(BaseModel):
    name: str | None = None
    query: str | None = None
    is_enabled: StrictBool | None = None
    filtered_data_type: Literal["logs"] | None = None
    exclusion_filters: Annotated[list[ExclusionFilter], Field(max_length=50)] | None = None
    version: StrictInt | None = None


class FilterChangesData(BaseModel):
    type: Literal["security_filters"]
    attributes: FilterChanges


class FilterChangesBody(BaseModel):
    data: FilterChangesData


class FilterAnswerAttributes(FilterAttributes):
    is_builtin: bool
    version: int


class FilterAnswerData(BaseModel):
    id: str
    type: Literal["security_filters"] = "security_filters"
    attributes: FilterAnswerAttributes


class FilterAnswer(BaseModel):
    data: FilterAnswerData


class FilterList(BaseModel):
    data: list[FilterAnswerData]


class FilterOfVersion(FilterAnswerAttributes):
    id: str


class FiltersConfigurationAttributes(BaseModel):
    """`date` in Unix milliseconds."""

    date: int
    version: int
    filters: list[FilterOfVersion]


class FiltersConfiguration(BaseModel):
    id: str
    type: Literal["security_filters_configuration"] = "security_filters_configuration"
    attributes: FiltersConfigurationAttributes


class FiltersHistory(BaseModel):
    data: list[FiltersConfiguration]
