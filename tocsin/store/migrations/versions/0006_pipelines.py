"""Pipelines."""

revision = "0006_pipelines"
down_revision = "0005_intake"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
