"""Content packs and sample logs."""

import sqlalchemy as sa
from alembic import op

revision = "0015_content_packs"
down_revision = "0014_hunted_indicators"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of decisions about content packs and of subscriptions to sample logs."""
    op.create_table(
        "content_packs",
        sa.Column("id", sa.String(64)),
        sa.Column("activation", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("switched_off", sa.JSON, nullable=False),
        sa.Column("rules", sa.JSON, nullable=False),
        sa.Column("filter_id", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_content_packs"),
    )
    op.create_table(
        "sample_log_subscriptions",
        sa.Column("id", sa.String(36)),
        sa.Column("pack_id", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("sent_until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sample_log_subscriptions"),
    )
    op.create_index("ix_sample_log_subscriptions_expires_at", "sample_log_subscriptions", ["expires_at"])
