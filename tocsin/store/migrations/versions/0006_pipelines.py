"""Pipelines."""

import sqlalchemy as sa
from alembic import op

revision = "0006_pipelines"
down_revision = "0005_intake"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of pipelines."""
    op.create_table(
        "pipelines",
        sa.Column("id", sa.String(64)),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("is_enabled", sa.Boolean, nullable=False),
        sa.Column("body", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="pk_pipelines"),
    )
