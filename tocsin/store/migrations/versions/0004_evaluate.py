"""The evaluator's progress."""

revision = "0004_evaluate"
down_revision = "0003_triage"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
