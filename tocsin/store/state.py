"""The state store: users, roles, rules, triage, … in SQLite (default) or PostgreSQL, by URL (design §3).

Both give the same promise (decision 0030): writers come one at a time, so a transaction that reads, decides and
writes needs no locks of its own; a transaction is durable when `transaction()` has returned; readers see one
snapshot and wait for nobody.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from tocsin.config import BadSetting, Config
from tocsin.errors import BadRequest, TocsinError, Unavailable

MIGRATIONS = Path(__file__).parent / "migrations"

WRITER_LOCK = 7_304_218_655
"""PostgreSQL advisory lock that every writing transaction holds until it ends; an arbitrary number of ours."""

WAIT_SECONDS = 30
"""How long a writer waits for its turn, and anyone for a connection, before the caller is told to come again."""

CONNECTIONS = 48
"""More than the 40 threads in which synchronous routes run, so that these never wait for one another here."""


class NewerState(TocsinError):
    """The database was written by a later version of Tocsin; an older one must not touch it."""


class ForeignState(TocsinError):
    """The SQLite file is another program's."""


class StateStore:
    """One SQLite file or PostgreSQL database. Safe to use from many threads; open one in each process."""

    def __init__(self, url: str) -> None:
        """`url` is `sqlite:///path` or `postgresql://user:password@host/database`. Connects at first use."""
        self._engine = _engine(url)
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        self._writing = self._engine.execution_options(writes=True)
        self._reading = self._engine.execution_options(writes=False)
        self._turn = threading.Lock()
        self._inside = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Read and write; committed and durable at exit, rolled back on an error.

        One writer at a time, over all threads and processes: do no slow work inside. Raises `Unavailable` when
        the store does not answer, its disk is full or no turn came within `WAIT_SECONDS`, and `BadRequest` for a
        value that no column can hold (NUL in a text, a number beyond 64 bits).
        """
        if getattr(self._inside, "writes", False):
            raise RuntimeError("a transaction inside a transaction would wait for itself; pass the session on")
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            raise Unavailable("the state store is busy: no turn to write within 30 s; try again")
        self._inside.writes = True
        try:
            with _store_errors(), Session(self._writing, expire_on_commit=False) as session, session.begin():
                session.connection()  # take the turn now, not at the first statement
                yield session
        finally:
            self._inside.writes = False
            self._turn.release()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Read only, from one snapshot, without waiting for writers. Raises as `transaction` does."""
        with _store_errors(), Session(self._reading) as session:
            session.connection()
            yield session

    def migrate(self, to: str = "head") -> None:
        """Bring the schema to this version (`to` an older one in tests).

        All of it happens or nothing does, so a kill half-way is harmless; processes that start together take turns.
        Raises `NewerState` when a later version wrote the database, `ForeignState` when another program did.
        """
        with _store_errors(), self._writing.connect() as connection:
            if self._is_sqlite:  # rebuilding a table must not cascade into others; only possible before BEGIN
                connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")  # type: ignore[union-attr]
            try:
                with connection.begin():
                    self._refuse_foreign(connection)
                    config = migration_config()
                    config.attributes["connection"] = connection
                    command.upgrade(config, to)
                    if self._is_sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
                        raise TocsinError(f"the migration of the state store broke a reference: {tuple(broken)}")
            finally:
                if self._is_sqlite:
                    connection.connection.driver_connection.execute("PRAGMA foreign_keys = ON")  # type: ignore[union-attr]

    def revision(self) -> str | None:
        """The schema's revision, None before the first migration."""
        with _store_errors(), self._reading.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def is_current(self) -> bool:
        """True if the store answers and its schema is the one this version knows."""
        return self.revision() == ScriptDirectory.from_config(migration_config()).get_current_head()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _refuse_foreign(self, connection: Connection) -> None:
        heads = MigrationContext.configure(connection).get_current_heads()
        if self._is_sqlite and not heads and inspect(connection).get_table_names():
            raise ForeignState(
                f"{self._engine.url.database} belongs to another program: it holds tables that Tocsin did not make; "
                "choose another directory with --data"
            )
        known = {script.revision for script in ScriptDirectory.from_config(migration_config()).walk_revisions()}
        for revision in heads:
            if revision not in known:
                raise NewerState(
                    f"the state store {self._engine.url.render_as_string()} was written by a newer version of Tocsin "
                    f"(revision {revision}); start that version, or restore the backup made before the upgrade"
                )


def open_state_store(config: Config) -> StateStore:
    """The state store that the settings name, migrated: PostgreSQL by URL, else SQLite in the data directory."""
    if not config.state_url:
        config.data.mkdir(mode=0o700, parents=True, exist_ok=True)  # logs and hashes are nobody else's business
    store = StateStore(config.state_url or f"sqlite:///{config.data / 'state.db'}")
    store.migrate()
    return store


def migration_config() -> AlembicConfig:
    """Alembic's settings, from code: the scripts travel inside the package, there is no ini file."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except Exception as error:
        raise BadSetting("TOCSIN_STATE_URL is not a URL; write postgresql://user:password@host/database") from error
    options: dict[str, Any] = {
        "pool_size": CONNECTIONS,
        "max_overflow": 0,
        "pool_timeout": WAIT_SECONDS,
        "pool_use_lifo": True,
    }
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, **options)
        event.listen(engine, "begin", _begin_postgres)
        return engine
    if parsed.drivername == "sqlite" and parsed.database not in (None, "", ":memory:"):
        engine = create_engine(parsed, connect_args={"timeout": WAIT_SECONDS, "isolation_level": None}, **options)
        event.listen(engine, "connect", _connect_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    raise BadSetting(f"TOCSIN_STATE_URL cannot use '{parsed.drivername}'; use postgresql:// or sqlite:///file")


def _connect_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    _switch_to_wal(cursor)
    cursor.execute("PRAGMA synchronous = FULL")  # NORMAL may forget acknowledged commits when the power fails
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _switch_to_wal(cursor: Any) -> None:
    # Lasting, so only the first connection ever has to; SQLite does not wait by itself for the lock that it needs.
    for attempt in range(WAIT_SECONDS * 20):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if attempt == WAIT_SECONDS * 20 - 1:
                raise
            time.sleep(0.05)


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later cannot wait for its turn (SQLITE_BUSY at once), so writers queue
    # at the start.
    writes = connection.get_execution_options().get("writes", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")


def _begin_postgres(connection: Connection) -> None:
    if connection.get_execution_options().get("writes", True):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": WRITER_LOCK})
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable("the state store is busy: no connection within 30 s; try again") from error
    except (DataError, OverflowError) as error:
        raise BadRequest("a value does not fit the state store: NUL characters and huge numbers are refused") from error
    except OperationalError as error:
        raise Unavailable(f"the state store does not answer: {str(error.orig).strip()}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable("the connection to the state store was lost; try again") from error
        if type(error) is DatabaseError and isinstance(error.orig, sqlite3.DatabaseError):  # none of its subclasses
            raise Unavailable(
                f"the SQLite file of the state store cannot be read ({error.orig}); restore the backup"
            ) from error
        raise
