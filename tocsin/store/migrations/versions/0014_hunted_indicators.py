"""Which indicators a hunt found in earlier logs."""

import sqlalchemy as sa
from alembic import op

revision = "0014_hunted_indicators"
down_revision = "0013_scheduled_runs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Hunts from now on say what they found; of earlier ones it is not known."""
    op.add_column("threat_intel_hunts", sa.Column("matched", sa.JSON, nullable=False, server_default="{}"))
