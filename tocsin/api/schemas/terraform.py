"""Bodies and answers about Terraform resources (api-more.md)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field


class TerraformConvertAttributes(BaseModel):
    """`resource_json`: the attributes as the API answers them; of a rule, the whole rule."""

    resource_json: dict[str, Any]


class TerraformConvertData(BaseModel):
    id: str
    type: Literal["convert_resource"]
    attributes: TerraformConvertAttributes


class TerraformConvertBody(BaseModel):
    data: TerraformConvertData


class TerraformBulkAttributes(BaseModel):
    resource_ids: Annotated[list[str], Field(min_length=1, max_length=1000)]


class TerraformBulkData(BaseModel):
    type: Literal["bulk_export_resources"]
    attributes: TerraformBulkAttributes


class TerraformBulkBody(BaseModel):
    data: TerraformBulkData


class TerraformAttributes(BaseModel):
    type_name: str
    resource_id: str
    output: str


class TerraformData(BaseModel):
    id: str
    type: Literal["format_resource"] = "format_resource"
    attributes: TerraformAttributes


class TerraformResource(BaseModel):
    data: TerraformData
