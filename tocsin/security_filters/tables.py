"""Security filters, and the whole set of them at each version, in the state store."""

from sqlalchemy import JSON, Column, Integer, String, Table

from tocsin.store.tables import Milliseconds, metadata

security_filters = Table(
    "security_filters",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("body", JSON, nullable=False),
)

security_filter_versions = Table(
    "security_filter_versions",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Milliseconds, nullable=False),
    Column("filters", JSON, nullable=False),
)
"""What the filters were from then on; one for each change."""
