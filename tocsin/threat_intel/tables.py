"""Feeds with their content, what people decided about indicators, and hunts, in the state store."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from tocsin.store.tables import AutoId, Milliseconds, Uuid, metadata

feeds = Table(
    "threat_intel_feeds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("settings", JSON, nullable=False),
    Column("secret", Text),
    Column("is_enabled", Boolean, nullable=False),
    Column("created_at", Milliseconds, nullable=False),
    Column("created_by", String(320), nullable=False),
    Column("updated_at", Milliseconds, nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("indicators", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),
    Column("problems", JSON, nullable=False),
    Column("attempted_at", Milliseconds),
    Column("refreshed_at", Milliseconds),
    Column("next_at", Milliseconds),
    Column("error", Text, nullable=False),
)
"""`settings` is what people chose, `secret` encrypted (`access.vault`). `version` counts the contents, 0 before the
first; `digest` is that of the content as it came. `next_at` is when the feed is due, None: only when somebody asks."""

contents = Table(
    "threat_intel_contents",
    metadata,
    Column("feed_id", Uuid, ForeignKey("threat_intel_feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
"""A feed's indicators, compressed (`content`): replaced as a whole, so they are kept as a whole."""

triage = Table(
    "threat_intel_triage",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("indicator", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", Milliseconds, nullable=False),
    Column("changed_at", Milliseconds, nullable=False),
    Column("changed_by", String(320), nullable=False),
)
"""`id` is derived from the indicator."""

triage_history = Table(
    "threat_intel_triage_history",
    metadata,
    Column("id", AutoId, primary_key=True, autoincrement=True),
    Column("triage_id", Uuid, ForeignKey("threat_intel_triage.id", ondelete="CASCADE"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("at", Milliseconds, nullable=False),
    Column("by", String(320), nullable=False),
    Index("ix_threat_intel_triage_history_triage_id_id", "triage_id", "id"),
    sqlite_autoincrement=True,
)

hunts = Table(
    "threat_intel_hunts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("feed_id", Uuid, ForeignKey("threat_intel_feeds.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("indicators", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", Milliseconds, nullable=False),
    Column("from_at", Milliseconds, nullable=False),
    Column("to_at", Milliseconds, nullable=False),
    Column("position", Milliseconds, nullable=False),
    Column("scanned", BigInteger, nullable=False),
    Column("found", BigInteger, nullable=False),
    Column("matched", JSON, nullable=False, server_default="{}"),
    Column("finished_at", Milliseconds),
    Column("error", Text, nullable=False),
    Index("ix_threat_intel_hunts_feed_id_created_at", "feed_id", "created_at"),
)
"""A search of stored logs for the indicators that a version of a feed brought: `body` holds these, `position` says up
to which moment the logs were looked through, and `matched` how many logs hold each of those that were found."""
