"""No route is open by accident: each declares who may call it, and means it (design §6)."""

import re
from collections.abc import Iterator
from contextlib import closing
from inspect import iscoroutinefunction
from typing import Any

import pytest
from api_server import Api
from fastapi.routing import APIRoute, iter_route_contexts

from tocsin.api.app import routers
from tocsin.api.security import ApiKeyOnly, Public, Requires, declared_access

PUBLIC = {
    "GET /api/v1/validate",
    "GET /api/v2/openapi.json",
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
    "POST /api/v2/session",
    "POST /api/v2/user_invitations/accept",
    "PUT /api/v2/reference-tables/uploads/{upload_id}/parts/{number}",
}
"""Open to everybody, each for a reason that its module gives. Nothing joins them unseen."""

SIGNED_IN = {
    "DELETE /api/v2/session",
    "DELETE /api/v2/session/all",
    "GET /api/v2/current_user",
    "GET /api/v2/session",
    "GET /api/v2/validate_keys",
    "PATCH /api/v2/current_user",
    "PUT /api/v2/current_user/password",
}
"""About the one who asks, so being signed in is enough."""


def routes() -> list[tuple[str, str, Any]]:
    """Method, path and route of everything that the application offers."""
    found = [
        (method, context.path or "", context)
        for router in routers()
        for context in iter_route_contexts(router.routes)
        for method in sorted((context.methods or set()) - {"HEAD"})
    ]
    assert len(found) > 40
    return found


ROUTES = routes()
IDS = [f"{method} {path}" for method, path, _ in ROUTES]


def test_no_operation_is_offered_twice() -> None:
    """The first one would answer, and the document would describe the other."""
    assert sorted(IDS) == sorted(set(IDS))


def calls_of(dependant: Any) -> Iterator[Any]:
    for child in dependant.dependencies:
        yield child.call
        yield from calls_of(child)


def test_only_who_asks_the_store_takes_a_thread() -> None:
    """What is not a coroutine runs in a thread of its own: that is for asking who somebody is, and for nothing else."""
    calls = {call for _, _, route in ROUTES for call in calls_of(route.dependant)}
    others = [call for call in calls if not (iscoroutinefunction(call) or iscoroutinefunction(call.__call__))]
    assert len(calls) > 40
    assert [call for call in others if not isinstance(call, Requires)] == []


@pytest.fixture(scope="module")
def nobodys(api: Api) -> Iterator[Any]:
    """A client whose person holds no permission at all."""
    email = api.person()
    with closing(api.sign_in(email)) as browser:
        yield browser


@pytest.fixture(scope="module")
def admins(api: Api) -> Iterator[Any]:
    """The browser of an administrator."""
    with closing(api.sign_in()) as browser:
        yield browser


def concrete(path: str) -> str:
    """The path with something in the place of its parameters."""
    return re.sub(r"\{[^}]+\}", "11111111-1111-4111-8111-111111111111", path)


def access_of(route: Any) -> Requires | Public | ApiKeyOnly:
    found = declared_access(route.dependant)
    assert len(found) == 1, f"declares {len(found)} of requires, public, api_key_only; it must be exactly one"
    return found[0]


@pytest.mark.parametrize(("method", "path", "route"), ROUTES, ids=IDS)
def test_declares_exactly_one_access(method: str, path: str, route: Any) -> None:
    assert isinstance(route.original_route, APIRoute), "a bare Starlette route or a mount declares nothing"
    match access_of(route):
        case Public():
            assert f"{method} {path}" in PUBLIC
        case Requires(permissions=()):
            assert f"{method} {path}" in SIGNED_IN


@pytest.mark.parametrize(("method", "path", "route"), ROUTES, ids=IDS)
def test_refuses_who_has_no_credential(api: Api, method: str, path: str, route: Any) -> None:
    answer = api.anonymous.request(method, concrete(path))
    if isinstance(access_of(route), Public):
        assert answer.status_code != 401
    elif "{api_key}" in path:  # the path itself is a credential, and a wrong one
        assert answer.status_code == 403
    else:
        assert answer.status_code == 401
        assert "Unauthorized" in answer.text


@pytest.mark.parametrize(("method", "path", "route"), ROUTES, ids=IDS)
def test_refuses_who_lacks_the_permission(api: Api, nobodys: Any, method: str, path: str, route: Any) -> None:
    access = access_of(route)
    if isinstance(access, Requires) and access.permissions:
        answer = nobodys.request(method, concrete(path))
        assert answer.status_code == 403
        assert answer.json()["errors"][0] == "Forbidden"
        assert access.permissions[0] in answer.text
    if isinstance(access, ApiKeyOnly):
        assert api.client(DD_API_KEY="f" * 32).request(method, concrete(path)).status_code == 403
        assert nobodys.request(method, concrete(path)).status_code in (401, 403), "a session is no API key"


@pytest.mark.parametrize(("method", "path", "route"), ROUTES, ids=IDS)
def test_refuses_a_change_without_the_sessions_token(admins: Any, method: str, path: str, route: Any) -> None:
    if method == "GET" or not isinstance(access_of(route), Requires):
        return
    for token in ("", "0" * 64):
        answer = admins.request(method, concrete(path), headers={"X-CSRF-Token": token})
        assert answer.status_code == 403, "an administrator's browser, lured by another site"
        assert "X-CSRF-Token" in answer.text


def test_the_document_says_what_the_routes_do(api: Api) -> None:
    document = api.anonymous.get("/api/v2/openapi.json").json()
    described = 0
    for method, _, route in ROUTES:
        operation = document["paths"].get(route.path_format, {}).get(method.lower())
        if operation is None:
            assert not route.include_in_schema
            continue
        described += 1
        access = access_of(route)
        if isinstance(access, Requires):
            assert operation["x-permissions"] == list(access.permissions)
            assert {"apiKeyAuth": [], "appKeyAuth": []} in operation["security"]
            assert {"401", "403", "400"} <= operation["responses"].keys()
        else:
            assert operation["security"] == ([{"apiKeyAuth": []}] if isinstance(access, ApiKeyOnly) else [])
        assert "HTTPValidationError" not in str(operation)
    assert described > 40
