"""The outermost layers of the application: what holds for every request, whatever its route.

`Edge` gives each request an id, counts it and sets the security headers; `Body` reads, bounds and decompresses request
bodies, so that routes see plain JSON only.
"""

import re
import secrets
import time
import traceback
import zlib
from contextlib import suppress
from functools import cache

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tocsin.api.errors import V1_INTAKE_PREFIX, error_response
from tocsin.errors import BadRequest, TocsinError, TooLarge

MAX_BODY = 5_000_000
"""Most bytes of a request body, before and after decompression: what the log intake allows (api.md §2)."""

RAW_BODY_PATHS = ("/api/v2/logs", "/api/v2/logs/")
"""The intake reads its bodies itself: more encodings, formats other than JSON, and faults that are kept."""

MAX_LEVELS = 200
"""Of a JSON body: what is kept is written as JSON again, a little deeper."""

WRITABLE_LEVELS = 254
"""More `orjson` does not write."""

UPLOAD_PATHS = re.compile(r"/api/v2/security/siem/threat-intel/feeds/[^/]+/content")
"""Files that are larger than other bodies are read by their route, after it knows who sends them."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; "
        "style-src 'self' 'unsafe-inline'; worker-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Scripts come from our own files only. Styles may be inline: editors and virtual lists position by style elements."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

log = structlog.get_logger("api")

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONG_NUMBER = re.compile(rb"[0-9]{19}")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class UnsupportedEncoding(TocsinError):
    status = 415


class Edge:
    """Request ids, metrics and security headers."""

    def __init__(self, app: ASGIApp, metrics: CollectorRegistry) -> None:
        self._app = app
        self._requests, self._seconds, self._crashes = _request_metrics(metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        status, is_begun = 500, False
        begun = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status, is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            self._crashes.inc()
            trace = traceback.format_exc()  # plain: other formats show the values of variables, secrets among them
            log.error("request crashed", path=scope["path"], request_id=request_id, exception=trace)
            if is_begun:
                raise  # half an answer is out; the server must cut the connection
            reason = f"internal error; the server's log has it under request {request_id}"
            await error_response(scope["path"], 500, reason)(scope, receive, send_with_headers)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._requests.labels(method, route, str(status)).inc()
            self._seconds.labels(route).observe(time.perf_counter() - begun)


class Body:
    """Reads a request's body whole, at most `MAX_BODY` bytes of it, and undoes gzip and deflate."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _reads_itself(scope["path"]):
            await self._app(scope, receive, send)
            return
        headers = MutableHeaders(scope=scope)
        try:
            body = _decompressed(await _read(headers, receive), headers.get("content-encoding", ""))
            _refuse_unstorable(body)
            body = _in_64_bits(body)
        except TocsinError as error:
            await error_response(scope["path"], error.status, *error.reasons)(scope, receive, send)
            return
        except ClientDisconnect:
            return
        if "content-encoding" in headers:
            del headers["content-encoding"]
        if body or "content-length" in headers:
            headers["content-length"] = str(len(body))
        is_given = False

        async def receive_body() -> Message:
            nonlocal is_given
            if is_given:
                return await receive()
            is_given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, receive_body, send)


def _reads_itself(path: str) -> bool:
    return path in RAW_BODY_PATHS or path.startswith(V1_INTAKE_PREFIX) or UPLOAD_PATHS.fullmatch(path) is not None


async def _read(headers: Headers, receive: Receive) -> bytes:
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > MAX_BODY:
        raise TooLarge(f"the body may have {MAX_BODY} bytes")
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            raise TooLarge(f"the body may have {MAX_BODY} bytes")
        if not message.get("more_body", False):
            return b"".join(parts)


def _decompressed(body: bytes, encoding: str) -> bytes:
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip":
            window = 16 + zlib.MAX_WBITS
        case "deflate":
            window = zlib.MAX_WBITS
        case other:
            raise UnsupportedEncoding(f"content encoding '{other[:40]}' is not known; use gzip, deflate or none")
    try:
        stream = zlib.decompressobj(window)
        plain = stream.decompress(body, MAX_BODY + 1)
    except zlib.error as error:
        raise BadRequest(f"the body is not valid {encoding}: {error}") from error
    if len(plain) > MAX_BODY:
        raise TooLarge(f"the body may have {MAX_BODY} bytes when decompressed")
    if not stream.eof:
        raise BadRequest(f"the body is not valid {encoding}: it ends too early")
    return plain


def _refuse_unstorable(body: bytes) -> None:
    """What no store can keep: too deep a document, NUL, and halves of surrogate pairs, which are no characters."""
    if body.count(b"{") + body.count(b"[") > MAX_LEVELS:
        _refuse_deep(body)
    if b"\\u" not in body:
        return
    if _NUL.search(body):
        raise BadRequest("a text in the body holds the character NUL (\\u0000), which cannot be stored")
    try:
        orjson.loads(body)  # stricter than the parser that follows
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is not valid JSON: {error}") from error


def _refuse_deep(body: bytes) -> None:
    with suppress(orjson.JSONDecodeError):  # whoever reads it says what is wrong
        value = orjson.loads(body)
        for _ in range(WRITABLE_LEVELS - MAX_LEVELS):
            value = [value]
        try:
            orjson.dumps(value)
        except TypeError as error:
            raise BadRequest(f"the body has more than {MAX_LEVELS} levels within one another") from error


def _in_64_bits(body: bytes) -> bytes:
    """A JSON body whose larger integers are floats, as the intake reads them: the parser that follows has no bound."""
    if _LONG_NUMBER.search(body) and body.lstrip()[:1] in (b"{", b"["):
        with suppress(orjson.JSONDecodeError):
            return orjson.dumps(orjson.loads(body))
    return body


@cache
def _request_metrics(registry: CollectorRegistry) -> tuple[Counter, Histogram, Counter]:
    return (
        Counter("tocsin_http_requests", "Requests answered.", ("method", "route", "status"), registry=registry),
        Histogram("tocsin_http_seconds", "Seconds from request to answer.", ("route",), registry=registry),
        Counter("tocsin_http_crashes", "Requests that ended in an unforeseen error.", registry=registry),
    )
