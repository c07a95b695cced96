"""Reference tables."""

revision = "0007_reference_tables"
down_revision = "0006_pipelines"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
