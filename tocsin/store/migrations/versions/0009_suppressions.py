"""Suppressions."""

import sqlalchemy as sa
from alembic import op

revision = "0009_suppressions"
down_revision = "0008_threat_intel"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of suppressions and of their versions."""
    op.create_table(
        "suppressions",
        sa.Column("id", sa.String(32)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_suppressions"),
    )
    op.create_table(
        "suppression_versions",
        sa.Column("suppression_id", sa.String(32)),
        sa.Column("version", sa.Integer),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("changes", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("suppression_id", "version", name="pk_suppression_versions"),
    )
