"""API keys and application keys (api.md §13, decision 0031)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tocsin.access.actor import Actor
from tocsin.access.keys import MOST_API_KEYS, MOST_APPLICATION_KEYS, ApplicationKey
from tocsin.access.people import Page
from tocsin.api.context import Services, Tocsin
from tocsin.api.paging import Paging
from tocsin.api.schemas.access import (
    ApiKeyCreateRequest,
    ApiKeyResource,
    ApiKeyResponse,
    ApiKeysMeta,
    ApiKeysResponse,
    ApiKeyUpdateRequest,
    ApplicationKeyCreateRequest,
    ApplicationKeyResource,
    ApplicationKeyResponse,
    ApplicationKeysMeta,
    ApplicationKeysResponse,
    ApplicationKeyUpdateRequest,
    KeyTotals,
    NewApiKeyResponse,
    NewApplicationKeyResponse,
    UserResource,
)
from tocsin.api.security import requires

router = APIRouter(prefix="/api/v2", tags=["keys"])

ApiKeyReader = Annotated[Actor, Depends(requires("api_keys_read"))]
ApiKeyWriter = Annotated[Actor, Depends(requires("api_keys_write"))]
ApiKeyDeleter = Annotated[Actor, Depends(requires("api_keys_delete"))]
Owner = Annotated[Actor, Depends(requires("user_app_keys"))]
OrgReader = Annotated[Actor, Depends(requires("org_app_keys_read"))]
OrgWriter = Annotated[Actor, Depends(requires("org_app_keys_write"))]

Text = Annotated[str, Query(alias="filter", max_length=256)]
Sort = Annotated[str, Query(max_length=40)]
Include = Annotated[str, Query(max_length=200)]


@router.get("/api_keys")
def list_api_keys(
    by: ApiKeyReader, services: Services, page: Paging, sort: Sort = "name", text: Text = "", include: Include = ""
) -> ApiKeysResponse:
    """All API keys by their last four digits, a page at a time."""
    found = services.access.keys.list_api_keys(text=text, sort=sort, size=page.size, number=page.number)
    people = {uuid for key in found.items for uuid in (key.created_by, key.modified_by) if uuid}
    return ApiKeysResponse(
        data=[ApiKeyResource.of(key) for key in found.items],
        included=_people(people, services) if include else [],
        meta=ApiKeysMeta(max_allowed=MOST_API_KEYS, page=KeyTotals(total_filtered_count=found.filtered)),
    )


@router.post("/api_keys", status_code=201)
def create_api_key(request: ApiKeyCreateRequest, by: ApiKeyWriter, services: Services) -> NewApiKeyResponse:
    """A new API key; this answer is the only one that shows it."""
    wanted = request.data.attributes
    made = services.access.keys.create_api_key(
        wanted.name, by, category=wanted.category, is_remote_config_enabled=wanted.remote_config_read_enabled
    )
    return NewApiKeyResponse.of(made)


@router.get("/api_keys/{key_id}")
def get_api_key(key_id: str, by: ApiKeyReader, services: Services, include: Include = "") -> ApiKeyResponse:
    """One API key, without the key itself."""
    key = services.access.keys.get_api_key(key_id)
    people = _people({uuid for uuid in (key.created_by, key.modified_by) if uuid}, services) if include else []
    return ApiKeyResponse(data=ApiKeyResource.of(key), included=people)


@router.patch("/api_keys/{key_id}")
def update_api_key(key_id: str, request: ApiKeyUpdateRequest, by: ApiKeyWriter, services: Services) -> ApiKeyResponse:
    """Rename an API key."""
    wanted = request.data.attributes
    key = services.access.keys.update_api_key(
        key_id,
        by,
        name=wanted.name,
        category=wanted.category,
        is_remote_config_enabled=wanted.remote_config_read_enabled,
    )
    return ApiKeyResponse(data=ApiKeyResource.of(key))


@router.delete("/api_keys/{key_id}", status_code=204)
def delete_api_key(key_id: str, by: ApiKeyDeleter, services: Services) -> None:
    """Revoke an API key."""
    services.access.keys.revoke_api_key(key_id, by)


@router.get("/current_user/application_keys")
def list_own_application_keys(
    by: Owner, services: Services, page: Paging, sort: Sort = "name", text: Text = "", include: Include = ""
) -> ApplicationKeysResponse:
    """One's own application keys by their last four digits, a page at a time."""
    found = services.access.keys.list_application_keys(
        owner=by.user_uuid, text=text, sort=sort, size=page.size, number=page.number
    )
    return _application_keys(found, services, include)


