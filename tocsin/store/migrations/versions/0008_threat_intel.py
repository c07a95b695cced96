"""Threat intelligence: feeds, their content, triage of indicators, hunts."""

import sqlalchemy as sa
from alembic import op

revision = "0008_threat_intel"
down_revision = "0007_reference_tables"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables of threat intelligence."""
    op.create_table(
        "threat_intel_feeds",
        sa.Column("id", sa.String(36)),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("secret", sa.Text),
        sa.Column("is_enabled", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(320), nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("indicators", sa.BigInteger, nullable=False),
        sa.Column("skipped", sa.BigInteger, nullable=False),
        sa.Column("problems", sa.JSON, nullable=False),
        sa.Column("attempted_at", sa.BigInteger),
        sa.Column("refreshed_at", sa.BigInteger),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_threat_intel_feeds"),
        sa.UniqueConstraint("name", name="uq_threat_intel_feeds_name"),
    )
    op.create_table(
        "threat_intel_contents",
        sa.Column("feed_id", sa.String(36)),
        sa.Column("version", sa.Integer, autoincrement=False),
        sa.Column("part", sa.Integer, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("feed_id", "version", "part", name="pk_threat_intel_contents"),
        sa.ForeignKeyConstraint(
            ["feed_id"],
            ["threat_intel_feeds.id"],
            name="fk_threat_intel_contents_feed_id_threat_intel_feeds",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "threat_intel_triage",
        sa.Column("id", sa.String(36)),
        sa.Column("indicator", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.String(320), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_threat_intel_triage"),
    )
    op.create_table(
        "threat_intel_triage_history",
        sa.Column("id", _NUMBER, autoincrement=True),
        sa.Column("triage_id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(320), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_threat_intel_triage_history"),
        sa.ForeignKeyConstraint(
            ["triage_id"],
            ["threat_intel_triage.id"],
            name="fk_threat_intel_triage_history_triage_id_threat_intel_triage",
            ondelete="CASCADE",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_threat_intel_triage_history_triage_id_id", "threat_intel_triage_history", ["triage_id", "id"])
    op.create_table(
        "threat_intel_hunts",
        sa.Column("id", sa.String(36)),
        sa.Column("feed_id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("indicators", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("from_at", sa.BigInteger, nullable=False),
        sa.Column("to_at", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("scanned", sa.BigInteger, nullable=False),
        sa.Column("found", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_threat_intel_hunts"),
        sa.ForeignKeyConstraint(
            ["feed_id"],
            ["threat_intel_feeds.id"],
            name="fk_threat_intel_hunts_feed_id_threat_intel_feeds",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_threat_intel_hunts_feed_id_created_at", "threat_intel_hunts", ["feed_id", "created_at"])
