"""Log intake (api.md §2), and what became of what came in: status, rejected events, replay."""

import asyncio
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.requests import ClientDisconnect

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.schemas.intake import (
    Buffer,
    Instant,
    Kept,
    Meta,
    Page,
    RejectedItem,
    RejectedPage,
    ReplayAnswer,
    ReplayRequest,
    SinceStart,
    StatusAnswer,
    StatusAttributes,
    StatusItem,
    timestamp,
)
from tocsin.api.security import api_key_only, requires
from tocsin.errors import BadRequest, TocsinError, TooLarge
from tocsin.intake.limits import LIMITS
from tocsin.intake.rejected import RejectedEvents
from tocsin.intake.repository import RejectedFilter
from tocsin.intake.request import request_of
from tocsin.intake.service import Admission, Intake, Receipt


class SlowBody(TocsinError):
    """The body did not arrive in time; every shipper sends it again."""

    status = 408


async def _intake(services: Services) -> Intake:
    intake: Intake = services.intake
    return intake


async def _rejected(services: Services) -> RejectedEvents:
    rejected: RejectedEvents = services.rejected
    return rejected


IntakeService = Annotated[Intake, Depends(_intake)]
Rejected = Annotated[RejectedEvents, Depends(_rejected)]
Shipper = Annotated[Actor, Depends(api_key_only())]
Reader = Annotated[Actor, Depends(requires("logs_read_data"))]
Writer = Annotated[Actor, Depends(requires("logs_write_processors"))]

router = APIRouter(tags=["intake"])

_TEXT = {"schema": {"type": "string"}}
_LOG = {"type": "object", "additionalProperties": True}
_BODY: dict[str, Any] = {
    "requestBody": {
        "description": "At most 5 MB uncompressed and 1,000 events.",
        "content": {
            "application/json": {"schema": {"anyOf": [_LOG, {"type": "array", "items": _LOG, "maxItems": 1000}]}},
            "text/plain": _TEXT,
            "application/logplex-1": _TEXT,
        },
    }
}


async def take(request: Request, services: Services, intake: IntakeService) -> Receipt:
    """Read the request's body and wait until its events are durable."""
    with intake.admit(_declared_size(request)) as admission:
        body = await _read_body(request, admission)
        headers = {name: request.headers.get(name, "") for name in ("content-type", "content-encoding")}
        sent = request_of(body, headers, request.query_params, services.clock())
        return await asyncio.wrap_future(intake.submit(sent, admission))


Taken = Annotated[Receipt, Depends(take)]


@router.post("/api/v2/logs", status_code=202, openapi_extra=_BODY)
@router.post("/api/v2/logs/", status_code=202, include_in_schema=False)
async def send_logs(
    _actor: Shipper, taken: Taken, wants_account: Annotated[bool, Header(alias="Tocsin-Account")] = False
) -> Response:
    """Take logs over; answered when they are durable.

    With the header `Tocsin-Account: true` (ours) the answer says what became of them, for clients that tell a person.
    """
    content = orjson.dumps(_account(taken)) if wants_account else b"{}"
    return Response(content, 202, media_type="application/json")


@router.post("/v1/input", openapi_extra=_BODY)
@router.post("/v1/input/", include_in_schema=False)
@router.post("/v1/input/{api_key}", openapi_extra=_BODY)
async def send_logs_v1(_actor: Shipper, _taken: Taken) -> Response:
    """The same under its old name, as older shippers know it."""
    return Response(b"{}", 200, media_type="application/json")


@router.get("/api/v2/tocsin/intake/status")
def get_intake_status(_actor: Reader, services: Services, intake: IntakeService) -> StatusAnswer:
    """Counts since the start, what the store holds, and how far behind the intake is."""
    counts, kept, now = intake.counts(), intake.kept(), services.clock()
    newest, oldest = intake.newest_ingested_at, intake.oldest_waiting_at
    attributes = StatusAttributes(
        since_start=SinceStart(started_at=timestamp(intake.started_at), **counts),
        kept=Kept(**kept),
        buffer=Buffer(bytes=intake.buffered_bytes, limit_bytes=intake.buffer_bytes),
        newest_ingested_at=timestamp(newest) if newest else None,
        lag_ms=None if oldest is None else max(0, now - oldest),
    )
    return StatusAnswer(data=StatusItem(attributes=attributes))


@router.get("/api/v2/tocsin/intake/rejected")
def list_rejected(
    _actor: Reader,
    rejected: Rejected,
    code: Annotated[str | None, Query(alias="filter[code]")] = None,
    received_from: Annotated[Instant | None, Query(alias="filter[from]")] = None,
    received_to: Annotated[Instant | None, Query(alias="filter[to]")] = None,
    is_replayed: Annotated[bool | None, Query(alias="filter[is_replayed]")] = None,
    limit: Annotated[int, Query(alias="page[limit]", ge=1, le=1000)] = 50,
    cursor: Annotated[str | None, Query(alias="page[cursor]", max_length=100)] = None,
) -> RejectedPage:
    """Events that could not be understood, newest first, with reason and raw text. Times in Unix milliseconds."""
    chosen = RejectedFilter(code=code, received_from=received_from, received_to=received_to, is_replayed=is_replayed)
    found = rejected.list(chosen, limit=limit, after=_position(cursor))
    after = f"{found[-1].received_at}-{found[-1].id}" if len(found) == limit else None
    return RejectedPage(data=[RejectedItem.of(event) for event in found], meta=Meta(page=Page(after=after)))


@router.get("/api/v2/tocsin/intake/rejected/{rejected_id}")
def get_rejected(_actor: Reader, rejected: Rejected, rejected_id: str) -> dict[str, RejectedItem]:
    """One rejected event."""
    return {"data": RejectedItem.of(rejected.get(rejected_id))}


@router.post("/api/v2/tocsin/intake/rejected/replay")
def replay_rejected(_actor: Writer, rejected: Rejected, replay: ReplayRequest) -> ReplayAnswer:
    """Send rejected events through the pipeline again. Safe to do twice: what is stored already stays one event."""
    return ReplayAnswer.of(rejected.replay(replay.filter.to_model()))


def _account(receipt: Receipt) -> dict[str, Any]:
    rejected = [{"code": code, "reason": reason, "count": n} for (code, reason), n in receipt.reasons.items()]
    return {
        "accepted": receipt.accepted,
        "stored": receipt.stored,
        "duplicates": receipt.duplicates,
        "rejected": rejected,
    }


def _declared_size(request: Request) -> int:
    declared = request.headers.get("content-length", "")
    size = int(declared) if declared.isdecimal() else 0
    if size > LIMITS.body_bytes:
        raise _too_large()
    return size


async def _read_body(request: Request, admission: Admission) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(LIMITS.body_seconds):
            async for part in request.stream():
                parts.append(part)
                size += len(part)
                if size > LIMITS.body_bytes:
                    raise _too_large()
                if size > admission.held:
                    admission.resize(size, may_refuse=True)
    except TimeoutError:
        raise SlowBody(f"the body did not arrive within {LIMITS.body_seconds:.0f} s; send it again") from None
    except ClientDisconnect:
        raise SlowBody("the connection was closed before the body was complete") from None
    return b"".join(parts)


def _too_large() -> TooLarge:
    return TooLarge(f"the body is larger than {LIMITS.body_bytes} bytes; send smaller batches")


def _position(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    at, _, id = cursor.partition("-")
    if not at.isdecimal() or len(at) > 15 or not id:
        raise BadRequest("page[cursor] is not one that this list has given")
    return int(at), id
