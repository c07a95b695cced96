"""The evaluator's progress, and the rules that it could not evaluate."""

import sqlalchemy as sa
from alembic import op

revision = "0004_evaluate"
down_revision = "0003_triage"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the evaluator."""
    op.create_table(
        "evaluator_progress",
        sa.Column("name", sa.String(64)),
        sa.Column("watermark", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_evaluator_progress"),
    )
    op.create_table(
        "evaluation_failures",
        sa.Column("rule_id", sa.String(32)),
        sa.Column("rule_version", sa.Integer),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("matches", sa.BigInteger, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "rule_version", name="pk_evaluation_failures"),
    )
