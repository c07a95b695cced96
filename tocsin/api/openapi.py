"""The OpenAPI document, generated from the routes: who may call what, and how refusals look, as they really are."""

import re
from typing import Any

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import RouteContext, iter_route_contexts

from tocsin.api.errors import TITLES, V1_INTAKE_PREFIX, V1_LIST_PATH, has_object_shape
from tocsin.api.security import (
    API_KEY_HEADER,
    APP_KEY_HEADER,
    CSRF_HEADER,
    SAFE_METHODS,
    ApiKeyOnly,
    Public,
    Requires,
    declared_access,
    public,
)

router = APIRouter()

KEYS: dict[str, list[str]] = {"apiKeyAuth": [], "appKeyAuth": []}
SESSION: dict[str, list[str]] = {"sessionAuth": []}
SESSION_WRITE: dict[str, list[str]] = {"sessionAuth": [], "csrfAuth": []}

SCHEMES = {
    "apiKeyAuth": {"type": "apiKey", "in": "header", "name": API_KEY_HEADER},
    "appKeyAuth": {"type": "apiKey", "in": "header", "name": APP_KEY_HEADER},
    "sessionAuth": {"type": "apiKey", "in": "cookie", "name": "tocsin_session"},
    "csrfAuth": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
}

_TEXTS = {"type": "array", "items": {"type": "string"}}
SCHEMAS: dict[str, Any] = {
    "APIErrorResponse": {
        "type": "object",
        "required": ["errors"],
        "properties": {
            "errors": {**_TEXTS, "description": "Sentences, the first one general."},
            "error": {
                "type": "object",
                "description": "Where in a query the fault lies.",
                "properties": {
                    "code": {"type": "string"},
                    "start": {"type": "integer"},
                    "end": {"type": "integer"},
                    "message": {"type": "string"},
                    "fix": {"type": ["string", "null"]},
                },
            },
        },
    },
    "HTTPLogErrors": {
        "type": "object",
        "required": ["errors"],
        "properties": {
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {name: {"type": "string"} for name in ("status", "title", "detail")},
                },
            }
        },
    },
    "HTTPLogError": {
        "type": "object",
        "required": ["code", "message"],
        "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
    },
    "LogsAPIErrorResponse": {"type": "object", "properties": {"error": {"type": "object"}, "errors": _TEXTS}},
}


@router.get("/api/v2/openapi.json", include_in_schema=False, dependencies=[Depends(public())])
def openapi_document(request: Request) -> Response:
    """This document."""
    return Response(document(request.app), media_type="application/json")


def document(app: FastAPI) -> bytes:
    """The document as JSON; made once for each application."""
    if not hasattr(app.state, "openapi_document"):
        app.state.openapi_document = orjson.dumps(_document(app))
    found: bytes = app.state.openapi_document
    return found


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    components = made.setdefault("components", {})
    components["securitySchemes"] = SCHEMES
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # ours have another shape and status
        schemas.pop(name, None)
    schemas.update(SCHEMAS)
    for route in iter_route_contexts(app.routes):
        operations = made["paths"].get(route.path_format, {})
        for method in route.methods or ():
            if operation := operations.get(method.lower()):
                _describe(operation, route, method)
    return made


def _describe(operation: dict[str, Any], route: RouteContext, method: str) -> None:
    if 422 not in route.responses:
        operation["responses"].pop("422", None)
    _name_path_parameters(operation, route.path_format or "")
    (access,) = declared_access(route.dependant)
    refusals = [400, 404, 413, 415, 429, 503]
    match access:
        case Public():
            operation["security"] = []
        case ApiKeyOnly():
            operation["security"] = [{"apiKeyAuth": []}]
            refusals += [401, 403]
        case Requires():
            operation["security"] = [KEYS, SESSION if method in SAFE_METHODS else SESSION_WRITE]
            operation["x-permissions"] = list(access.permissions)
            refusals += [401, 403]
    if method not in SAFE_METHODS:
        refusals.append(409)
    for status in sorted(refusals):
        schema = {"$ref": f"#/components/schemas/{_error_schema(route.path_format or '', status)}"}
        answer = {"description": TITLES[status], "content": {"application/json": {"schema": schema}}}
        operation["responses"].setdefault(str(status), answer)


def _name_path_parameters(operation: dict[str, Any], path: str) -> None:
    """Parameters that a dependency reads from the path by itself, as the API key of old shippers."""
    parameters = operation.setdefault("parameters", [])
    named = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
    for name in re.findall(r"{(\w+)}", path):
        if name not in named:
            parameters.append({"name": name, "in": "path", "required": True, "schema": {"type": "string"}})


def _error_schema(path: str, status: int) -> str:
    if has_object_shape(path, status):
        return "HTTPLogErrors"
    if path.startswith(V1_INTAKE_PREFIX):
        return "HTTPLogError"
    return "LogsAPIErrorResponse" if path == V1_LIST_PATH else "APIErrorResponse"