@router.post("/current_user/application_keys", status_code=201)
def create_own_application_key(
    request: ApplicationKeyCreateRequest, by: Owner, services: Services
) -> NewApplicationKeyResponse:
    """A new application key of one's own; this answer is the only one that shows it."""
    wanted = request.data.attributes
    made = services.access.keys.create_application_key(wanted.name, by, scopes=wanted.scopes)
    return NewApplicationKeyResponse.of(made)


@router.get("/current_user/application_keys/{key_id}")
def get_own_application_key(key_id: str, by: Owner, services: Services) -> ApplicationKeyResponse:
    """One of one's own application keys, without the key itself."""
    return _application_key(services.access.keys.get_application_key(key_id, owner=by.user_uuid))


@router.patch("/current_user/application_keys/{key_id}")
def update_own_application_key(
    key_id: str, request: ApplicationKeyUpdateRequest, by: Owner, services: Services
) -> ApplicationKeyResponse:
    """Rename one of one's own application keys, or change its scopes."""
    return _update(key_id, request, by, services, owner=by.user_uuid)


@router.delete("/current_user/application_keys/{key_id}", status_code=204)
def delete_own_application_key(key_id: str, by: Owner, services: Services) -> None:
    """Revoke one of one's own application keys."""
    services.access.keys.revoke_application_key(key_id, by, owner=by.user_uuid)


@router.get("/application_keys")
def list_application_keys(
    by: OrgReader, services: Services, page: Paging, sort: Sort = "name", text: Text = "", include: Include = ""
) -> ApplicationKeysResponse:
    """Everybody's application keys by their last four digits, a page at a time."""
    found = services.access.keys.list_application_keys(text=text, sort=sort, size=page.size, number=page.number)
    return _application_keys(found, services, include)


@router.get("/application_keys/{key_id}")
def get_application_key(
    key_id: str, by: OrgReader, services: Services, include: Include = ""
) -> ApplicationKeyResponse:
    """An application key of anybody, without the key itself."""
    key = services.access.keys.get_application_key(key_id)
    response = _application_key(key)
    response.included = _people({key.user_uuid}, services) if include else []
    return response


@router.patch("/application_keys/{key_id}")
def update_application_key(
    key_id: str, request: ApplicationKeyUpdateRequest, by: OrgWriter, services: Services
) -> ApplicationKeyResponse:
    """Rename an application key of anybody, or change its scopes."""
    return _update(key_id, request, by, services, owner=None)


@router.delete("/application_keys/{key_id}", status_code=204)
def delete_application_key(key_id: str, by: OrgWriter, services: Services) -> None:
    """Revoke an application key of anybody."""
    services.access.keys.revoke_application_key(key_id, by)


def _update(
    key_id: str, request: ApplicationKeyUpdateRequest, by: Actor, services: Tocsin, *, owner: str | None
) -> ApplicationKeyResponse:
    wanted = request.data.attributes
    key = services.access.keys.update_application_key(
        key_id,
        by,
        owner=owner,
        name=wanted.name,
        scopes=wanted.scopes,
        has_scopes="scopes" in wanted.model_fields_set,
    )
    return _application_key(key)


def _application_key(key: ApplicationKey) -> ApplicationKeyResponse:
    return ApplicationKeyResponse(data=ApplicationKeyResource.of(key))


def _application_keys(found: Page[ApplicationKey], services: Tocsin, include: str) -> ApplicationKeysResponse:
    return ApplicationKeysResponse(
        data=[ApplicationKeyResource.of(key) for key in found.items],
        included=_people({key.user_uuid for key in found.items}, services) if include else [],
        meta=ApplicationKeysMeta(
            max_allowed_per_user=MOST_APPLICATION_KEYS, page=KeyTotals(total_filtered_count=found.filtered)
        ),
    )


def _people(uuids: set[str], services: Tocsin) -> list[UserResource]:
    return [UserResource.of(user, services.access.organisation) for user in services.access.users.some(uuids)]
