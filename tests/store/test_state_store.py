"""One contract, held by SQLite and PostgreSQL alike."""

import importlib
import multiprocessing
import os
import pkgutil
import signal
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from waiting import PATIENCE

import tocsin
from tocsin.access.tables import user_roles
from tocsin.config import BadSetting, Config
from tocsin.errors import BadRequest, Unavailable
from tocsin.store import outbox, settings, state
from tocsin.store.leases import Leases
from tocsin.store.outbox import Message, Outbox
from tocsin.store.state import ForeignState, NewerState, StateStore, open_state_store
from tocsin.store.tables import metadata
from tocsin.store.tables import outbox as outbox_table


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'state.db'}"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many writers at once get their turn, however slow the disk."""
    monkeypatch.setattr(state, "WAIT_SECONDS", int(PATIENCE))


@pytest.fixture
def store(url: str) -> Iterator[StateStore]:
    store = StateStore(url)
    store.migrate()
    yield store
    store.close()


class FakeClock:
    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


def test_a_transaction_commits_at_its_end_and_rolls_back_on_an_error(store: StateStore) -> None:
    with store.transaction() as session:
        settings.put(session, "kept", {"a": [1, None, "ü"]}, now=1)
    with pytest.raises(ZeroDivisionError), store.transaction() as session:
        settings.put(session, "kept", "lost", now=2)
        raise ZeroDivisionError
    with store.reading() as session:
        assert settings.get(session, "kept") == {"a": [1, None, "ü"]}
        assert settings.get(session, "absent", 7) == 7


def test_get_or_put_keeps_the_first_value(store: StateStore) -> None:
    with store.transaction() as session:
        assert settings.get_or_put(session, "instance", lambda: "first", now=1) == "first"
    with store.transaction() as session:
        assert settings.get_or_put(session, "instance", lambda: "second", now=2) == "first"


def test_a_nested_transaction_is_refused_instead_of_waiting_for_itself(store: StateStore) -> None:
    with store.transaction(), pytest.raises(RuntimeError, match="pass the session on"), store.transaction():
        pass
    with store.transaction() as session:  # and the turn was given back
        settings.put(session, "after", 1, now=1)


def test_reading_does_not_write(store: StateStore) -> None:
    with store.reading() as session:
        settings_before = settings.get(session, "x")
        assert settings_before is None
    with store.transaction() as session:
        settings.put(session, "x", 1, now=1)
    with store.reading() as session:
        assert settings.get(session, "x") == 1


def test_a_reader_sees_one_snapshot_and_waits_for_nobody(store: StateStore) -> None:
    with store.transaction() as session:
        settings.put(session, "n", 1, now=1)
    with store.reading() as reader:
        assert settings.get(reader, "n") == 1
        with store.transaction() as session:
            settings.put(session, "n", 2, now=2)
            with store.reading() as second:
                assert settings.get(second, "n") == 1
        assert settings.get(reader, "n") == 1
    with store.reading() as reader:
        assert settings.get(reader, "n") == 2


def test_read_decide_write_needs_no_locks(url: str, store: StateStore) -> None:
    """Two stores as two processes would have, four threads each, 25 increments by each thread."""
    other = StateStore(url)

    def increment(which: StateStore) -> None:
        for _ in range(25):
            with which.transaction() as session:
                settings.put(session, "counter", settings.get(session, "counter", 0) + 1, now=1)

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(increment, which) for which in (store, other) * 4]:
            done.result()
    other.close()
    with store.reading() as session:
        assert settings.get(session, "counter") == 200


def test_a_writer_that_gets_no_turn_says_so(url: str, store: StateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "WAIT_SECONDS", 1)
    other = StateStore(url)
    with store.transaction() as session:
        settings.put(session, "x", 1, now=1)
        with ThreadPoolExecutor(1) as pool, pytest.raises(Unavailable):
            pool.submit(lambda: Leases(other, FakeClock()).clear()).result()
    other.close()


