"""Security filters."""

revision = "0012_security_filters"
down_revision = "0011_critical_assets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
