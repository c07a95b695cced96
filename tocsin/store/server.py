"""A ClickHouse server, or a cluster of them, over HTTP.

`clickhouse://user:password@host:8123/database?cluster=name`; `clickhouses://` (or `?secure=1`) for TLS. Data definition
runs on every node that `system.clusters` lists, which needs no Keeper. The nodes' HTTP ports are the port of the URL,
or, where they differ, `?http_ports=18001,18002` in the order of the shards.
"""

from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from tocsin.config import BadSetting
from tocsin.store.clickhouse import SESSION_SETTINGS, ClickHouseEvents
from tocsin.store.faults import told
from tocsin.store.limits import Limits, Retention
from tocsin.store.pool import Pool

READERS = 16
WRITERS = 8

_CLUSTER_NODES = """SELECT host_name FROM system.clusters WHERE cluster = {cluster:String}
ORDER BY shard_num, replica_num"""


def open_server(url: str, limits: Limits, retention: Retention) -> ClickHouseEvents:
    """Raises `BadSetting` for a URL that makes no sense, `Unavailable` when nobody answers."""
    parts = urlsplit(url)
    if parts.scheme not in ("clickhouse", "clickhouses", "http", "https") or not parts.hostname:
        raise BadSetting("events_url must look like clickhouse://user:password@host:8123/database?cluster=name")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    secure = parts.scheme in ("clickhouses", "https") or options.get("secure") == "1"
    port = parts.port or (8443 if secure else 8123)
    database = parts.path.strip("/") or "default"
    cluster = options.get("cluster")

    def connector(host: str, at: int) -> Callable[[], Client]:
        def connect() -> Client:
            with told():
                return clickhouse_connect.get_client(
                    host=host,
                    port=at,
                    username=unquote(parts.username or "default"),
                    password=unquote(parts.password or ""),
                    database=database,
                    secure=secure,
                    settings=dict(SESSION_SETTINGS),
                    autogenerate_session_id=False,
                    compress="zstd",
                )

        return connect

    first = connector(parts.hostname, port)
    readers, writers = Pool(first, READERS), Pool(first, WRITERS)
    nodes = [writers]
    with told(), readers.client() as client:  # fail now, not at the first search
        hosts = [row[0] for row in client.query(_CLUSTER_NODES, {"cluster": cluster or ""}).result_rows]
    if cluster:
        if not hosts:
            raise BadSetting(f"the server at {parts.hostname}:{port} knows no cluster '{cluster}'")
        ports = [int(each) for each in options.get("http_ports", "").split(",") if each] or [port] * len(hosts)
        if len(ports) != len(hosts):
            raise BadSetting(f"http_ports names {len(ports)} ports, the cluster has {len(hosts)} nodes")
        nodes = [Pool(connector(host, at), 1) for host, at in zip(hosts, ports, strict=True)]
    return ClickHouseEvents(readers, writers, nodes, limits=limits, retention=retention, cluster=cluster, attempts=3)
