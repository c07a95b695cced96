"""Suppressions and all their versions, in the state store. A suppression is kept as the API writes its attributes."""

from sqlalchemy import JSON, Column, Integer, String, Table

from tocsin.store.tables import Milliseconds, metadata

SuppressionId = String(32)

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", SuppressionId, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("body", JSON, nullable=False),
)

suppression_versions = Table(
    "suppression_versions",
    metadata,
    Column("suppression_id", SuppressionId, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Milliseconds, nullable=False),
    Column("body", JSON, nullable=False),
    Column("changes", JSON, nullable=False),
)
"""Kept when the suppression is deleted, which is a last version that is not enabled: what was hidden while it was in
force is told from here, for ever."""
