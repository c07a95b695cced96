"""What people decided about signals, and everything that happened to them, in the state store."""

from sqlalchemy import JSON, Column, Index, Integer, String, Table, Text

from tocsin.store.tables import Milliseconds, metadata

SignalId = String(128)

signal_triage = Table(
    "signal_triage",
    metadata,
    Column("signal_id", SignalId, primary_key=True),
    Column("signal_timestamp", Milliseconds, nullable=False),
    Column("state", String(16), nullable=False),
    Column("archive_reason", String(32), nullable=False),
    Column("archive_comment", Text, nullable=False),
    Column("archive_comment_at", Milliseconds),
    Column("archive_comment_by", JSON(none_as_null=True)),
    Column("assignee", JSON, nullable=False),
    Column("incident_ids", JSON, nullable=False),
    Column("state_updated_at", Milliseconds),
    Column("state_updated_by", JSON(none_as_null=True)),
    Column("version", Integer, nullable=False),
)
"""A signal that nobody has touched has no row: it is open, unassigned, at version 1."""

signal_history = Table(
    "signal_history",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("signal_id", SignalId, nullable=False),
    Column("at", Milliseconds, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("by", JSON, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Index("ix_signal_history_signal_id_at", "signal_id", "at"),
)
"""`id` derives from the entry's content, so an entry that is written twice is there once."""
