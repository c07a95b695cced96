"""Event stores for tests: the embedded engine and the real cluster, empty, behind one fixture."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import pytest
from cluster import Cluster, NoEngine

from tocsin.config import Config
from tocsin.store.events import EventStore, open_event_store

Opener = Callable[..., EventStore]
"""Opens the store under test, on the same data each time; keywords are settings. Not migrated."""

_databases = itertools.count(1)


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


@pytest.fixture(params=["chdb", pytest.param("cluster", marks=pytest.mark.cluster)])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """How a test opens its store, again if it likes; what is still open at the end is closed."""
    opened: list[EventStore] = []

    def opener(**settings: object) -> EventStore:
        store = open_event_store(Config(data=tmp_path, **{"events_url": url, **settings}))  # type: ignore[arg-type]
        opened.append(store)
        return store

    if request.param == "chdb":
        url = ""
        yield opener
        databases: list[str] = []
    else:
        cluster: Cluster = request.getfixturevalue("clickhouse_cluster")
        database = f"test{next(_databases)}"
        databases = [cluster.node_url(index) for index in range(cluster.count)]
        for node in databases:
            _on(node, f"CREATE DATABASE {database}")
        url = cluster.url.replace("/default?", f"/{database}?")
        yield opener
    for store in opened:
        store.close()
    for node in databases:
        _on(node, f"DROP DATABASE {database}")


@pytest.fixture
def event_store(open_store: Opener) -> EventStore:
    """An empty store, ready for use, that keeps rows for ever."""
    store = open_store(logs_retention_days=0, signals_retention_days=0, rejected_retention_days=0)
    store.migrate()
    return store


def _on(url: str, statement: str) -> None:
    node = urlsplit(url)
    client = clickhouse_connect.get_client(host=node.hostname, port=node.port)
    client.command(statement)
    client.close()
