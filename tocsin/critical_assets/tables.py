"""Critical assets in the state store."""

from sqlalchemy import JSON, Column, Integer, String, Table

from tocsin.store.tables import metadata

critical_assets = Table(
    "critical_assets",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("body", JSON, nullable=False),
)
"""`body` holds the attributes as the API answers them."""
