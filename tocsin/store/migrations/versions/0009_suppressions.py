"""Suppressions."""

revision = "0009_suppressions"
down_revision = "0008_threat_intel"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
