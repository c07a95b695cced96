"""The built web application: its files, and its first page for every address that the browser's router knows."""

import gzip
import mimetypes
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

SERVER_PATHS = ("/api/", "/v1/", "/health/", "/metrics")
"""Everything else belongs to the web application."""

HASHED = "assets/"
"""Files here carry a hash of their content in their names, so they never change."""

PACKED = (".js", ".css")
"""Kinds of these files that are worth packing; fonts are packed by themselves."""

FOR_EVER = "public, max-age=31536000, immutable"

NOT_BUILT = "The web application is not built. Run `make setup`, or install the wheel, which contains it.\n"


class WebFiles:
    """A layer that answers GET outside `SERVER_PATHS` from a folder."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._files = StaticFiles(directory=folder) if (folder / "index.html").is_file() else None
        self._packed: dict[str, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or path.startswith(SERVER_PATHS):
            await self._app(scope, receive, send)
            return
        await (await self._response(path.lstrip("/"), scope))(scope, receive, send)

    async def _response(self, path: str, scope: Scope) -> Response:
        if self._files is None:
            return PlainTextResponse(NOT_BUILT, 404)
        if _is_packed(path) and _is_plain_question(scope):
            if path not in self._packed:
                await run_in_threadpool(self._pack, path, self._files)
            if path in self._packed:
                headers = {"Cache-Control": FOR_EVER, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
                return Response(self._packed[path], headers=headers, media_type=mimetypes.guess_type(path)[0])
        try:
            response = await self._files.get_response(path or "index.html", scope)
        except HTTPException:
            if path.startswith(HASHED) or "." in path.rpartition("/")[2]:
                return PlainTextResponse("Not found\n", 404)
            path = ""
            response = await self._files.get_response("index.html", scope)
        caching = FOR_EVER if path.startswith(HASHED) else "no-cache"
        MutableHeaders(raw=response.raw_headers)["Cache-Control"] = caching
        return response

    def _pack(self, path: str, files: StaticFiles) -> None:
        """Once for all who ask: they took 40 ms of the processor for each visitor's first page."""
        found, about = files.lookup_path(path)
        if about is not None and Path(found).is_file():
            self._packed[path] = gzip.compress(Path(found).read_bytes(), 9, mtime=0)


def _is_packed(path: str) -> bool:
    """Each file has one such path: nobody fills the memory with `assets/./x.js`."""
    return path.startswith(HASHED) and path.endswith(PACKED) and path.count("/") == 1


def _is_plain_question(scope: Scope) -> bool:
    """For the whole file, by somebody who unpacks it."""
    headers = Headers(scope=scope)
    return scope["method"] == "GET" and "range" not in headers and "gzip" in headers.get("accept-encoding", "")
