"""5. Events (chDB, ClickHouse) and state (SQLite, PostgreSQL)."""
