"""Critical assets."""

import sqlalchemy as sa
from alembic import op

revision = "0011_critical_assets"
down_revision = "0010_jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of critical assets."""
    op.create_table(
        "critical_assets",
        sa.Column("id", sa.String(32)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_critical_assets"),
    )
