"""Runs of scheduled rules."""

import sqlalchemy as sa
from alembic import op

revision = "0013_scheduled_runs"
down_revision = "0012_security_filters"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of the runs of scheduled rules."""
    op.create_table(
        "scheduled_runs",
        sa.Column("rule_id", sa.String(32)),
        sa.Column("until", sa.BigInteger, autoincrement=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("rule_version", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("matches", sa.BigInteger, nullable=False),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("rule_id", "until", name="pk_scheduled_runs"),
    )
    op.create_index("ix_scheduled_runs_status", "scheduled_runs", ["status"])
