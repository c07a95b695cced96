"""Critical assets."""

revision = "0011_critical_assets"
down_revision = "0010_jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