def test_broken_references_and_doubles_are_refused(store: StateStore) -> None:
    with pytest.raises(IntegrityError), store.transaction() as session:
        session.execute(insert(user_roles).values(user_uuid="no", role_uuid="body"))
    with pytest.raises(IntegrityError), store.transaction() as session:
        for _ in range(2):
            session.execute(insert(metadata.tables["settings"]).values(name="twice", value=1, updated_at=1))


def test_a_number_beyond_64_bits_is_the_callers_mistake(store: StateStore) -> None:
    with pytest.raises(BadRequest), store.transaction() as session:
        settings.put(session, "x", 1, now=2**70)


@pytest.mark.postgres
def test_a_nul_is_the_callers_mistake(postgres_url: str) -> None:
    store = StateStore(postgres_url)
    store.migrate()
    with pytest.raises(BadRequest), store.transaction() as session:
        settings.put(session, "nul\0", 1, now=1)
    store.close()


def test_a_full_disk_is_reported_and_harms_nothing(tmp_path: Path) -> None:
    store = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    store.migrate()
    with pytest.raises(Unavailable, match="full"), store.transaction() as session:
        pages = session.execute(text("PRAGMA page_count")).scalar_one()
        session.execute(text(f"PRAGMA max_page_count = {pages + 2}"))
        settings.put(session, "big", "x" * 1_000_000, now=1)
    with store.reading() as session:
        assert settings.get(session, "big") is None
    store.close()


def _import_all_tables() -> None:
    for module in pkgutil.walk_packages(tocsin.__path__, "tocsin."):
        if module.name.endswith(".tables"):
            importlib.import_module(module.name)


def test_migrations_and_metadata_agree(store: StateStore) -> None:
    _import_all_tables()
    with store.reading() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(store: StateStore) -> None:
    with store.transaction() as session:
        settings.put(session, "kept", 1, now=1)
    before = store.revision()
    store.migrate()
    assert store.revision() == before
    assert store.is_current()
    with store.reading() as session:
        assert settings.get(session, "kept") == 1


def test_a_newer_database_is_refused_and_left_alone(store: StateStore) -> None:
    with store.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999_future'"))
    with pytest.raises(NewerState, match=r"newer version of Tocsin .*9999_future"):
        store.migrate()
    assert store.revision() == "9999_future"
    assert not store.is_current()


def test_an_older_database_is_upgraded(url: str) -> None:
    store = StateStore(url)
    store.migrate(to="0001_access")
    assert store.revision() == "0001_access"
    with store.transaction() as session:
        settings.put(session, "kept", 1, now=1)
    store.migrate()
    assert store.is_current()
    with store.reading() as session:
        assert settings.get(session, "kept") == 1
    store.close()


def test_processes_that_start_together_migrate_once(url: str) -> None:
    stores = [StateStore(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(StateStore.migrate, stores))
    assert all(each.is_current() for each in stores)
    for each in stores:
        each.close()


def _die_in_migration(url: str) -> None:
    store = StateStore(url)
    original = state.command.upgrade

    def upgrade_then_die(*arguments: object) -> None:
        original(*arguments)  # all steps done, nothing committed
        os.kill(os.getpid(), signal.SIGKILL)

    state.command.upgrade = upgrade_then_die
    store.migrate()


def test_a_kill_in_a_migration_leaves_all_or_nothing(url: str) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_die_in_migration, args=(url,))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL
    store = StateStore(url)
    assert store.revision() is None
    store.migrate()
    assert store.is_current()
    store.close()


def test_a_file_that_is_no_state_of_ours_is_refused(tmp_path: Path) -> None:
    foreign, damaged = tmp_path / "foreign", tmp_path / "damaged"
    for folder in (foreign, damaged):
        folder.mkdir()
    with closing(sqlite3.connect(foreign / "state.db")) as other:
        other.execute("CREATE TABLE users (name TEXT)")
    (damaged / "state.db").write_bytes(b"no database at all " * 100)
    with pytest.raises(ForeignState, match="belongs to another program"):
        open_state_store(Config(data=foreign))
    with pytest.raises(Unavailable, match="cannot be read"):
        open_state_store(Config(data=damaged))
    with closing(sqlite3.connect(foreign / "state.db")) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("users",)], "it is left as it was"


