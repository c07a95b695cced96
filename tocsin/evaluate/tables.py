"""The evaluator's progress and its failures, in the state store."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from tocsin.store.tables import Milliseconds, metadata

evaluator_progress = Table(
    "evaluator_progress",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("watermark", Milliseconds, nullable=False),
    Column("updated_at", Milliseconds, nullable=False),
)

evaluation_failures = Table(
    "evaluation_failures",
    metadata,
    Column("rule_id", String(32), primary_key=True),
    Column("rule_version", Integer, primary_key=True, autoincrement=False),
    Column("message", Text, nullable=False),
    Column("matches", BigInteger, nullable=False),
    Column("first_at", Milliseconds, nullable=False),
    Column("last_at", Milliseconds, nullable=False),
)
"""One row for each version of a rule that could not be evaluated: why, and how many matches were not decided."""
