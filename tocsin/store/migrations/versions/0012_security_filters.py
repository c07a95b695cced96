"""Security filters."""

import sqlalchemy as sa
from alembic import op

revision = "0012_security_filters"
down_revision = "0011_critical_assets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of security filters and their versions."""
    op.create_table(
        "security_filters",
        sa.Column("id", sa.String(32)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_security_filters"),
    )
    op.create_table(
        "security_filter_versions",
        sa.Column("version", sa.Integer, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("filters", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_security_filter_versions"),
    )
