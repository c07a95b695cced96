"""Roles and permissions (api.md §13)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tocsin.access.actor import Actor
from tocsin.access.permissions import BUILTIN_ROLES, BY_ID, PERMISSIONS
from tocsin.api.context import Services
from tocsin.api.paging import Paging
from tocsin.api.schemas.access import (
    Identifier,
    PageMeta,
    PermissionRequest,
    PermissionsResponse,
    RoleCloneRequest,
    RoleCreateRequest,
    RoleResource,
    RoleResponse,
    RolesResponse,
    RoleTemplate,
    RoleTemplateAttributes,
    RoleTemplates,
    RoleUpdateRequest,
    Totals,
    UserRequest,
    UsersResponse,
)
from tocsin.api.security import requires
from tocsin.api.users import users_response
from tocsin.errors import BadRequest, NotFound, Unprocessable

router = APIRouter(prefix="/api/v2", tags=["roles"])

Reader = Annotated[Actor, Depends(requires("user_access_read"))]
Manager = Annotated[Actor, Depends(requires("user_access_manage"))]


@router.get("/permissions")
def list_permissions(by: Reader) -> PermissionsResponse:
    """All permissions that there are."""
    return PermissionsResponse.of(PERMISSIONS)


@router.get("/roles")
def list_roles(
    by: Reader,
    services: Services,
    page: Paging,
    sort: Annotated[str, Query(max_length=40)] = "name",
    text: Annotated[str, Query(alias="filter", max_length=256)] = "",
    ids: Annotated[str, Query(alias="filter[id]", max_length=4000)] = "",
) -> RolesResponse:
    """All roles, a page at a time."""
    wanted = [part.strip() for part in ids.split(",") if part.strip()]
    found = services.access.roles.list(text=text, ids=wanted, sort=sort, size=page.size, number=page.number)
    return RolesResponse(
        data=[RoleResource.of(role) for role in found.items],
        meta=PageMeta(page=Totals(total_count=found.total, total_filtered_count=found.filtered)),
    )


@router.post("/roles")
def create_role(request: RoleCreateRequest, by: Manager, services: Services) -> RoleResponse:
    """A new role."""
    granted = request.data.relationships.permissions
    names = [] if granted is None else _names(granted.data)
    return RoleResponse(data=RoleResource.of(services.access.roles.create(request.data.attributes.name, names, by)))


@router.get("/roles/templates")
def list_role_templates(by: Reader) -> RoleTemplates:
    """The shipped roles, to clone."""
    return RoleTemplates(
        data=[
            RoleTemplate(id=key, attributes=RoleTemplateAttributes(name=name, description=f"{len(held)} permissions."))
            for key, (name, held) in BUILTIN_ROLES.items()
        ]
    )


@router.get("/roles/{role_id}")
def get_role(role_id: str, by: Reader, services: Services) -> RoleResponse:
    """One role with its permissions."""
    return RoleResponse(data=RoleResource.of(services.access.roles.get(role_id)))


@router.patch("/roles/{role_id}", responses={422: {"description": "The body's id is not the path's"}})
def update_role(role_id: str, request: RoleUpdateRequest, by: Manager, services: Services) -> RoleResponse:
    """Rename a role, or replace its permissions."""
    if request.data.id.lower() != role_id.lower():
        services.access.roles.get(role_id)  # an unknown id is 404 before it is a mismatch
        raise Unprocessable("data.id: is not the id of the path")
    granted = request.data.relationships.permissions
    role = services.access.roles.update(
        role_id,
        by,
        name=request.data.attributes.name,
        permissions=None if granted is None else _names(granted.data),
    )
    return RoleResponse(data=RoleResource.of(role))


@router.delete("/roles/{role_id}", status_code=204)
def delete_role(role_id: str, by: Manager, services: Services) -> None:
    """Delete a role; its people keep their others."""
    services.access.roles.delete(role_id, by)


@router.post("/roles/{role_id}/clone")
def clone_role(role_id: str, request: RoleCloneRequest, by: Manager, services: Services) -> RoleResponse:
    """A new role with the permissions of this one."""
    return RoleResponse(data=RoleResource.of(services.access.roles.clone(role_id, request.data.attributes.name, by)))


@router.get("/roles/{role_id}/permissions")
def list_role_permissions(role_id: str, by: Reader, services: Services) -> PermissionsResponse:
    """The permissions of a role."""
    return PermissionsResponse.of(services.access.roles.get(role_id).permissions)


@router.post("/roles/{role_id}/permissions")
def add_permission(role_id: str, request: PermissionRequest, by: Manager, services: Services) -> PermissionsResponse:
    """Give a role one more permission."""
    services.access.roles.get(role_id)
    name = _permission(request.data.id)
    return PermissionsResponse.of(services.access.roles.grant(role_id, name, by).permissions)


@router.delete("/roles/{role_id}/permissions")
def remove_permission(role_id: str, request: PermissionRequest, by: Manager, services: Services) -> PermissionsResponse:
    """Take a permission away from a role."""
    services.access.roles.get(role_id)
    name = _permission(request.data.id)
    return PermissionsResponse.of(services.access.roles.revoke(role_id, name, by).permissions)


@router.get("/roles/{role_id}/users")
def list_role_users(role_id: str, by: Reader, services: Services, page: Paging) -> UsersResponse:
    """The people who have a role."""
    return users_response(services.access.roles.users(role_id, size=page.size, number=page.number), services)


@router.post("/roles/{role_id}/users")
def add_user_to_role(role_id: str, request: UserRequest, by: Manager, services: Services) -> UsersResponse:
    """Give a person a role."""
    return users_response(services.access.roles.add_user(role_id, request.data.id, by), services)


@router.delete("/roles/{role_id}/users")
def remove_user_from_role(role_id: str, request: UserRequest, by: Manager, services: Services) -> UsersResponse:
    """Take a role from a person."""
    return users_response(services.access.roles.remove_user(role_id, request.data.id, by), services)


def _permission(permission_id: str) -> str:
    if (permission := BY_ID.get(permission_id.lower())) is None:
        raise NotFound("Permission not found")
    return permission.name


def _names(identifiers: list[Identifier]) -> list[str]:
    for identifier in identifiers:
        if identifier.id.lower() not in BY_ID:
            raise BadRequest(f"data.relationships.permissions: there is no permission {identifier.id[:64]}")
    return [BY_ID[identifier.id.lower()].name for identifier in identifiers]
