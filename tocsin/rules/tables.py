"""Detection rules and all their versions, in the state store. A rule is kept as the API writes it (`shape`)."""

from sqlalchemy import JSON, Boolean, Column, Integer, String, Table

from tocsin.store.tables import Milliseconds, metadata

RuleId = String(32)

rules = Table(
    "rules",
    metadata,
    Column("id", RuleId, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("body", JSON, nullable=False),
    Column("shipped", JSON(none_as_null=True)),
)
"""`shipped` is a default rule as it came with this version of Tocsin, to tell what people changed about it."""

rule_versions = Table(
    "rule_versions",
    metadata,
    Column("rule_id", RuleId, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", Milliseconds, nullable=False),
    Column("body", JSON, nullable=False),
    Column("changes", JSON, nullable=False),
)
"""Kept when the rule is deleted: signals name the version that raised them."""
