"""Errors as answers: the shapes of api.md §1, chosen by path, so that every part of the API may just raise.

Shape 1, `{"errors": ["text"]}`, is the rule. An error that says where in a text the fault lies (a query's) adds
`"error": {"code", "start", "end", "message", "fix"}` beside it, in every shape.
"""

from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from tocsin.errors import TocsinError, TooManyRequests
from tocsin.query import QueryError

log = structlog.get_logger("api")

TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Payload Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    499: "Client Closed Request",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

PLACE = ("code", "start", "end", "message", "fix")
"""What the error of a query knows beyond its sentence."""

OBJECT_SHAPE_PATHS = ("/api/v2/logs", "/api/v2/logs/")
"""Log intake answers with objects (api.md §2)."""

OBJECT_SHAPE_PREFIXES = (
    "/api/v2/siem-historical-detections/",
    "/api/v2/siem-threat-hunting/",
    "/api/v2/reference-tables/",
    "/api/v2/security/siem/",
)
"""Families whose clients expect shape 2 (api.md §1); who may not ask at all is told so in shape 1."""

V1_INTAKE_PREFIX = "/v1/input"
V1_LIST_PATH = "/api/v1/logs-queries/list"


def error_body(path: str, status: int, reasons: tuple[str, ...]) -> dict[str, Any]:
    """The body of an error, in the shape that clients of the path expect."""
    title = TITLES.get(status, "Error")
    if has_object_shape(path, status):
        return {"errors": [{"status": str(status), "title": title, "detail": reason} for reason in reasons]}
    if path.startswith(V1_INTAKE_PREFIX):
        return {"code": status, "message": "; ".join(reasons)}
    if path == V1_LIST_PATH and status not in (401, 403):
        return {"error": {"code": title.replace(" ", ""), "message": "; ".join(reasons), "details": []}}
    return {"errors": list(reasons)}


def has_object_shape(path: str, status: int) -> bool:
    """Whether an error is told in shape 2."""
    return path in OBJECT_SHAPE_PATHS or (path.startswith(OBJECT_SHAPE_PREFIXES) and status not in (401, 403))


def error_response(path: str, status: int, *reasons: str, headers: Mapping[str, str] | None = None) -> Response:
    """A complete answer for an error."""
    return _json(status, error_body(path, status, reasons or (TITLES.get(status, "Error"),)), headers)


def install(app: FastAPI) -> None:
    """Let the application answer errors in our shapes."""
    app.exception_handler(TocsinError)(_tocsin_error)
    app.exception_handler(RequestValidationError)(_validation_error)
    app.exception_handler(HTTPException)(_http_error)


async def _tocsin_error(request: Request, error: TocsinError) -> Response:
    if error.status >= 500:
        request_id = getattr(request.state, "request_id", "")
        log.error("request failed", path=request.url.path, request_id=request_id, reasons=error.reasons)
    body = error_body(request.url.path, error.status, error.reasons)
    if isinstance(error, QueryError):
        body["error"] = body.get("error", {}) | {name: getattr(error, name) for name in PLACE}
        body.setdefault("errors", list(error.reasons))
    headers = {}
    if isinstance(error, TooManyRequests):
        wait = str(max(error.retry_after_seconds, 1))
        headers = {
            "Retry-After": wait,
            "X-RateLimit-Limit": "1",
            "X-RateLimit-Period": wait,
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": wait,
            "X-RateLimit-Name": request.url.path.strip("/").replace("/", "_")[:64].encode("ascii", "ignore").decode(),
        }
    return _json(error.status, body, headers)


async def _validation_error(request: Request, error: RequestValidationError) -> Response:
    reasons = tuple(_reason(item) for item in error.errors()[:20])
    return error_response(request.url.path, 400, *reasons)


def _reason(item: Mapping[str, Any]) -> str:
    if item["type"] == "json_invalid":
        return f"the body is not valid JSON: {item['ctx']['error']} at character {item['loc'][-1]}"
    return f"{_place(item['loc'])}: {item['msg']}"


def _place(location: tuple[int | str, ...]) -> str:
    kind, *path = location
    if kind in ("query", "header", "cookie", "path"):
        return " ".join(str(part) for part in path) or str(kind)
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".") or "body"


async def _http_error(request: Request, error: HTTPException) -> Response:
    reason = "Not found" if error.status_code == 404 else str(error.detail)
    return error_response(request.url.path, error.status_code, reason, headers=error.headers)


def _json(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json")
