"""A real ClickHouse cluster on this machine, for tests of the scale-out path.

The npm package ships the engine as a library whose `chdb_query_cmdline` runs `clickhouse local`, and that can listen:
native TCP between the nodes, HTTP for clients. Each node is one process with its own data directory, and one shard of
the cluster `tocsin`. There is no Keeper, so nothing `Replicated`.

`python tests/cluster.py DIRECTORY` serves two nodes until it is interrupted; with `--fetch` it only fetches the engine.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from ports import free_port

PACKAGE = "@chdb/lib-linux-x64-gnu@26.7.3-stable.1"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tocsin-clickhouse"
CLUSTER = "tocsin"
START_SECONDS = 120

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG: a test run that is killed leaves no node behind

_SERVE = """SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP;
SELECT sleepEachRow(3) FROM numbers(1000000000)
SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 100000000 FORMAT Null"""


class NoEngine(Exception):
    """The engine cannot be had here; the text says why."""


def engine_library() -> Path:
    """The shared library, fetched once (about 190 MB) into the cache directory. Raises `NoEngine`."""
    library = CACHE / PACKAGE.rpartition("@")[2] / "libchdb.so"
    if library.exists():
        return library
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        raise NoEngine("the ClickHouse library is published for Linux on x86-64 only")
    npm = shutil.which("npm")
    if npm is None:
        raise NoEngine("npm is needed to fetch the ClickHouse library")
    # Unpacked beside its place and moved there at the end: several test processes may do this at once.
    fetched = CACHE / f"fetching-{os.getpid()}"
    fetched.mkdir(parents=True, exist_ok=True)
    try:
        answer = subprocess.run([npm, "pack", "--silent", PACKAGE], cwd=fetched, capture_output=True, text=True)
        if answer.returncode:
            raise NoEngine(f"npm pack {PACKAGE} failed: {answer.stderr.strip()[-300:]}")
        with tarfile.open(fetched / answer.stdout.split()[-1]) as archive:
            packed = archive.extractfile("package/libchdb.so")
            if packed is None:
                raise NoEngine(f"{PACKAGE} holds no library")
            # Copied, not extracted: `extract` takes a filter only from Python 3.11.4 on.
            with packed, open(fetched / "libchdb.so", "wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, 1 << 20)
        library.parent.mkdir(parents=True, exist_ok=True)
        (fetched / "libchdb.so").replace(library)
    finally:
        shutil.rmtree(fetched, ignore_errors=True)
    return library


@dataclass
class Cluster:
    """`count` nodes, one shard each, data under `directory`."""

    directory: Path
    count: int = 2
    _library: Path = field(init=False)
    _ports: list[tuple[int, int]] = field(init=False)
    _nodes: dict[int, subprocess.Popen[bytes]] = field(init=False, default_factory=dict)

    def start(self) -> None:
        """Raises `NoEngine` when the library cannot be had."""
        self._library = engine_library()
        self.directory.mkdir(parents=True, exist_ok=True)
        self._ports = [(free_port(), free_port()) for _ in range(self.count)]
        shards = "".join(
            f"<shard><replica><host>127.0.0.1</host><port>{tcp}</port></replica></shard>" for tcp, _ in self._ports
        )
        (self.directory / "cluster.xml").write_text(
            f"<clickhouse><remote_servers><{CLUSTER}>{shards}</{CLUSTER}></remote_servers></clickhouse>"
        )
        for index in range(self.count):
            self.start_node(index)

    @property
    def url(self) -> str:
        """For `TOCSIN_EVENTS_URL`."""
        ports = ",".join(str(http) for _, http in self._ports)
        return f"clickhouse://127.0.0.1:{self._ports[0][1]}/default?cluster={CLUSTER}&http_ports={ports}"

    def node_url(self, index: int) -> str:
        """One node by itself, as a server without a cluster."""
        return f"clickhouse://127.0.0.1:{self._ports[index][1]}/default"

    def start_node(self, index: int) -> None:
        """Start a node, also again on the same data."""
        tcp, http = self._ports[index]
        data = self.directory / f"node{index}"
        data.mkdir(exist_ok=True)
        arguments = ["clickhouse", "--config-file", str(self.directory / "cluster.xml"), "--path", str(data)]
        arguments += ["--listen_host", "127.0.0.1", "--tcp_port", str(tcp), "--http_port", str(http), "--query", _SERVE]
        with (self.directory / f"node{index}.log").open("ab") as log:
            node = subprocess.Popen(
                [sys.executable, __file__, "--node", str(self._library), *arguments], stdout=log, stderr=log
            )
        self._nodes[index] = node
        _wait_until_up(f"http://127.0.0.1:{http}/ping", node, self.directory / f"node{index}.log")

    def kill_node(self, index: int) -> None:
        node = self._nodes.pop(index)
        node.send_signal(signal.SIGKILL)
        node.wait()

    def stop(self) -> None:
        for index in list(self._nodes):
            self.kill_node(index)


def _wait_until_up(url: str, node: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while node.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=10).read()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"a ClickHouse node did not start: {log.read_text()[-1000:]}")


def _run_node(library: str, arguments: list[str]) -> None:
    """In the node's own process: does not return while the node serves."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    run = ctypes.CDLL(library).chdb_query_cmdline
    run.restype = ctypes.c_void_p
    run(len(arguments), (ctypes.c_char_p * len(arguments))(*[argument.encode() for argument in arguments]))


def _main() -> None:
    if sys.argv[1:2] == ["--node"]:
        _run_node(sys.argv[2], sys.argv[3:])
        return
    if sys.argv[1:] == ["--fetch"]:
        try:
            engine_library()
        except NoEngine as reason:
            print(f"tests of a ClickHouse cluster will be skipped: {reason}", file=sys.stderr)
        return
    cluster = Cluster(Path(sys.argv[1]))
    cluster.start()
    print(cluster.url, flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        cluster.stop()


if __name__ == "__main__":
    _main()
