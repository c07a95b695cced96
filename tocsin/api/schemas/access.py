"""Users, roles, permissions and keys as JSON:API resources (api.md §13)."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from tocsin.access.invitations import Invitation
from tocsin.access.keys import ApiKey, ApplicationKey
from tocsin.access.people import User
from tocsin.access.permissions import CATALOGUE_SINCE, PERMISSIONS, Permission
from tocsin.access.roles import Role
from tocsin.api.paging import maybe_timestamp, timestamp

Name = Annotated[str, Field(max_length=256)]
Uuid = Annotated[str, Field(max_length=64)]


class Identifier(BaseModel):
    id: str
    type: str


class One(BaseModel):
    data: Identifier


class Many(BaseModel):
    data: list[Identifier]


# Permissions


class PermissionAttributes(BaseModel):
    name: str
    display_name: str
    display_type: Literal["read", "write", "other"]
    description: str
    group_name: str
    created: str
    restricted: bool


class PermissionResource(BaseModel):
    id: str
    type: Literal["permissions"] = "permissions"
    attributes: PermissionAttributes

    @classmethod
    def of(cls, permission: Permission) -> "PermissionResource":
        return cls(
            id=permission.id,
            attributes=PermissionAttributes(
                name=permission.name,
                display_name=permission.display_name,
                display_type=permission.kind,  # type: ignore[arg-type]
                description=permission.description,
                group_name=permission.group,
                created=timestamp(CATALOGUE_SINCE),
                restricted=permission.is_restricted,
            ),
        )


class PermissionsResponse(BaseModel):
    data: list[PermissionResource]

    @classmethod
    def of(cls, names: Iterable[str]) -> "PermissionsResponse":
        held = set(names)
        return cls(data=[PermissionResource.of(PERMISSIONS[name]) for name in PERMISSIONS if name in held])


# Roles


class RoleAttributes(BaseModel):
    name: str
    created_at: str
    modified_at: str
    user_count: int


class RoleRelationships(BaseModel):
    permissions: Many


class RoleResource(BaseModel):
    id: str
    type: Literal["roles"] = "roles"
    attributes: RoleAttributes
    relationships: RoleRelationships

    @classmethod
    def of(cls, role: Role) -> "RoleResource":
        return cls(
            id=role.uuid,
            attributes=RoleAttributes(
                name=role.name,
                created_at=timestamp(role.created_at),
                modified_at=timestamp(role.modified_at),
                user_count=role.user_count,
            ),
            relationships=RoleRelationships(
                permissions=Many(
                    data=[Identifier(id=PERMISSIONS[name].id, type="permissions") for name in role.permissions]
                )
            ),
        )


class RoleResponse(BaseModel):
    data: RoleResource


class Totals(BaseModel):
    total_count: int
    total_filtered_count: int


class PageMeta(BaseModel):
    page: Totals


class RolesResponse(BaseModel):
    data: list[RoleResource]
    meta: PageMeta


class RoleTemplateAttributes(BaseModel):
    name: str
    description: str


class RoleTemplate(BaseModel):
    id: str
    type: Literal["roles"] = "roles"
    attributes: RoleTemplateAttributes


class RoleTemplates(BaseModel):
    data: list[RoleTemplate]


class PermissionsRelationship(BaseModel):
    permissions: Many | None = None


class RoleName(BaseModel):
    name: Name


class RoleCreate(BaseModel):
    type: Literal["roles"] = "roles"
    attributes: RoleName
    relationships: PermissionsRelationship = PermissionsRelationship()


class RoleCreateRequest(BaseModel):
    data: RoleCreate


class RoleChange(BaseModel):
    name: Name | None = None


class RoleUpdate(BaseModel):
    id: Uuid
    type: Literal["roles"]
    attributes: RoleChange
    relationships: PermissionsRelationship = PermissionsRelationship()


class RoleUpdateRequest(BaseModel):
    data: RoleUpdate


class RoleClone(BaseModel):
    type: Literal["roles"]
    attributes: RoleName


class RoleCloneRequest(BaseModel):
    data: RoleClone


class PermissionIdentifier(BaseModel):
    id: Uuid
    type: Literal["permissions"]


class PermissionRequest(BaseModel):
    data: PermissionIdentifier


class UserIdentifier(BaseModel):
    id: Uuid
    type: Literal["users"]


class UserRequest(BaseModel):
    data: UserIdentifier


# Users


class UserAttributes(BaseModel):
    uuid: str
    name: str | None
    email: str
    handle: str
    icon: str
    title: str | None
    status: Literal["Active", "Pending", "Disabled"]
    disabled: bool
    verified: bool
    service_account: bool = False
    mfa_enabled: bool = False
    created_at: str
    modified_at: str
    last_login_time: str | None
    user_id: int


class UserRelationships(BaseModel):
    roles: Many
    org: One


class UserResource(BaseModel):
    """`user_id` is ours: the integer id of signals' assignees."""

    id: str
    type: Literal["users"] = "users"
    attributes: UserAttributes
    relationships: UserRelationships

    @classmethod
    def of(cls, user: User, organisation: str) -> "UserResource":
        return cls(
            id=user.uuid,
            attributes=UserAttributes(
                uuid=user.uuid,
                name=user.name or None,
                email=user.email,
                handle=user.email,
                icon="",
                title=user.title,
                status=user.status,  # type: ignore[arg-type]
                disabled=user.is_disabled,
                verified=user.status == "Active",
                created_at=timestamp(user.created_at),
                modified_at=timestamp(user.modified_at),
                last_login_time=maybe_timestamp(user.last_login_at),
                user_id=user.number,
            ),
            relationships=UserRelationships(
                roles=Many(data=[Identifier(id=uuid, type="roles") for uuid in user.role_uuids]),
                org=One(data=Identifier(id=organisation, type="orgs")),
            ),
        )


