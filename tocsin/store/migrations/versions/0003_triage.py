"""Triage of signals."""

revision = "0003_triage"
down_revision = "0002_rules"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
