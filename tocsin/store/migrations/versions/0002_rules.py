"""Detection rules and their versions."""

import sqlalchemy as sa
from alembic import op

revision = "0002_rules"
down_revision = "0001_access"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of rules."""
    op.create_table(
        "rules",
        sa.Column("id", sa.String(32)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("is_default", sa.Boolean, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("shipped", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="pk_rules"),
    )
    op.create_table(
        "rule_versions",
        sa.Column("rule_id", sa.String(32)),
        sa.Column("version", sa.Integer),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("changes", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "version", name="pk_rule_versions"),
    )
