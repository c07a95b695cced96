"""What people decided about content packs, and their subscriptions to sample logs, in the state store."""

from sqlalchemy import JSON, Column, Index, String, Table

from tocsin.store.tables import Milliseconds, Uuid, metadata

content_packs = Table(
    "content_packs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("activation", String(16), nullable=False),
    Column("at", Milliseconds, nullable=False),
    Column("switched_off", JSON, nullable=False),
    Column("rules", JSON, nullable=False),
    Column("filter_id", String(32)),
)
"""A pack without a row is one about which nobody has decided. `switched_off` has the rules that deactivating it
disabled and their versions from then on, `rules` all that it had, `filter_id` the security filter that activating it
made."""

sample_subscriptions = Table(
    "sample_log_subscriptions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("pack_id", String(64), nullable=False),
    Column("created_at", Milliseconds, nullable=False),
    Column("expires_at", Milliseconds, nullable=False),
    Column("ended_at", Milliseconds),
    Column("sent_until", Milliseconds, nullable=False),
    Index("ix_sample_log_subscriptions_expires_at", "expires_at"),
)
"""`ended_at`: when somebody unsubscribed. What happens until `sent_until` has been sent."""
