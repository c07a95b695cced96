"""Event stores for tests: the embedded engine and the real cluster, empty, behind one fixture.

To create all tables costs more than most tests (0.6 s of the embedded engine, 1.6 s of two nodes), so a test process
keeps one database of each and empties it. Who tests the making of tables opens a fresh one.

What depends on the order of events or on chance is tried with several seeds on the embedded engine, and with one on the
cluster: other seeds lead through the same statements (`seeded`).
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import pytest
from cluster import Cluster, NoEngine

from tocsin.config import Config
from tocsin.query import Sql
from tocsin.store.events import EventStore, open_event_store

Opener = Callable[..., EventStore]
"""Opens the store under test, on the same data each time; keywords are settings. Not migrated."""

KINDS = ["chdb", pytest.param("cluster", marks=pytest.mark.cluster)]


def seeded(seeds: Iterable[int]) -> pytest.MarkDecorator:
    """A test of `event_store` for each seed, on the cluster for the first."""
    every = [("chdb", seed) for seed in seeds]
    cluster = pytest.param("cluster", every[0][1], marks=pytest.mark.cluster)
    return pytest.mark.parametrize(("event_store", "seed"), [*every, cluster], indirect=["event_store"])


_databases = itertools.count(1)

_TABLES = Sql("""SELECT name FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_version'""")


@pytest.fixture(scope="session")
def clickhouse_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes, one shard each."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.start()
    except NoEngine as reason:
        pytest.skip(f"no ClickHouse cluster: {reason}")
    yield cluster
    cluster.stop()


@pytest.fixture(params=KINDS)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """How a test opens a fresh store, again if it likes; what is still open at the end is closed."""
    opened: list[EventStore] = []

    def opener(**settings: object) -> EventStore:
        store = open_event_store(Config(data=tmp_path, **{"events_url": url, **settings}))  # type: ignore[arg-type]
        opened.append(store)
        return store

    url = "" if request.param == "chdb" else _create_database(request.getfixturevalue("clickhouse_cluster"))
    yield opener
    for store in opened:
        store.close()
    if url:
        _drop_database(request.getfixturevalue("clickhouse_cluster"), url)


@pytest.fixture(params=KINDS)
def event_store(request: pytest.FixtureRequest) -> Iterator[EventStore]:
    """An empty store, ready for use, that keeps rows for ever."""
    store = request.getfixturevalue(f"kept_{request.param}").opened()
    yield store
    store.close()


@dataclass
class Kept:
    """A database that test after test uses. `nodes` are those of the cluster, each by itself, which stay open."""

    config: Config
    nodes: list[EventStore] = field(default_factory=list)
    _is_migrated: bool = False

    def opened(self) -> EventStore:
        """The store, migrated, without a row of those that used it before."""
        store = open_event_store(self.config)
        if not self._is_migrated:
            store.migrate()
            self._is_migrated = True
        else:
            for node in self.nodes or [store]:
                _empty(node)
        return store


@pytest.fixture(scope="session")
def kept_chdb(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(_for_ever(tmp_path_factory))


@pytest.fixture(scope="session")
def kept_cluster(tmp_path_factory: pytest.TempPathFactory, clickhouse_cluster: Cluster) -> Iterator[Kept]:
    url = _create_database(clickhouse_cluster)
    database = urlsplit(url).path
    config = _for_ever(tmp_path_factory, url)
    nodes = [
        open_event_store(replace(config, events_url=clickhouse_cluster.node_url(index).replace("/default", database)))
        for index in range(clickhouse_cluster.count)
    ]
    yield Kept(config, nodes)
    for node in nodes:
        node.close()


def _for_ever(tmp_path_factory: pytest.TempPathFactory, url: str = "") -> Config:
    days = {"logs_retention_days": 0, "signals_retention_days": 0, "rejected_retention_days": 0}
    return Config(data=tmp_path_factory.mktemp("kept"), events_url=url, **days)


def _empty(store: EventStore) -> None:
    """Also forgets which lines were inserted, so that equal ones count anew."""
    for row in store.query(_TABLES):
        store.command(Sql(f"TRUNCATE TABLE {row['name']}"))


def _create_database(cluster: Cluster) -> str:
    """URL of a new database on all nodes."""
    database = f"test{next(_databases)}"
    for index in range(cluster.count):
        _on(cluster.node_url(index), f"CREATE DATABASE {database}")
    return cluster.url.replace("/default?", f"/{database}?")


def _drop_database(cluster: Cluster, url: str) -> None:
    for index in range(cluster.count):
        _on(cluster.node_url(index), f"DROP DATABASE {urlsplit(url).path.strip('/')}")


def _on(url: str, statement: str) -> None:
    node = urlsplit(url)
    client = clickhouse_connect.get_client(host=node.hostname, port=node.port)
    client.command(statement)
    client.close()