class OrganisationResource(BaseModel):
    id: str
    type: Literal["orgs"] = "orgs"
    attributes: dict[str, Any]


class UserResponse(BaseModel):
    data: UserResource
    included: list[RoleResource | PermissionResource | OrganisationResource] = []


class UsersResponse(BaseModel):
    data: list[UserResource]
    included: list[RoleResource] = []
    meta: PageMeta


class RolesRelationship(BaseModel):
    roles: Many | None = None


class UserCreateAttributes(BaseModel):
    """`password` is ours; without one the user is pending until they accept an invitation."""

    email: Annotated[str, Field(max_length=320)]
    name: Name | None = None
    title: Name | None = None
    password: Annotated[str, Field(max_length=256)] | None = None


class UserCreate(BaseModel):
    type: Literal["users"]
    attributes: UserCreateAttributes
    relationships: RolesRelationship = RolesRelationship()


class UserCreateRequest(BaseModel):
    data: UserCreate


class UserChange(BaseModel):
    name: Name | None = None
    email: Annotated[str, Field(max_length=320)] | None = None
    title: Name | None = None
    disabled: bool | None = None


class UserUpdate(BaseModel):
    id: Uuid
    type: Literal["users"]
    attributes: UserChange


class UserUpdateRequest(BaseModel):
    data: UserUpdate


class NewPassword(BaseModel):
    password: Annotated[str, Field(max_length=256)]


class PasswordSet(BaseModel):
    type: Literal["passwords"]
    attributes: NewPassword


class PasswordRequest(BaseModel):
    data: PasswordSet


class OwnNewPassword(NewPassword):
    current_password: Annotated[str, Field(max_length=256)]


class OwnPasswordSet(BaseModel):
    type: Literal["passwords"]
    attributes: OwnNewPassword


class OwnPasswordRequest(BaseModel):
    data: OwnPasswordSet


# Invitations


class InvitationRelationships(BaseModel):
    user: UserRequest


class InvitationCreate(BaseModel):
    type: Literal["user_invitations"]
    relationships: InvitationRelationships


class InvitationsRequest(BaseModel):
    data: Annotated[list[InvitationCreate], Field(max_length=100)]


class InvitationAttributes(BaseModel):
    """`token` is ours and given at the creation only: it goes into the link for the invited person."""

    uuid: str
    invite_type: str = "password_invite"
    created_at: str
    expires_at: str
    token: str | None = None


class InvitationResource(BaseModel):
    id: str
    type: Literal["user_invitations"] = "user_invitations"
    attributes: InvitationAttributes
    relationships: dict[str, One]

    @classmethod
    def of(cls, invitation: Invitation) -> "InvitationResource":
        return cls(
            id=invitation.uuid,
            attributes=InvitationAttributes(
                uuid=invitation.uuid,
                created_at=timestamp(invitation.created_at),
                expires_at=timestamp(invitation.expires_at),
                token=invitation.token or None,
            ),
            relationships={"user": One(data=Identifier(id=invitation.user_uuid, type="users"))},
        )


class InvitationResponse(BaseModel):
    data: InvitationResource


class InvitationsResponse(BaseModel):
    data: list[InvitationResource]


class AcceptAttributes(NewPassword):
    token: Annotated[str, Field(max_length=200)]


class Accept(BaseModel):
    type: Literal["user_invitations"]
    attributes: AcceptAttributes


class AcceptRequest(BaseModel):
    data: Accept


# API keys


class ApiKeyAttributes(BaseModel):
    name: str
    last4: str
    category: str
    remote_config_read_enabled: bool
    created_at: str
    modified_at: str
    date_last_used: str | None


class ApiKeyRelationships(BaseModel):
    created_by: One | None = None
    modified_by: One | None = None


class ApiKeyResource(BaseModel):
    id: str
    type: Literal["api_keys"] = "api_keys"
    attributes: ApiKeyAttributes
    relationships: ApiKeyRelationships

    @classmethod
    def of(cls, key: ApiKey) -> "ApiKeyResource":
        return cls(
            id=key.uuid,
            attributes=ApiKeyAttributes(
                name=key.name,
                last4=key.last4,
                category=key.category,
                remote_config_read_enabled=key.is_remote_config_enabled,
                created_at=timestamp(key.created_at),
                modified_at=timestamp(key.modified_at),
                date_last_used=maybe_timestamp(key.last_used_at),
            ),
            relationships=ApiKeyRelationships(created_by=_user(key.created_by), modified_by=_user(key.modified_by)),
        )


