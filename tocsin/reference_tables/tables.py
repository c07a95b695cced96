"""Reference tables, their rows and files on their way in, in the state store."""

from sqlalchemy import JSON, Column, Index, Integer, LargeBinary, String, Table

from tocsin.store.tables import Milliseconds, Uuid, metadata

Key = String(512)

reference_tables = Table(
    "reference_tables",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("version", Integer, nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Column("created_at", Milliseconds, nullable=False),
    Column("updated_at", Milliseconds, nullable=False),
    Index("uq_reference_tables_name", "name", unique=True),
)
"""`version` rises with every change of the rows. `body` has the other members that the API shows."""

reference_table_rows = Table(
    "reference_table_rows",
    metadata,
    Column("table_id", Uuid, primary_key=True),
    Column("key", Key, primary_key=True),
    Column("row", JSON, nullable=False),
)
"""`row` is an object by column; `key` the text of the primary key."""

reference_table_uploads = Table(
    "reference_table_uploads",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("table_name", String(255), nullable=False),
    Column("headers", JSON, nullable=False),
    Column("part_count", Integer, nullable=False),
    Column("secret", String(64), nullable=False),
    Column("created_at", Milliseconds, nullable=False),
)
"""`secret` is the hash of what the addresses of the parts carry."""

reference_table_parts = Table(
    "reference_table_parts",
    metadata,
    Column("upload_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
