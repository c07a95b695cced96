"""Is this key good? Agents and shippers ask before they send (api.md §2)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.security import api_key_in, api_key_only, public, requires
from tocsin.errors import Forbidden

router = APIRouter(tags=["keys"])


class Valid(BaseModel):
    valid: bool = True


class ValidAttributes(Valid):
    api_key_id: str
    api_key_scopes: list[str] = []


class ValidResource(BaseModel):
    id: str
    type: Literal["validate_v2"] = "validate_v2"
    attributes: ValidAttributes


class ValidResponse(BaseModel):
    data: ValidResource


class KeysStatus(BaseModel):
    status: Literal["ok"] = "ok"


@router.get("/api/v1/validate", dependencies=[Depends(public())], responses={403: {"description": "No valid API key"}})
def validate_api_key(request: Request, services: Services) -> Valid:
    """Whether the API key is valid. Without one the answer is 403 too, as agents expect (api.md §1)."""
    key = api_key_in(request)
    if not key:
        raise Forbidden("API key required")
    services.access.keys.holder_of_api_key(key)
    return Valid()


@router.get("/api/v2/validate")
def validate_api_key_v2(holder: Annotated[Actor, Depends(api_key_only())], services: Services) -> ValidResponse:
    """Whether the API key is valid, and which one it is."""
    attributes = ValidAttributes(api_key_id=holder.key_id or "")
    return ValidResponse(data=ValidResource(id=services.access.organisation, attributes=attributes))


@router.get("/api/v2/validate_keys")
def validate_keys(by: Annotated[Actor, Depends(requires())]) -> KeysStatus:
    """Whether API key and application key are valid together."""
    return KeysStatus()
