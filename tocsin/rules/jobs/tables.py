"""Historical jobs in the state store; their results are rows of the track `historical`."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, String, Table, Text

from tocsin.store.tables import Milliseconds, Uuid, metadata

historical_jobs = Table(
    "historical_jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("definition", JSON, nullable=False),
    Column("rule", JSON, nullable=False),
    Column("rule_id", String(32)),
    Column("signal_output", Boolean, nullable=False),
    Column("progress", Float, nullable=False),
    Column("signals", BigInteger, nullable=False),
    Column("error", Text),
    Column("created_at", Milliseconds, nullable=False),
    Column("modified_at", Milliseconds, nullable=False),
    Column("created_by_handle", Text, nullable=False),
    Column("created_by_name", Text, nullable=False),
    Index("ix_historical_jobs_status_created_at", "status", "created_at"),
)
"""`definition` is what was asked; `rule` is what runs, as the API writes a rule: it is taken when the job is made, so
that no later change of a rule changes a job."""
