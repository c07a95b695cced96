"""People, roles and keys in the state store. Secrets are stored as hashes only."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, String, Table, Text

from tocsin.store.tables import Milliseconds, Uuid, metadata

users = Table(
    "users",
    metadata,
    Column("uuid", Uuid, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("email", String(320), nullable=False, unique=True),
    Column("name", String(256), nullable=False),
    Column("title", String(256)),
    Column("password_hash", Text),
    Column("is_disabled", Boolean, nullable=False),
    Column("created_at", Milliseconds, nullable=False),
    Column("modified_at", Milliseconds, nullable=False),
    Column("last_login_at", Milliseconds),
)
"""`number` is the integer id that signals use for their assignee; users are never deleted, so it is never reused."""

roles = Table(
    "roles",
    metadata,
    Column("uuid", Uuid, primary_key=True),
    Column("name", String(256), nullable=False, unique=True),
    Column("builtin", String(32), unique=True),
    Column("created_at", Milliseconds, nullable=False),
    Column("modified_at", Milliseconds, nullable=False),
)
"""`builtin` names a role that is shipped and cannot be changed; null for custom roles."""

role_permissions = Table(
    "role_permissions",
    metadata,
    Column("role_uuid", Uuid, ForeignKey("roles.uuid", ondelete="CASCADE"), primary_key=True),
    Column("permission", String(96), primary_key=True),
)

user_roles = Table(
    "user_roles",
    metadata,
    Column("user_uuid", Uuid, ForeignKey("users.uuid"), primary_key=True),
    Column("role_uuid", Uuid, ForeignKey("roles.uuid", ondelete="CASCADE"), primary_key=True, index=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user_uuid", Uuid, ForeignKey("users.uuid"), nullable=False, index=True),
    Column("created_at", Milliseconds, nullable=False),
    Column("last_seen_at", Milliseconds, nullable=False),
    Column("expires_at", Milliseconds, nullable=False, index=True),
)
"""`expires_at` is the absolute end; the idle end follows from `last_seen_at` and the setting."""

invitations = Table(
    "invitations",
    metadata,
    Column("uuid", Uuid, primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("user_uuid", Uuid, ForeignKey("users.uuid"), nullable=False, index=True),
    Column("created_at", Milliseconds, nullable=False),
    Column("expires_at", Milliseconds, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("uuid", Uuid, primary_key=True),
    Column("name", String(256), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("last4", String(4), nullable=False),
    Column("category", String(64), nullable=False),
    Column("is_remote_config_enabled", Boolean, nullable=False),
    Column("created_by", Uuid, ForeignKey("users.uuid")),
    Column("modified_by", Uuid, ForeignKey("users.uuid")),
    Column("created_at", Milliseconds, nullable=False),
    Column("modified_at", Milliseconds, nullable=False),
    Column("last_used_at", Milliseconds),
)

application_keys = Table(
    "application_keys",
    metadata,
    Column("uuid", Uuid, primary_key=True),
    Column("name", String(256), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("last4", String(4), nullable=False),
    Column("user_uuid", Uuid, ForeignKey("users.uuid"), nullable=False, index=True),
    Column("scopes", JSON(none_as_null=True)),
    Column("created_at", Milliseconds, nullable=False),
    Column("last_used_at", Milliseconds),
)
"""`scopes`: permission names, or null for all permissions of the owner."""

restriction_policies = Table(
    "restriction_policies",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("resource_id", String(64), primary_key=True),
    Column("bindings", JSON, nullable=False),
)
"""Who may change a single rule or suppression (`restrictions`); no row for what is not restricted."""