def test_settings_choose_the_store(tmp_path: Path) -> None:
    store = open_state_store(Config(data=tmp_path / "new" / "data"))
    assert (tmp_path / "new" / "data" / "state.db").exists()
    assert (tmp_path / "new" / "data").stat().st_mode & 0o077 == 0, "nobody else reads it"
    assert store.is_current()
    store.close()
    for wrong in ("mysql://host/db", "sqlite://", "nonsense"):
        with pytest.raises(BadSetting):
            StateStore(wrong)


def test_an_unreachable_server_is_unavailable() -> None:
    store = StateStore("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(Unavailable), store.transaction():
        pass


# Leases


def test_a_lease_has_one_holder_until_it_expires(store: StateStore) -> None:
    clock = FakeClock()
    leases = Leases(store, clock)
    assert leases.acquire("work", "a", seconds=10)
    assert not leases.acquire("work", "b", seconds=10)
    assert leases.acquire("other", "b", seconds=10)
    clock.now += 9_000
    assert leases.acquire("work", "a", seconds=10)  # renewed
    clock.now += 9_000
    assert not leases.acquire("work", "b", seconds=10)
    clock.now += 1_000
    assert leases.holder("work") is None
    assert leases.acquire("work", "b", seconds=10)
    leases.release("work", "a")  # no longer its own
    assert leases.holder("work") == "b"
    leases.release("work", "b")
    assert leases.acquire("work", "a", seconds=10)
    leases.clear()
    assert leases.acquire("work", "b", seconds=10)


class FailingLeases(Leases):
    """Given once; then every renewal fails."""

    def __init__(self, store: StateStore, clock: FakeClock, failure: Exception) -> None:
        super().__init__(store, clock)
        self.clock, self.failure, self.tries = clock, failure, 0

    def acquire(self, name: str, holder: str, seconds: float) -> bool:
        self.tries += 1
        if self.tries == 1:
            return super().acquire(name, holder, seconds)
        self.clock.now += 4_000  # it takes so long to fail
        raise self.failure


def test_a_lease_that_cannot_be_renewed_is_lost_when_it_expires(store: StateStore) -> None:
    leases = FailingLeases(store, FakeClock(), Unavailable("away"))
    with leases.held("work", "a", seconds=10, renew_seconds=0.001) as lost:
        assert lost is not None and lost.wait(PATIENCE)
    assert leases.tries == 5, "after 0, 4 and 8 seconds it is still held"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_lease_whose_renewal_breaks_is_lost_at_once(store: StateStore) -> None:
    leases = FailingLeases(store, FakeClock(), RuntimeError("broken"))
    with leases.held("work", "a", seconds=10, renew_seconds=0.001) as lost:
        assert lost is not None and lost.wait(PATIENCE)
    assert leases.tries == 2


def test_of_many_who_want_a_lease_one_gets_it(url: str, store: StateStore) -> None:
    other = StateStore(url)
    clock = FakeClock()
    barrier = threading.Barrier(8)

    def contend(number: int) -> bool:
        barrier.wait()
        return Leases((store, other)[number % 2], clock).acquire("work", f"holder {number}", seconds=10)

    for _ in range(5):
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(contend, range(8))) == 1
        clock.now += 10_000
    other.close()


# The outbox


def _add(store: StateStore, *keys: str, topic: str = "t") -> None:
    with store.transaction() as session:
        for key in keys:
            outbox.add(session, topic, key, {"key": key}, now=5)


def test_messages_arrive_in_order_and_once_when_all_goes_well(store: StateStore) -> None:
    box, seen = Outbox(store, FakeClock(), "p"), []
    _add(store, *"abcde")
    _add(store, "elsewhere", topic="u")
    while box.drain("t", lambda messages: seen.extend(m.payload["key"] for m in messages), limit=2):
        pass
    assert "".join(seen) == "abcde"
    assert box.waiting() == {"u": (1, 5, None)}


def test_a_message_of_a_rolled_back_transaction_never_existed(store: StateStore) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction() as session:
        outbox.add(session, "t", "a", {}, now=5)
        raise ZeroDivisionError
    assert Outbox(store, FakeClock(), "p").waiting() == {}


