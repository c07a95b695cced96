"""Detection rules."""

revision = "0002_rules"
down_revision = "0001_access"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
