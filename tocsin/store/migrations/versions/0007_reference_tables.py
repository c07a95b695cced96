"""Reference tables."""

import sqlalchemy as sa
from alembic import op

revision = "0007_reference_tables"
down_revision = "0006_pipelines"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of reference tables, their rows and uploads."""
    op.create_table(
        "reference_tables",
        sa.Column("id", sa.String(36)),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("row_count", sa.Integer, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reference_tables"),
    )
    op.create_index("uq_reference_tables_name", "reference_tables", ["name"], unique=True)
    op.create_table(
        "reference_table_rows",
        sa.Column("table_id", sa.String(36)),
        sa.Column("key", sa.String(512)),
        sa.Column("row", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("table_id", "key", name="pk_reference_table_rows"),
    )
    op.create_table(
        "reference_table_uploads",
        sa.Column("id", sa.String(36)),
        sa.Column("table_name", sa.String(255), nullable=False),
        sa.Column("headers", sa.JSON, nullable=False),
        sa.Column("part_count", sa.Integer, nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reference_table_uploads"),
    )
    op.create_table(
        "reference_table_parts",
        sa.Column("upload_id", sa.String(36)),
        sa.Column("number", sa.Integer),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("upload_id", "number", name="pk_reference_table_parts"),
    )
