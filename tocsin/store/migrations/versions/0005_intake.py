"""Intake."""

revision = "0005_intake"
down_revision = "0004_evaluate"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
