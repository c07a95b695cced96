"""Pipelines and their order, in the state store. A pipeline is kept as it was given."""

from sqlalchemy import JSON, Boolean, Column, Integer, String, Table

from tocsin.store.tables import metadata

pipelines = Table(
    "pipelines",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("body", JSON(none_as_null=True)),
)
"""`body` is absent for shipped pipelines: of these only their place and whether they run is kept."""
