"""Reference tables (api-more.md)."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.paging import timestamp
from tocsin.api.schemas.reference_tables import (
    AppendAnswer,
    AppendAnswerAttributes,
    AppendAnswerData,
    AppendBody,
    FileMetadata,
    LineError,
    RowIdsBody,
    RowList,
    RowPageAnswer,
    RowsBody,
    TableAnswer,
    TableBody,
    TableChangesBody,
    TableList,
    TableSchema,
    UploadAnswer,
    UploadAnswerAttributes,
    UploadAnswerData,
    UploadBody,
    UploadCheckAnswer,
    UploadCheckAnswerAttributes,
    UploadCheckAnswerData,
    UploadCheckBody,
)
from tocsin.api.security import public, requires
from tocsin.errors import BadRequest
from tocsin.reference_tables.repository import TableRow
from tocsin.reference_tables.schema import Loaded
from tocsin.reference_tables.service import ReferenceTables
from tocsin.reference_tables.usage import Use

BASE = "/api/v2/reference-tables"
ROWS_SHOWN = 20
"""Of a file that is checked."""


async def _tables(services: Services) -> ReferenceTables:
    service: ReferenceTables = services.reference_tables
    return service


Tables = Annotated[ReferenceTables, Depends(_tables)]
Reader = Annotated[Actor, Depends(requires("reference_tables_read"))]
Writer = Annotated[Actor, Depends(requires("reference_tables_write"))]

router = APIRouter(prefix=BASE, tags=["reference tables"])


@router.post("/uploads", status_code=201)
def begin_upload(actor: Writer, tables: Tables, body: UploadBody, request: Request) -> UploadAnswer:
    """Begin to upload a CSV file; its parts are PUT to the addresses of the answer, which hold for an hour."""
    asked = body.data.attributes
    upload = tables.begin_upload(asked.table_name, asked.headers, asked.part_count)
    address = f"{str(request.base_url).rstrip('/')}{BASE}/uploads/{upload.id}/parts"
    urls = [f"{address}/{number}?{urlencode({'key': upload.secret})}" for number in range(1, upload.part_count + 1)]
    return UploadAnswer(data=UploadAnswerData(id=upload.id, attributes=UploadAnswerAttributes(part_urls=urls)))


@router.put(
    "/uploads/{upload_id}/parts/{number}",
    dependencies=[Depends(public())],
    openapi_extra={"requestBody": {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    responses={403: {"description": "The address is wrong or has expired"}},
)
async def put_part(tables: Tables, upload_id: UUID, number: int, request: Request, key: str = "") -> None:
    """A part of a file. Open to everybody, because its address holds a secret that only `begin_upload` tells."""
    await run_in_threadpool(tables.put_part, str(upload_id), number, key, await request.body())


@router.post("/uploads/{upload_id}/check")
def check_upload(actor: Writer, tables: Tables, upload_id: UUID, body: UploadCheckBody) -> UploadCheckAnswer:
    """Say what a complete upload would give under a schema, line by line, before it becomes a table."""
    loaded = tables.check_upload(str(upload_id), _schema(body.data.attributes.schema_))
    attributes = UploadCheckAnswerAttributes(
        row_count=len(loaded.rows),
        error_row_count=loaded.skipped,
        errors=_errors(loaded),
        rows=list(islice(loaded.rows.values(), ROWS_SHOWN)),
    )
    return UploadCheckAnswer(data=UploadCheckAnswerData(id=str(upload_id), attributes=attributes))


@router.post("/tables", status_code=201, responses={201: {"model": TableAnswer}})
def create_table(actor: Writer, tables: Tables, body: TableBody) -> Response:
    """Create a table from an upload."""
    asked = body.data.attributes
    if asked.source != "LOCAL_FILE":
        raise BadRequest(f"source: tables cannot be read from {asked.source} yet; upload a file (LOCAL_FILE)")
    upload_id = _upload_id(asked.file_metadata)
    if upload_id is None:
        raise BadRequest("file_metadata.upload_id: is required for a LOCAL_FILE; begin an upload first")
    table = tables.create(
        {
            "table_name": asked.table_name,
            "schema": _schema(asked.schema_),
            "upload_id": upload_id,
            "description": asked.description,
            "tags": asked.tags,
        },
        actor,
    )
    return JSONResponse({"data": _shape(table, tables.uses())}, 201)


@router.get("/tables", responses={200: {"model": TableList}})
def list_tables(
    actor: Reader,
    tables: Tables,
    limit: Annotated[int, Query(alias="page[limit]", ge=1, le=100)] = 15,
    offset: Annotated[int, Query(alias="page[offset]", ge=0, le=1_000_000)] = 0,
    sort: Literal["table_name", "-table_name", "updated_at", "-updated_at"] = "-updated_at",
    status: Annotated[str | None, Query(alias="filter[status]")] = None,
    exact: Annotated[str | None, Query(alias="filter[table_name][exact]")] = None,
    contains: Annotated[str | None, Query(alias="filter[table_name][contains]")] = None,
) -> Response:
    """List tables."""
    found = [
        table
        for table in tables.all()
        if (status is None or _status(table) == status)
        and (exact is None or table.name == exact)
        and (contains is None or contains in table.name)
    ]
    by_name = sort.endswith("table_name")
    found.sort(key=lambda table: (table.name if by_name else table.updated_at, table.id), reverse=sort[0] == "-")
    uses = tables.uses()
    return JSONResponse({"data": [_shape(table, uses) for table in found[offset : offset + limit]]})


@router.get("/tables/{table_id}", responses={200: {"model": TableAnswer}})
def get_table(actor: Reader, tables: Tables, table_id: UUID) -> Response:
    """Get a table."""
    return JSONResponse({"data": _shape(tables.get(str(table_id)), tables.uses())})


@router.patch("/tables/{table_id}")
def update_table(actor: Writer, tables: Tables, table_id: UUID, body: TableChangesBody) -> None:
    """Change description or tags, or replace all rows by those of an upload."""
    asked = body.data.attributes
    changes: dict[str, Any] = {"description": asked.description, "tags": asked.tags, "source": asked.source}
    changes["upload_id"] = _upload_id(asked.file_metadata)
    if asked.schema_ is not None:
        changes["schema"] = _schema(asked.schema_)
    tables.update(str(table_id), changes, actor)


@router.delete("/tables/{table_id}")
def delete_table(actor: Writer, tables: Tables, table_id: UUID) -> None:
    """Delete a table with its rows; refused while a rule or pipeline names it."""
    tables.delete(str(table_id), actor)


@router.post("/tables/{table_id}/rows")
def upsert_rows(actor: Writer, tables: Tables, table_id: UUID, body: RowsBody) -> None:
    """Add rows, or change columns of those whose primary key is there; at most 200."""
    tables.upsert(str(table_id), [(row.id, row.attributes.values) for row in body.data], actor)


@router.post("/tables/{table_id}/rows/append")
def append_rows(actor: Writer, tables: Tables, table_id: UUID, body: AppendBody) -> AppendAnswer:
    """Add the rows of an upload, or change columns of those whose primary key is there; the others stay."""
    appended = tables.append(str(table_id), body.data.id, actor)
    attributes = AppendAnswerAttributes(
        added=appended.added,
        changed=appended.changed,
        error_row_count=appended.loaded.skipped,
        errors=_errors(appended.loaded),
    )
    return AppendAnswer(data=AppendAnswerData(id=str(table_id), attributes=attributes))


@router.delete("/tables/{table_id}/rows")
def delete_rows(actor: Writer, tables: Tables, table_id: UUID, body: RowIdsBody) -> None:
    """Delete rows by primary key; at most 200."""
    tables.delete_rows(str(table_id), [row.id for row in body.data], actor)


@router.get("/tables/{table_id}/rows", responses={200: {"model": RowList}})
def get_rows(
    actor: Reader, tables: Tables, table_id: UUID, row_id: Annotated[list[str], Query(min_length=1, max_length=200)]
) -> Response:
    """Rows by primary key; those that are not there are left out."""
    found = tables.rows(str(table_id), row_id)
    return JSONResponse({"data": [_row(key, found[key]) for key in dict.fromkeys(row_id) if key in found]})


@router.get("/tables/{table_id}/rows/list", responses={200: {"model": RowPageAnswer}})
def list_rows(
    actor: Reader,
    tables: Tables,
    table_id: UUID,
    limit: Annotated[int, Query(alias="page[limit]", ge=1, le=1000)] = 100,
    token: Annotated[str, Query(alias="page[continuation_token]")] = "",
    contains: Annotated[str, Query(alias="filter[contains]", max_length=200)] = "",
) -> Response:
    """All rows by primary key, a page at a time; or those with a text in one of their values, whose pages may be
    shorter than asked for, and empty before the last."""
    page = tables.page(str(table_id), _read_token(token), limit, contains)
    path = f"{BASE}/tables/{table_id}/rows/list"
    asked: dict[str, Any] = {"page[limit]": limit, **({"filter[contains]": contains} if contains else {})}
    links = {"first": _link(path, asked), "self": _link(path, asked, token)}
    meta: dict[str, Any] = {"page": {}}
    if page.following is not None:
        following = _token(page.following)
        links["next"] = _link(path, asked, following)
        meta["page"]["next_continuation_token"] = following
    return JSONResponse({"data": [_row(key, row) for key, row in page.rows], "links": links, "meta": meta})


def _shape(table: TableRow, uses: Mapping[str, Sequence[Use]]) -> dict[str, Any]:
    body = table.body
    attributes = {
        "table_name": table.name,
        "description": body["description"],
        "source": body["source"],
        "status": _status(table),
        "schema": body["schema"],
        "tags": body["tags"],
        "row_count": table.row_count,
        "created_by": body["created_by"],
        "last_updated_by": body["last_updated_by"],
        "updated_at": timestamp(table.updated_at),
        "used_by": [asdict(use) for use in uses.get(table.name, ())],
    }
    if body.get("error_row_count"):
        attributes["file_metadata"] = {name: body[name] for name in ("error_message", "error_row_count")}
    return {"id": table.id, "type": "reference_table", "attributes": attributes}


def _status(table: TableRow) -> str:
    """`ERROR` where lines of the file were skipped, else `DONE`: a file is read in the request that brings it."""
    return "ERROR" if table.body.get("error_row_count") else "DONE"


def _row(key: str, row: dict[str, Any]) -> dict[str, Any]:
    return {"id": key, "type": "row", "attributes": {"values": row}}


def _schema(schema: TableSchema) -> dict[str, Any]:
    return schema.model_dump()


def _upload_id(metadata: FileMetadata | None) -> str | None:
    if metadata is None:
        return None
    if metadata.upload_id is None:
        raise BadRequest("file_metadata.upload_id: is required; files of cloud stores cannot be read yet")
    return metadata.upload_id


def _errors(loaded: Loaded) -> list[LineError]:
    return [LineError(line=line, message=message) for line, message in loaded.errors]


def _link(path: str, asked: Mapping[str, Any], token: str = "") -> str:
    query = {**asked, **({"page[continuation_token]": token} if token else {})}
    return f"{path}?{urlencode(query)}"


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _read_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (ValueError, binascii.Error) as error:
        raise BadRequest("page[continuation_token]: is none that an answer gave") from error
