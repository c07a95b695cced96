"""Bodies and answers about reference tables (api-more.md)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictInt, StrictStr


class UploadAttributes(BaseModel):
    """`headers` are the columns in the order of the file."""

    table_name: str
    headers: Annotated[list[str], Field(min_length=1, max_length=200)]
    part_count: Annotated[int, Field(ge=1, le=20)]
    part_size: Annotated[int, Field(ge=1)]


class UploadData(BaseModel):
    type: Literal["upload"]
    attributes: UploadAttributes


class UploadBody(BaseModel):
    data: UploadData


class UploadAnswerAttributes(BaseModel):
    part_urls: list[str]


class UploadAnswerData(BaseModel):
    id: str
    type: Literal["upload"] = "upload"
    attributes: UploadAnswerAttributes


class UploadAnswer(BaseModel):
    data: UploadAnswerData


class TableField(BaseModel):
    name: str
    type: Literal["STRING", "INT32"]


class TableSchema(BaseModel):
    fields: Annotated[list[TableField], Field(min_length=1, max_length=200)]
    primary_keys: Annotated[list[str], Field(min_length=1)]


class UploadCheckAttributes(BaseModel):
    schema_: Annotated[TableSchema, Field(alias="schema")]


class UploadCheckData(BaseModel):
    type: Literal["upload_check"]
    attributes: UploadCheckAttributes


class UploadCheckBody(BaseModel):
    """What a file would give under a schema."""

    data: UploadCheckData


class LineError(BaseModel):
    line: int
    message: str


class UploadCheckAnswerAttributes(BaseModel):
    """`row_count` lines become rows, `error_row_count` are skipped; `errors` are the first of these, `rows` the first
    rows."""

    row_count: int
    error_row_count: int
    errors: list[LineError]
    rows: list[dict[str, StrictStr | StrictInt]]


class UploadCheckAnswerData(BaseModel):
    id: str
    type: Literal["upload_check"] = "upload_check"
    attributes: UploadCheckAnswerAttributes


class UploadCheckAnswer(BaseModel):
    data: UploadCheckAnswerData


class AppendData(BaseModel):
    id: str
    type: Literal["upload"]


class AppendBody(BaseModel):
    """An upload whose rows are added to a table."""

    data: AppendData


class AppendAnswerAttributes(BaseModel):
    added: int
    changed: int
    error_row_count: int
    errors: list[LineError]


class AppendAnswerData(BaseModel):
    id: str
    type: Literal["appended_rows"] = "appended_rows"
    attributes: AppendAnswerAttributes


class AppendAnswer(BaseModel):
    data: AppendAnswerData


class FileMetadata(BaseModel, extra="allow"):
    upload_id: str | None = None


class TableAttributes(BaseModel):
    """Tables come from uploads: of the sources only LOCAL_FILE can be read."""

    table_name: str
    description: str | None = None
    source: Literal["LOCAL_FILE", "S3", "GCS", "AZURE"]
    schema_: Annotated[TableSchema, Field(alias="schema")]
    file_metadata: FileMetadata | None = None
    tags: list[str] | None = None


class TableData(BaseModel):
    type: Literal["reference_table"]
    attributes: TableAttributes


class TableBody(BaseModel):
    data: TableData


class TableChanges(BaseModel):
    """`source` cannot be changed; it may be given as it is."""

    source: Literal["LOCAL_FILE", "S3", "GCS", "AZURE"] | None = None
    description: str | None = None
    schema_: Annotated[TableSchema | None, Field(alias="schema")] = None
    file_metadata: FileMetadata | None = None
    tags: list[str] | None = None


class TableChangesData(BaseModel):
    type: Literal["reference_table"]
    attributes: TableChanges = TableChanges()


class TableChangesBody(BaseModel):
    data: TableChangesData


class FileMetadataAnswer(BaseModel):
    """Lines of the file that were skipped, and why."""

    error_message: str
    error_row_count: int


class TableUse(BaseModel):
    """A rule or pipeline that names the table, enabled or not."""

    kind: Literal["rule", "pipeline"]
    id: str
    name: str
    is_enabled: bool


class TableAnswerAttributes(BaseModel):
    table_name: str
    description: str
    source: str
    status: str
    schema_: Annotated[TableSchema, Field(alias="schema")]
    tags: list[str]
    row_count: int
    created_by: str
    last_updated_by: str
    updated_at: str
    used_by: list[TableUse]
    file_metadata: FileMetadataAnswer | None = None


class TableAnswerData(BaseModel):
    id: str
    type: Literal["reference_table"] = "reference_table"
    attributes: TableAnswerAttributes


class TableAnswer(BaseModel):
    data: TableAnswerData


class TableList(BaseModel):
    data: list[TableAnswerData]


class RowValues(BaseModel):
    values: dict[str, StrictStr | StrictInt]


class RowData(BaseModel):
    id: Annotated[str, Field(min_length=1)]
    type: Literal["row"]
    attributes: RowValues


class RowsBody(BaseModel):
    data: Annotated[list[RowData], Field(min_length=1, max_length=200)]


class RowId(BaseModel):
    id: str
    type: Literal["row"]


class RowIdsBody(BaseModel):
    data: Annotated[list[RowId], Field(min_length=1, max_length=200)]


class RowAnswer(BaseModel):
    id: str
    type: Literal["row"] = "row"
    attributes: dict[str, Any]


class RowList(BaseModel):
    data: list[RowAnswer]


class RowLinks(BaseModel):
    first: str
    self: str
    next: str | None = None


class RowPage(BaseModel):
    next_continuation_token: str | None = None


class RowPageMeta(BaseModel):
    page: RowPage


class RowPageAnswer(BaseModel):
    data: list[RowAnswer]
    links: RowLinks
    meta: RowPageMeta