class ApiKeyResponse(BaseModel):
    data: ApiKeyResource
    included: list[UserResource] = []


class NewApiKeyAttributes(ApiKeyAttributes):
    """With the key itself, in the answer to its creation only (decision 0031)."""

    key: str


class NewApiKeyResource(ApiKeyResource):
    attributes: NewApiKeyAttributes


class NewApiKeyResponse(BaseModel):
    data: NewApiKeyResource

    @classmethod
    def of(cls, key: ApiKey) -> "NewApiKeyResponse":
        known = ApiKeyResource.of(key)
        attributes = NewApiKeyAttributes(**known.attributes.model_dump(), key=key.key)
        return cls(data=NewApiKeyResource(id=known.id, attributes=attributes, relationships=known.relationships))


class KeyTotals(BaseModel):
    total_filtered_count: int


class ApiKeysMeta(BaseModel):
    max_allowed: int
    page: KeyTotals


class ApiKeysResponse(BaseModel):
    data: list[ApiKeyResource]
    included: list[UserResource] = []
    meta: ApiKeysMeta


class ApiKeyCreateAttributes(BaseModel):
    name: Name
    category: Annotated[str, Field(max_length=64)] = ""
    remote_config_read_enabled: bool = False


class ApiKeyCreate(BaseModel):
    type: Literal["api_keys"]
    attributes: ApiKeyCreateAttributes


class ApiKeyCreateRequest(BaseModel):
    data: ApiKeyCreate


class ApiKeyChange(BaseModel):
    name: Name
    category: Annotated[str, Field(max_length=64)] | None = None
    remote_config_read_enabled: bool | None = None


class ApiKeyUpdate(BaseModel):
    id: Uuid
    type: Literal["api_keys"]
    attributes: ApiKeyChange


class ApiKeyUpdateRequest(BaseModel):
    data: ApiKeyUpdate


# Application keys


class ApplicationKeyAttributes(BaseModel):
    name: str
    last4: str
    created_at: str
    last_used_at: str | None
    scopes: list[str] | None


class ApplicationKeyRelationships(BaseModel):
    owned_by: One


class ApplicationKeyResource(BaseModel):
    id: str
    type: Literal["application_keys"] = "application_keys"
    attributes: ApplicationKeyAttributes
    relationships: ApplicationKeyRelationships

    @classmethod
    def of(cls, key: ApplicationKey) -> "ApplicationKeyResource":
        return cls(
            id=key.uuid,
            attributes=ApplicationKeyAttributes(
                name=key.name,
                last4=key.last4,
                created_at=timestamp(key.created_at),
                last_used_at=maybe_timestamp(key.last_used_at),
                scopes=None if key.scopes is None else list(key.scopes),
            ),
            relationships=ApplicationKeyRelationships(owned_by=One(data=Identifier(id=key.user_uuid, type="users"))),
        )


class ApplicationKeyResponse(BaseModel):
    data: ApplicationKeyResource
    included: list[UserResource] = []


class NewApplicationKeyAttributes(ApplicationKeyAttributes):
    """With the key itself, in the answer to its creation only (decision 0031)."""

    key: str


class NewApplicationKeyResource(ApplicationKeyResource):
    attributes: NewApplicationKeyAttributes


class NewApplicationKeyResponse(BaseModel):
    data: NewApplicationKeyResource

    @classmethod
    def of(cls, key: ApplicationKey) -> "NewApplicationKeyResponse":
        known = ApplicationKeyResource.of(key)
        attributes = NewApplicationKeyAttributes(**known.attributes.model_dump(), key=key.key)
        return cls(
            data=NewApplicationKeyResource(id=known.id, attributes=attributes, relationships=known.relationships)
        )


class ApplicationKeysMeta(BaseModel):
    max_allowed_per_user: int
    page: KeyTotals


class ApplicationKeysResponse(BaseModel):
    data: list[ApplicationKeyResource]
    included: list[UserResource] = []
    meta: ApplicationKeysMeta


Scopes = Annotated[list[Annotated[str, Field(max_length=96)]], Field(max_length=200)]


class ApplicationKeyCreateAttributes(BaseModel):
    name: Name
    scopes: Scopes | None = None


class ApplicationKeyCreate(BaseModel):
    type: Literal["application_keys"]
    attributes: ApplicationKeyCreateAttributes


class ApplicationKeyCreateRequest(BaseModel):
    data: ApplicationKeyCreate


class ApplicationKeyChange(BaseModel):
    name: Name | None = None
    scopes: Scopes | None = None


class ApplicationKeyUpdate(BaseModel):
    id: Uuid
    type: Literal["application_keys"]
    attributes: ApplicationKeyChange


class ApplicationKeyUpdateRequest(BaseModel):
    data: ApplicationKeyUpdate


def _user(uuid: str | None) -> One | None:
    return One(data=Identifier(id=uuid, type="users")) if uuid else None
