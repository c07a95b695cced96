"""What people decided about signals, and the history of signals."""

import sqlalchemy as sa
from alembic import op

revision = "0003_triage"
down_revision = "0002_rules"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of triage."""
    op.create_table(
        "signal_triage",
        sa.Column("signal_id", sa.String(128)),
        sa.Column("signal_timestamp", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("archive_reason", sa.String(32), nullable=False),
        sa.Column("archive_comment", sa.Text, nullable=False),
        sa.Column("archive_comment_at", sa.BigInteger),
        sa.Column("archive_comment_by", sa.JSON),
        sa.Column("assignee", sa.JSON, nullable=False),
        sa.Column("incident_ids", sa.JSON, nullable=False),
        sa.Column("state_updated_at", sa.BigInteger),
        sa.Column("state_updated_by", sa.JSON),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("signal_id", name="pk_signal_triage"),
    )
    op.create_table(
        "signal_history",
        sa.Column("id", sa.String(32)),
        sa.Column("signal_id", sa.String(128), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("by", sa.JSON, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signal_history"),
    )
    op.create_index("ix_signal_history_signal_id_at", "signal_history", ["signal_id", "at"])
