"""The built web application: its files, and its first page for every address that the browser's router knows."""

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

SERVER_PATHS = ("/api/", "/v1/", "/health/", "/metrics")
"""Everything else belongs to the web application."""

HASHED = "assets/"
"""Files here carry a hash of their content in their names, so they never change."""

NOT_BUILT = "The web application is not built. Run `make setup`, or install the wheel, which contains it.\n"


class WebFiles:
    """A layer that answers GET outside `SERVER_PATHS` from a folder."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._files = StaticFiles(directory=folder) if (folder / "index.html").is_file() else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or path.startswith(SERVER_PATHS):
            await self._app(scope, receive, send)
            return
        await (await self._response(path.lstrip("/"), scope))(scope, receive, send)

    async def _response(self, path: str, scope: Scope) -> Response:
        if self._files is None:
            return PlainTextResponse(NOT_BUILT, 404)
        try:
            response = await self._files.get_response(path or "index.html", scope)
        except HTTPException:
            if path.startswith(HASHED) or "." in path.rpartition("/")[2]:
                return PlainTextResponse("Not found\n", 404)
            path = ""
            response = await self._files.get_response("index.html", scope)
        caching = "public, max-age=31536000, immutable" if path.startswith(HASHED) else "no-cache"
        MutableHeaders(raw=response.raw_headers)["Cache-Control"] = caching
        return response
