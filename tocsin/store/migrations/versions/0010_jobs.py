"""Historical jobs and scheduled runs."""

revision = "0010_jobs"
down_revision = "0009_suppressions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
