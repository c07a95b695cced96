"""The outbox, leases and settings; people, roles, keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001_access"
down_revision = None
branch_labels = None
depends_on = None

Uuid = sa.String(36)
AutoId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the first tables."""
    _store()
    _people()
    _keys()


def _store() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", AutoId, autoincrement=True),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("key", sa.String(256), nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("last_error", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_topic_id", "outbox", ["topic", "id"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(128)),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.String(128)),
        sa.Column("value", sa.JSON, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_settings"),
    )


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("uuid", Uuid),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("title", sa.String(256)),
        sa.Column("password_hash", sa.Text),
        sa.Column("is_disabled", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
        sa.Column("last_login_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("uuid", name="pk_users"),
        sa.UniqueConstraint("number", name="uq_users_number"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_table(
        "roles",
        sa.Column("uuid", Uuid),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("builtin", sa.String(32)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("uuid", name="pk_roles"),
        sa.UniqueConstraint("name", name="uq_roles_name"),
        sa.UniqueConstraint("builtin", name="uq_roles_builtin"),
    )
    op.create_table(
        "role_permissions",
        sa.Column(
            "role_uuid",
            Uuid,
            sa.ForeignKey("roles.uuid", name="fk_role_permissions_role_uuid_roles", ondelete="CASCADE"),
        ),
        sa.Column("permission", sa.String(96)),
        sa.PrimaryKeyConstraint("role_uuid", "permission", name="pk_role_permissions"),
    )
    op.create_table(
        "user_roles",
        sa.Column("user_uuid", Uuid, sa.ForeignKey("users.uuid", name="fk_user_roles_user_uuid_users")),
        sa.Column(
            "role_uuid", Uuid, sa.ForeignKey("roles.uuid", name="fk_user_roles_role_uuid_roles", ondelete="CASCADE")
        ),
        sa.PrimaryKeyConstraint("user_uuid", "role_uuid", name="pk_user_roles"),
    )
    op.create_index("ix_user_roles_role_uuid", "user_roles", ["role_uuid"])
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(64)),
        sa.Column("user_uuid", Uuid, sa.ForeignKey("users.uuid", name="fk_sessions_user_uuid_users"), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_seen_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sessions"),
    )
    op.create_index("ix_sessions_user_uuid", "sessions", ["user_uuid"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "invitations",
        sa.Column("uuid", Uuid),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column(
            "user_uuid", Uuid, sa.ForeignKey("users.uuid", name="fk_invitations_user_uuid_users"), nullable=False
        ),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("uuid", name="pk_invitations"),
        sa.UniqueConstraint("token_hash", name="uq_invitations_token_hash"),
    )
    op.create_index("ix_invitations_user_uuid", "invitations", ["user_uuid"])


def _keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("uuid", Uuid),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("last4", sa.String(4), nullable=False),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("is_remote_config_enabled", sa.Boolean, nullable=False),
        sa.Column("created_by", Uuid, sa.ForeignKey("users.uuid", name="fk_api_keys_created_by_users")),
        sa.Column("modified_by", Uuid, sa.ForeignKey("users.uuid", name="fk_api_keys_modified_by_users")),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("uuid", name="pk_api_keys"),
        sa.UniqueConstraint("key_hash", name="uq_api_keys_key_hash"),
    )
    op.create_table(
        "application_keys",
        sa.Column("uuid", Uuid),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("last4", sa.String(4), nullable=False),
        sa.Column(
            "user_uuid", Uuid, sa.ForeignKey("users.uuid", name="fk_application_keys_user_uuid_users"), nullable=False
        ),
        sa.Column("scopes", sa.JSON),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("uuid", name="pk_application_keys"),
        sa.UniqueConstraint("key_hash", name="uq_application_keys_key_hash"),
    )
    op.create_index("ix_application_keys_user_uuid", "application_keys", ["user_uuid"])
