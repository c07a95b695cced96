"""Historical jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0010_jobs"
down_revision = "0009_suppressions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of historical jobs."""
    op.create_table(
        "historical_jobs",
        sa.Column("id", sa.String(36)),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("definition", sa.JSON, nullable=False),
        sa.Column("rule", sa.JSON, nullable=False),
        sa.Column("rule_id", sa.String(32)),
        sa.Column("signal_output", sa.Boolean, nullable=False),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("signals", sa.BigInteger, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
        sa.Column("created_by_handle", sa.Text, nullable=False),
        sa.Column("created_by_name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_historical_jobs"),
    )
    op.create_index("ix_historical_jobs_status_created_at", "historical_jobs", ["status", "created_at"])
