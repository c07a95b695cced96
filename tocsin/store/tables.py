"""The state store's metadata, shared column types, and the tables that belong to no feature.

Every feature keeps its own tables in its `tables.py` on this `metadata`; the migrations create them, and a test holds
the two together.
"""

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, MetaData, String, Table, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Uuid = String(36)
"""A UUID in its usual text form, lower case."""

Milliseconds = BigInteger()
"""A moment: Unix milliseconds, UTC."""

AutoId = BigInteger().with_variant(Integer(), "sqlite")
"""A number that the database gives out; SQLite does so for INTEGER primary keys only."""

outbox = Table(
    "outbox",
    metadata,
    Column("id", AutoId, primary_key=True, autoincrement=True),
    Column("topic", String(64), nullable=False),
    Column("key", String(256), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("created_at", Milliseconds, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("last_error", Text),
    Index("ix_outbox_topic_id", "topic", "id"),
    sqlite_autoincrement=True,
)
"""`sqlite_autoincrement`: without it SQLite hands out the ids of deleted rows again, and order by id would lie."""

leases = Table(
    "leases",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("expires_at", Milliseconds, nullable=False),
)

settings = Table(
    "settings",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("updated_at", Milliseconds, nullable=False),
)
