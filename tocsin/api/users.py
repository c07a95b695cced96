"""People: list, invite, change, disable; and the one who asks (api.md §13)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from tocsin.access.actor import Actor
from tocsin.access.people import Page, User
from tocsin.access.permissions import PERMISSIONS
from tocsin.api.context import Services, Tocsin
from tocsin.api.paging import Paging
from tocsin.api.schemas.access import (
    AcceptRequest,
    InvitationResource,
    InvitationResponse,
    InvitationsRequest,
    InvitationsResponse,
    OrganisationResource,
    OwnPasswordRequest,
    PageMeta,
    PasswordRequest,
    PermissionResource,
    PermissionsResponse,
    RoleResource,
    Totals,
    UserChange,
    UserCreateRequest,
    UserResource,
    UserResponse,
    UsersResponse,
    UserUpdateRequest,
)
from tocsin.api.security import public, requires, session_cookie
from tocsin.errors import Unprocessable

router = APIRouter(prefix="/api/v2", tags=["users"])

Anyone = Annotated[Actor, Depends(requires())]
Reader = Annotated[Actor, Depends(requires("user_access_read"))]
Inviter = Annotated[Actor, Depends(requires("user_access_invite"))]
Manager = Annotated[Actor, Depends(requires("user_access_manage"))]


@router.get("/users")
def list_users(
    by: Reader,
    services: Services,
    page: Paging,
    sort: Annotated[str, Query(max_length=40)] = "name",
    sort_dir: Annotated[str, Query(pattern="^(asc|desc)$")] = "asc",
    text: Annotated[str, Query(alias="filter", max_length=256)] = "",
    status: Annotated[str, Query(alias="filter[status]", max_length=100)] = "",
) -> UsersResponse:
    """All people, a page at a time; `filter` looks into name, e-mail and title."""
    found = services.access.users.list(
        text=text,
        statuses=[part.strip().capitalize() for part in status.split(",") if part.strip()],
        sort=_sort_field(sort.lstrip("-")),
        is_descending=(sort_dir == "desc") != sort.startswith("-"),
        size=page.size,
        number=page.number,
    )
    return users_response(found, services)


@router.post("/users", status_code=201)
def create_user(request: UserCreateRequest, by: Inviter, services: Services) -> UserResponse:
    """Add a person. Without roles they get Standard; without a password they are pending until they accept."""
    wanted, roles = request.data.attributes, request.data.relationships.roles
    user = services.access.users.create(
        wanted.email,
        by,
        name=wanted.name or "",
        title=wanted.title,
        role_ids=None if roles is None else [role.id for role in roles.data],
        password=wanted.password,
    )
    return user_response(user, services)


@router.get("/users/{user_id}")
def get_user(user_id: str, by: Reader, services: Services) -> UserResponse:
    """One person with their roles."""
    return user_response(services.access.users.get(user_id), services)


@router.patch("/users/{user_id}", responses={422: {"description": "The body's id is not the path's"}})
def update_user(user_id: str, request: UserUpdateRequest, by: Manager, services: Services) -> UserResponse:
    """Change name, e-mail or title; disable or enable."""
    if request.data.id.lower() != user_id.lower():
        services.access.users.get(user_id)  # an unknown id is 404 before it is a mismatch
        raise Unprocessable("data.id: is not the id of the path")
    change = request.data.attributes
    user = services.access.users.update(
        user_id, by, name=change.name, email=change.email, title=_title(change), is_disabled=change.disabled
    )
    return user_response(user, services)


@router.delete("/users/{user_id}", status_code=204)
def disable_user(user_id: str, by: Manager, services: Services) -> None:
    """Disable a person: sessions and application keys end. Nobody is ever deleted."""
    services.access.users.disable(user_id, by)


@router.put("/users/{user_id}/password", status_code=204)
def set_password(user_id: str, request: PasswordRequest, by: Manager, services: Services) -> None:
    """Give somebody a password; all their sessions end."""
    services.access.users.set_password(user_id, request.data.attributes.password, by)


@router.delete("/users/{user_id}/invitations", status_code=204)
def delete_user_invitations(user_id: str, by: Inviter, services: Services) -> None:
    """Take back a person's open invitations."""
    services.access.users.withdraw_invitations(user_id, by)


