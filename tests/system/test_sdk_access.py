"""The released client of Datadog's API, host changed, nothing patched: users, roles, permissions, keys, validate."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from api_server import ADMIN, API_KEY, APP_KEY, Api
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException, ForbiddenException, NotFoundException
from datadog_api_client.model_utils import OpenApiModel, UnparsedObject
from datadog_api_client.v1.api.authentication_api import AuthenticationApi as AuthenticationV1
from datadog_api_client.v2.api.key_management_api import KeyManagementApi
from datadog_api_client.v2.api.roles_api import RolesApi
from datadog_api_client.v2.api.users_api import UsersApi
from datadog_api_client.v2.model.api_key_create_attributes import APIKeyCreateAttributes
from datadog_api_client.v2.model.api_key_create_data import APIKeyCreateData
from datadog_api_client.v2.model.api_key_create_request import APIKeyCreateRequest
from datadog_api_client.v2.model.api_key_update_attributes import APIKeyUpdateAttributes
from datadog_api_client.v2.model.api_key_update_data import APIKeyUpdateData
from datadog_api_client.v2.model.api_key_update_request import APIKeyUpdateRequest
from datadog_api_client.v2.model.api_keys_sort import APIKeysSort
from datadog_api_client.v2.model.api_keys_type import APIKeysType
from datadog_api_client.v2.model.application_key_create_attributes import ApplicationKeyCreateAttributes
from datadog_api_client.v2.model.application_key_create_data import ApplicationKeyCreateData
from datadog_api_client.v2.model.application_key_create_request import ApplicationKeyCreateRequest
from datadog_api_client.v2.model.application_key_update_attributes import ApplicationKeyUpdateAttributes
from datadog_api_client.v2.model.application_key_update_data import ApplicationKeyUpdateData
from datadog_api_client.v2.model.application_key_update_request import ApplicationKeyUpdateRequest
from datadog_api_client.v2.model.application_keys_type import ApplicationKeysType
from datadog_api_client.v2.model.permissions_type import PermissionsType
from datadog_api_client.v2.model.query_sort_order import QuerySortOrder
from datadog_api_client.v2.model.relationship_to_permission import RelationshipToPermission
from datadog_api_client.v2.model.relationship_to_permission_data import RelationshipToPermissionData
from datadog_api_client.v2.model.relationship_to_permissions import RelationshipToPermissions
from datadog_api_client.v2.model.relationship_to_role_data import RelationshipToRoleData
from datadog_api_client.v2.model.relationship_to_roles import RelationshipToRoles
from datadog_api_client.v2.model.relationship_to_user import RelationshipToUser
from datadog_api_client.v2.model.relationship_to_user_data import RelationshipToUserData
from datadog_api_client.v2.model.role_clone import RoleClone
from datadog_api_client.v2.model.role_clone_attributes import RoleCloneAttributes
from datadog_api_client.v2.model.role_clone_request import RoleCloneRequest
from datadog_api_client.v2.model.role_create_attributes import RoleCreateAttributes
from datadog_api_client.v2.model.role_create_data import RoleCreateData
from datadog_api_client.v2.model.role_create_request import RoleCreateRequest
from datadog_api_client.v2.model.role_relationships import RoleRelationships
from datadog_api_client.v2.model.role_update_attributes import RoleUpdateAttributes
from datadog_api_client.v2.model.role_update_data import RoleUpdateData
from datadog_api_client.v2.model.role_update_request import RoleUpdateRequest
from datadog_api_client.v2.model.roles_sort import RolesSort
from datadog_api_client.v2.model.roles_type import RolesType
from datadog_api_client.v2.model.user_create_attributes import UserCreateAttributes
from datadog_api_client.v2.model.user_create_data import UserCreateData
from datadog_api_client.v2.model.user_create_request import UserCreateRequest
from datadog_api_client.v2.model.user_invitation_data import UserInvitationData
from datadog_api_client.v2.model.user_invitation_relationships import UserInvitationRelationships
from datadog_api_client.v2.model.user_invitations_request import UserInvitationsRequest
from datadog_api_client.v2.model.user_invitations_type import UserInvitationsType
from datadog_api_client.v2.model.user_relationships import UserRelationships
from datadog_api_client.v2.model.user_update_attributes import UserUpdateAttributes
from datadog_api_client.v2.model.user_update_data import UserUpdateData
from datadog_api_client.v2.model.user_update_request import UserUpdateRequest
from datadog_api_client.v2.model.users_type import UsersType

NOBODY = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(scope="module")
def client(api: Api) -> Iterator[ApiClient]:
    configuration = Configuration(host=api.url)
    configuration.api_key["apiKeyAuth"] = API_KEY
    configuration.api_key["appKeyAuth"] = APP_KEY
    with ApiClient(configuration) as client:
        yield client


def parsed(answer: Any) -> Any:
    """The answer, after looking at every part of it: the client keeps what it cannot read as `UnparsedObject`."""
    if isinstance(answer, UnparsedObject):
        pytest.fail(f"the client could not read {answer}")
    if isinstance(answer, OpenApiModel):
        assert not getattr(answer, "_unparsed", False), f"the client could not read a part of {answer}"
        for value in getattr(answer, "_data_store", {}).values():
            parsed(value)
    elif isinstance(answer, list):
        for value in answer:
            parsed(value)
    return answer


def test_validate(client: ApiClient) -> None:
    assert parsed(AuthenticationV1(client).validate()).valid
    keys = KeyManagementApi(client)
    assert parsed(keys.validate_api_key()).status.value == "ok"
    client.configuration.unstable_operations["validate"] = True  # the client's own switch for young operations
    with pytest.warns(UserWarning, match="unstable"):
        known = parsed(keys.validate()).data
    assert known.attributes.valid
    assert known.attributes.api_key_id in [key.id for key in keys.list_api_keys().data]


def test_current_user(client: ApiClient) -> None:
    users = UsersApi(client)
    me = parsed(users.get_current_user()).data
    assert me.attributes.email == ADMIN
    change = UserUpdateAttributes(name="The administrator", title="Boss")
    update = UserUpdateRequest(data=UserUpdateData(id=me.id, type=UsersType.USERS, attributes=change))
    assert parsed(users.update_current_user(update)).data.attributes.title == "Boss"
    update.data.attributes = UserUpdateAttributes(title=None)
    changed = parsed(users.update_current_user(update)).data.attributes
    assert (changed.name, changed.title) == ("The administrator", None)


def test_users(client: ApiClient) -> None:
    users, roles = UsersApi(client), RolesApi(client)
    standard = next(role for role in parsed(roles.list_roles(filter="Standard")).data)
    wanted = UserCreateRequest(
        data=UserCreateData(
            type=UsersType.USERS,
            attributes=UserCreateAttributes(email="SDK@Example.com", name="Sam", title="Analyst"),
            relationships=UserRelationships(
                roles=RelationshipToRoles(data=[RelationshipToRoleData(id=standard.id, type=RolesType.ROLES)])
            ),
        )
    )
    made = parsed(users.create_user(wanted)).data
    assert made.attributes.email == made.attributes.handle == "sdk@example.com"
    assert made.attributes.status == "Pending"
    assert [role.id for role in made.relationships.roles.data] == [standard.id]
    assert parsed(users.get_user(made.id)).included[0].attributes.name == "Standard"

    invitation = parsed(
        users.send_invitations(
            UserInvitationsRequest(
                data=[
                    UserInvitationData(
                        type=UserInvitationsType.USER_INVITATIONS,
                        relationships=UserInvitationRelationships(
                            user=RelationshipToUser(data=RelationshipToUserData(id=made.id, type=UsersType.USERS))
                        ),
                    )
                ]
            )
        )
    ).data[0]
    assert parsed(users.get_invitation(invitation.id)).data.attributes.expires_at > invitation.attributes.created_at

    assert users.delete_user_invitations(UUID(made.id)) is None
    with pytest.raises(NotFoundException):
        users.get_invitation(invitation.id)

    found = parsed(users.list_users(filter="sdk@", filter_status="Pending", sort="name", sort_dir=QuerySortOrder.DESC))
    assert [user.id for user in found.data] == [made.id]
    assert found.meta.page.total_filtered_count == 1
    assert made.id in [user.id for user in users.list_users_with_pagination(page_size=1)]

    change = UserUpdateAttributes(name="Sam B.", title=None, disabled=True)
    update = UserUpdateRequest(data=UserUpdateData(id=made.id, type=UsersType.USERS, attributes=change))
    changed = parsed(users.update_user(made.id, update)).data.attributes
    assert (changed.name, changed.disabled, changed.status) == ("Sam B.", True, "Disabled")
    permissions = parsed(users.list_user_permissions(made.id)).data
    assert "logs_read_data" in [permission.attributes.name for permission in permissions]
    assert parsed(users.list_user_organizations(made.id)).data.id == made.id
    assert users.disable_user(made.id) is None
    with pytest.raises(NotFoundException) as missing:
        users.get_user(NOBODY)
    assert missing.value.body["errors"] == [f"{NOBODY} not found"]
    update.data.id = NOBODY
    with pytest.raises(ApiException) as mismatch:
        users.update_user(made.id, update)
    assert mismatch.value.status == 422


def test_roles_and_permissions(client: ApiClient) -> None:
    roles = RolesApi(client)
    permissions = {p.attributes.name: p for p in parsed(roles.list_permissions()).data}
    assert permissions["security_monitoring_signals_write"].attributes.display_type == "write"

    def some(*names: str) -> RelationshipToPermissions:
        return RelationshipToPermissions(
            data=[
                RelationshipToPermissionData(id=permissions[name].id, type=PermissionsType.PERMISSIONS)
                for name in names
            ]
        )

    made = parsed(
        roles.create_role(
            RoleCreateRequest(
                data=RoleCreateData(
                    type=RolesType.ROLES,
                    attributes=RoleCreateAttributes(name="SDK role"),
                    relationships=RoleRelationships(permissions=some("logs_read_data", "cases_read")),
                )
            )
        )
    ).data
    held = {p.id for p in made.relationships.permissions.data}
    assert {permissions["logs_read_data"].id, permissions["cases_read"].id} <= held
    assert parsed(roles.get_role(made.id)).data.attributes.user_count == 0
    update = RoleUpdateRequest(
        data=RoleUpdateData(
            id=made.id,
            type=RolesType.ROLES,
            attributes=RoleUpdateAttributes(name="SDK role 2"),
            relationships=RoleRelationships(permissions=some("cases_read")),
        )
    )
    changed = parsed(roles.update_role(made.id, update)).data
    assert changed.attributes.name == "SDK role 2"
    assert permissions["logs_read_data"].id not in {p.id for p in changed.relationships.permissions.data}
    one = RelationshipToPermission(
        data=RelationshipToPermissionData(id=permissions["apm_read"].id, type=PermissionsType.PERMISSIONS)
    )
    with pytest.raises(ApiException):
        roles.remove_permission_from_role(made.id, one)
    one.data.id = permissions["workflows_run"].id
    assert "workflows_run" in [p.attributes.name for p in parsed(roles.add_permission_to_role(made.id, one)).data]
    remaining = parsed(roles.remove_permission_from_role(made.id, one)).data
    assert "workflows_run" not in [p.attributes.name for p in remaining]
    assert len(parsed(roles.list_role_permissions(made.id)).data) == len(remaining)

    admin = next(iter(UsersApi(client).list_users(filter=ADMIN).data))
    member = RelationshipToUser(data=RelationshipToUserData(id=admin.id, type=UsersType.USERS))
    assert [user.id for user in parsed(roles.add_user_to_role(made.id, member)).data] == [admin.id]
    assert [user.id for user in parsed(roles.list_role_users(made.id)).data] == [admin.id]
    assert parsed(roles.remove_user_from_role(made.id, member)).data == []

    clone = RoleCloneRequest(
        data=RoleClone(type=RolesType.ROLES, attributes=RoleCloneAttributes(name="SDK role, cloned"))
    )
    cloned = parsed(roles.clone_role(made.id, clone)).data
    with pytest.raises(ApiException) as taken:
        roles.clone_role(made.id, clone)
    assert taken.value.status == 409
    listed = parsed(roles.list_roles(page_size=100, sort=RolesSort.NAME_DESCENDING, filter="SDK"))
    assert [role.attributes.name for role in listed.data] == ["SDK role, cloned", "SDK role 2"]
    assert [role.id for role in parsed(roles.list_roles(filter_id=cloned.id)).data] == [cloned.id]
    assert listed.meta.page.total_filtered_count == 2
    for role in (made, cloned):
        assert roles.delete_role(role.id) is None
    shipped = parsed(roles.list_roles(filter="Admin")).data[0]
    with pytest.raises(ForbiddenException):
        roles.delete_role(shipped.id)


def test_api_keys(client: ApiClient, api: Api) -> None:
    keys = KeyManagementApi(client)
    wanted = APIKeyCreateRequest(
        data=APIKeyCreateData(type=APIKeysType.API_KEYS, attributes=APIKeyCreateAttributes(name="SDK key"))
    )
    made = parsed(keys.create_api_key(wanted)).data
    assert len(made.attributes.key) == 32
    known = parsed(keys.get_api_key(made.id, include="created_by,modified_by"))
    assert known.data.attributes.last4 == made.attributes.key[-4:]
    assert not hasattr(known.data.attributes, "key"), "a value is shown once"
    assert known.included[0].attributes.email == ADMIN
    renamed = APIKeyUpdateRequest(
        data=APIKeyUpdateData(
            id=made.id, type=APIKeysType.API_KEYS, attributes=APIKeyUpdateAttributes(name="SDK key 2")
        )
    )
    assert parsed(keys.update_api_key(made.id, renamed)).data.attributes.name == "SDK key 2"
    listed = parsed(keys.list_api_keys(sort=APIKeysSort.CREATED_AT_DESCENDING, filter="SDK", page_size=5))
    assert [key.id for key in listed.data] == [made.id]
    assert listed.meta.page.total_filtered_count == 1
    assert keys.delete_api_key(made.id) is None
    with pytest.raises(NotFoundException) as missing:
        keys.get_api_key(made.id)
    assert missing.value.body["errors"] == ["API key not found"]


def test_application_keys(client: ApiClient) -> None:
    keys = KeyManagementApi(client)
    wanted = ApplicationKeyCreateRequest(
        data=ApplicationKeyCreateData(
            type=ApplicationKeysType.APPLICATION_KEYS,
            attributes=ApplicationKeyCreateAttributes(name="SDK key", scopes=["user_app_keys", "logs_read_data"]),
        )
    )
    made = parsed(keys.create_current_user_application_key(wanted)).data
    assert len(made.attributes.key) == 40
    assert made.attributes.scopes == ["user_app_keys", "logs_read_data"]
    known = parsed(keys.get_current_user_application_key(made.id)).data
    assert known.attributes.last4 == made.attributes.key[-4:]
    assert not hasattr(known.attributes, "key"), "a value is shown once"
    change = ApplicationKeyUpdateRequest(
        data=ApplicationKeyUpdateData(
            id=made.id,
            type=ApplicationKeysType.APPLICATION_KEYS,
            attributes=ApplicationKeyUpdateAttributes(name="SDK key 2", scopes=None),
        )
    )
    changed = parsed(keys.update_current_user_application_key(made.id, change)).data
    assert (changed.attributes.name, changed.attributes.scopes) == ("SDK key 2", None)
    assert made.id in [key.id for key in parsed(keys.list_current_user_application_keys(filter="SDK")).data]
    everyones = parsed(keys.list_application_keys(filter="SDK"))
    assert everyones.data[0].relationships.owned_by.data.type.value == "users"
    assert parsed(keys.get_application_key(made.id, include="owned_by")).included[0].attributes.email == ADMIN
    change.data.attributes.name = "SDK key 3"
    assert parsed(keys.update_application_key(made.id, change)).data.attributes.name == "SDK key 3"
    assert keys.delete_application_key(made.id) is None
    with pytest.raises(NotFoundException) as missing:
        keys.delete_current_user_application_key(made.id)
    assert missing.value.body["errors"] == ["Application key not found"]


def test_wrong_keys(api: Api) -> None:
    configuration = Configuration(host=api.url)
    configuration.api_key["apiKeyAuth"] = "f" * 32
    configuration.api_key["appKeyAuth"] = APP_KEY
    with ApiClient(configuration) as client:
        with pytest.raises(ForbiddenException):
            UsersApi(client).list_users()
        with pytest.raises(ForbiddenException):
            AuthenticationV1(client).validate()
