"""Who may call what. Every route declares exactly one of:

- `Annotated[Actor, Depends(requires("permission"))]`: someone signed in who holds the permission;
- `Annotated[Actor, Depends(requires_any("one", "other"))]`: who holds one of them; which, what is asked for decides;
- `Annotated[Actor, Depends(api_key_only())]`: an API key, as log shippers have it;
- `Depends(public())` in the route's `dependencies`: everybody.

A test walks all routes and fails on one that declares none. 401 is no credential at all (or a session that
has ended), 403 a wrong or an insufficient one (api.md §1).
"""

from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from tocsin.access.actor import Actor
from tocsin.access.permissions import PERMISSIONS
from tocsin.api.context import tocsin_of
from tocsin.errors import Forbidden, Unauthorized

API_KEY_HEADER = "DD-API-KEY"
APP_KEY_HEADER = "DD-APPLICATION-KEY"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Requires:
    """A dependency that yields the actor, or refuses. With no permission named, being signed in is enough."""

    def __init__(self, *permissions: str) -> None:
        if unknown := [name for name in permissions if name not in PERMISSIONS]:
            raise ValueError(f"no such permission: {unknown}")
        self.permissions = permissions

    def __call__(self, request: Request) -> Actor:
        actor = authenticate(request)
        if missing := self._missing(actor):
            raise Forbidden("Forbidden", f"this needs the permission {missing}")
        return actor

    def _missing(self, actor: Actor) -> str:
        return " and ".join(name for name in self.permissions if not actor.may(name))


class RequiresAny(Requires):
    """The same for routes over things of several kinds: one permission lets in, the service asks for the right one."""

    def _missing(self, actor: Actor) -> str:
        return "" if any(map(actor.may, self.permissions)) else " or ".join(self.permissions)


class Public:
    """A dependency that lets everybody in."""

    async def __call__(self) -> None:
        return None


class ApiKeyOnly:
    """A dependency that asks for a valid API key: in its header, the query, or the path (api.md §1)."""

    async def __call__(self, request: Request) -> Actor:
        key = api_key_in(request)
        if not key:
            raise Unauthorized
        keys = tocsin_of(request).access.keys
        if (actor := keys.remembered(key)) is None:  # the intake's hot path asks no store
            actor = await run_in_threadpool(keys.holder_of_api_key, key)
        return actor


def requires(*permissions: str) -> Requires:
    """The route is for people and keys that hold all these permissions."""
    return Requires(*permissions)


def requires_any(*permissions: str) -> RequiresAny:
    """The route is for people and keys that hold one of these permissions; its service asks which."""
    return RequiresAny(*permissions)


def public() -> Public:
    """The route is for everybody."""
    return Public()


def api_key_only() -> ApiKeyOnly:
    """The route is for holders of an API key, without a person behind it."""
    return ApiKeyOnly()


def authenticate(request: Request) -> Actor:
    """Who asks: keys in headers win over a session cookie. Raises `Unauthorized` or `Forbidden`."""
    access = tocsin_of(request).access
    ip = client_ip(request)
    agent = request.headers.get("user-agent", "")[:200]
    about = (request.method, request.url.path, agent)
    api_key, app_key = request.headers.get(API_KEY_HEADER), request.headers.get(APP_KEY_HEADER)
    if api_key or app_key or request.headers.get("authorization"):
        if not (api_key and app_key):
            raise Forbidden
        return access.keys.actor(api_key, app_key, ip=ip, request=about)
    token = request.cookies.get(session_cookie(request))
    if not token:
        raise Unauthorized
    if request.method not in SAFE_METHODS:
        access.sessions.check_csrf(token, request.headers.get(CSRF_HEADER, ""))
    return access.sessions.actor(token, ip=ip, request=about)


def api_key_in(request: Request) -> str | None:
    """The API key of a request: in the header, the query, or the path as old shippers have it."""
    in_query = request.query_params.get("api_key") or request.query_params.get("dd-api-key")
    in_path: str | None = request.path_params.get("api_key")
    return request.headers.get(API_KEY_HEADER) or in_query or in_path


def session_cookie(request: Request) -> str:
    """Name of the session's cookie; behind TLS the prefix keeps other hosts and plain HTTP from setting it."""
    return "__Host-tocsin_session" if tocsin_of(request).config.secure_cookies else "tocsin_session"


def client_ip(request: Request) -> str | None:
    """Address of the client, as the server (told which proxies to trust) sees it."""
    return request.client.host if request.client else None


def declared_access(dependant: Any) -> list[Requires | Public | ApiKeyOnly]:
    """The declarations that a route's dependencies hold, at any depth."""
    found = [dependant.call] if isinstance(dependant.call, Requires | Public | ApiKeyOnly) else []
    for child in dependant.dependencies:
        found += declared_access(child)
    return found