def test_a_handler_that_fails_gets_the_same_messages_again(store: StateStore) -> None:
    clock = FakeClock()
    box, seen = Outbox(store, clock, "p"), []
    _add(store, "a", "b")

    def fail(messages: list[Message]) -> None:
        raise ConnectionError("the event store is away")

    for attempt in range(2):
        with pytest.raises(ConnectionError):
            box.drain("t", fail)
        assert box.waiting()["t"] == (2, 5, "ConnectionError: the event store is away"), attempt
    box.drain("t", lambda messages: seen.extend((m.key, m.attempts) for m in messages))
    assert seen == [("a", 2), ("b", 0)]
    assert box.waiting() == {}


def test_ids_of_delivered_messages_are_never_given_out_again(store: StateStore) -> None:
    box, seen = Outbox(store, FakeClock(), "p"), []
    for key in "abc":
        _add(store, key)
        box.drain("t", lambda messages: seen.extend(m.id for m in messages))
    assert seen == sorted(set(seen))


def _die_in_handler(url: str, log: str) -> None:
    store = StateStore(url)

    def handle(messages: list[Message]) -> None:
        with Path(log).open("a") as file:
            file.write("".join(m.key for m in messages))
        os.kill(os.getpid(), signal.SIGKILL)

    Outbox(store, FakeClock(), "first").drain("t", handle, limit=3)


def test_a_kill_in_the_handler_loses_nothing(url: str, store: StateStore, tmp_path: Path) -> None:
    _add(store, *"abcde")
    log = tmp_path / "log"
    process = multiprocessing.get_context("spawn").Process(target=_die_in_handler, args=(url, str(log)))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL
    assert log.read_text() == "abc"
    clock, seen = FakeClock(), []
    box = Outbox(store, clock, "second")

    def handle(messages: list[Message]) -> None:
        seen.extend(m.key for m in messages)

    assert box.drain("t", handle, limit=3) == 0  # the dead one's lease still runs
    clock.now += outbox.LEASE_SECONDS * 1000
    while box.drain("t", handle, limit=3):
        pass
    assert "".join(seen) == "abcde"


def test_two_who_drain_never_work_at_the_same_time(url: str, store: StateStore) -> None:
    other = StateStore(url)
    boxes = [Outbox(store, FakeClock(), "one"), Outbox(other, FakeClock(), "two")]
    seen: list[int] = []
    inside = threading.Semaphore(1)

    def handle(messages: list[Message]) -> None:
        assert inside.acquire(blocking=False), "two handlers at once"
        seen.extend(m.id for m in messages)
        inside.release()

    _add(store, *[str(n) for n in range(120)])

    def drain(box: Outbox) -> None:
        while box.waiting():
            box.drain("t", handle, limit=5)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(drain, box) for box in boxes * 2]:
            done.result()
    other.close()
    assert len(seen) == 120
    assert seen == sorted(seen)


def test_a_drain_whose_lease_ran_out_does_not_forget_what_another_now_delivers(store: StateStore) -> None:
    clock, again = FakeClock(), []
    slow, fast = Outbox(store, clock, "slow"), Outbox(store, clock, "fast")
    _add(store, "a")

    def overtaken(messages: list[Message]) -> None:
        clock.now += outbox.LEASE_SECONDS * 1000
        assert Leases(store, clock).acquire("outbox:t", "fast:elsewhere", seconds=10)

    slow.drain("t", overtaken)
    with store.reading() as session:
        assert session.execute(select(func.count()).select_from(outbox_table)).scalar() == 1
    clock.now += 10_000
    fast.drain("t", lambda messages: again.extend(m.key for m in messages))
    assert again == ["a"]


def test_updates_report_how_many_rows_they_changed(store: StateStore) -> None:
    """Services build compare-and-set on it (stale `version` → 409)."""
    with store.transaction() as session:
        settings.put(session, "v", 1, now=1)
        table = metadata.tables["settings"]
        stale = session.execute(update(table).where(table.c.name == "v", table.c.updated_at == 0).values(value=2))
        assert stale.rowcount == 0
