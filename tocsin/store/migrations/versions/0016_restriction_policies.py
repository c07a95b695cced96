"""Restriction policies."""

import sqlalchemy as sa
from alembic import op

revision = "0016_restriction_policies"
down_revision = "0015_content_packs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of who may change a single rule or suppression."""
    op.create_table(
        "restriction_policies",
        sa.Column("kind", sa.String(32)),
        sa.Column("resource_id", sa.String(64)),
        sa.Column("bindings", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("kind", "resource_id", name="pk_restriction_policies"),
    )
