"""Threat intelligence."""

revision = "0008_threat_intel"
down_revision = "0007_reference_tables"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