@router.get("/users/{user_id}/permissions")
def list_user_permissions(user_id: str, by: Reader, services: Services) -> PermissionsResponse:
    """What a person may do: the union of their roles."""
    return PermissionsResponse.of(services.access.users.permissions(user_id))


@router.get("/users/{user_id}/orgs")
def list_user_organisations(user_id: str, by: Reader, services: Services) -> UserResponse:
    """A person with their organisation, of which there is one."""
    user = services.access.users.get(user_id)
    organisation = services.access.organisation
    there = OrganisationResource(id=organisation, attributes={"name": "Tocsin", "public_id": organisation})
    return UserResponse(data=UserResource.of(user, organisation), included=[there])


@router.get("/current_user")
def get_current_user(by: Anyone, services: Services) -> UserResponse:
    """Who asks, with roles and with the permissions that hold for this request."""
    response = user_response(services.access.users.get(by.user_uuid), services)
    response.included += [PermissionResource.of(PERMISSIONS[name]) for name in PERMISSIONS if by.may(name)]
    return response


@router.patch("/current_user", responses={422: {"description": "The body's id is not that of the one who asks"}})
def update_current_user(request: UserUpdateRequest, by: Anyone, services: Services) -> UserResponse:
    """Change one's own name and title; an e-mail address is changed by those who manage users."""
    if request.data.id.lower() != by.user_uuid:
        raise Unprocessable("data.id: is not yours")
    change = request.data.attributes
    user = services.access.users.update(by.user_uuid, by, name=change.name, title=_title(change))
    return user_response(user, services)


@router.put("/current_user/password", status_code=204)
def change_own_password(body: OwnPasswordRequest, by: Anyone, request: Request, services: Services) -> None:
    """A new password for oneself; all other sessions end."""
    wanted = body.data.attributes
    kept = request.cookies.get(session_cookie(request)) if by.kind == "user" else None
    services.access.users.change_own_password(by, wanted.current_password, wanted.password, keep_session=kept)


@router.post("/user_invitations", status_code=201)
def invite_users(request: InvitationsRequest, by: Inviter, services: Services) -> InvitationsResponse:
    """Make tokens by which people choose their password; hand each to its person as a link."""
    made = services.access.users.invite([item.relationships.user.data.id for item in request.data], by)
    return InvitationsResponse(data=[InvitationResource.of(invitation) for invitation in made])


@router.post("/user_invitations/accept", status_code=204, dependencies=[Depends(public())])
def accept_invitation(request: AcceptRequest, services: Services) -> None:
    """Choose a password with the token of an invitation, which works once."""
    services.access.users.accept(request.data.attributes.token, request.data.attributes.password)


@router.get("/user_invitations/{invitation_id}")
def get_invitation(invitation_id: str, by: Inviter, services: Services) -> InvitationResponse:
    """An invitation that is still open."""
    return InvitationResponse(data=InvitationResource.of(services.access.users.invitation(invitation_id)))


def user_response(user: User, services: Tocsin) -> UserResponse:
    """One person with their roles beside them."""
    roles = services.access.roles.named(user.role_uuids)
    return UserResponse(
        data=UserResource.of(user, services.access.organisation), included=[RoleResource.of(role) for role in roles]
    )


def users_response(page: Page[User], services: Tocsin) -> UsersResponse:
    """A page of people with their roles beside them."""
    roles = services.access.roles.named({uuid for user in page.items for uuid in user.role_uuids})
    return UsersResponse(
        data=[UserResource.of(user, services.access.organisation) for user in page.items],
        included=[RoleResource.of(role) for role in roles],
        meta=PageMeta(page=Totals(total_count=page.total, total_filtered_count=page.filtered)),
    )


def _title(change: UserChange) -> str | None:
    """The title to store: empty to remove it (null in the body), None to leave it as it is (absent)."""
    return "" if change.title is None and "title" in change.model_fields_set else change.title


def _sort_field(name: str) -> str:
    return {"last_login_time": "last_login_at", "handle": "email"}.get(name, name)
