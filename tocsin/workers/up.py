"""All roles in one process: web, intake, evaluate, work (`tocsin up`)."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
import uvicorn
from fastapi import FastAPI
from rich.console import Console

from tocsin.access.local_keys import LocalKeys, read_local_keys, save_local_keys
from tocsin.access.service import FirstStart
from tocsin.api.app import create_app
from tocsin.bootstrap import Services, build
from tocsin.config import BadSetting, Config, load_config, misspelt
from tocsin.garbage import collect_seldom
from tocsin.workers.logs import set_up_logs
from tocsin.workers.threads import Workers

log = structlog.get_logger(__name__)


def run(config: Config, *, reload: bool = False) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises `TocsinError` when the address is taken or a store cannot be opened."""
    set_up_logs(config.log_format)
    if config.data.is_file():
        raise BadSetting(f"{config.data} is a file; the data directory (--data) must be a directory")
    _check_address(config.host, config.port)
    for name, near in misspelt():
        log.warning("this variable is no setting, and is not read", variable=name, near=near)
    options = {
        "host": config.host,
        "port": config.port,
        "log_config": None,
        "access_log": False,
        "server_header": False,
    }
    if reload:
        os.environ |= {
            "TOCSIN_DATA": str(config.data),
            "TOCSIN_HOST": config.host,
            "TOCSIN_PORT": str(config.port),
            "TOCSIN_DEMO": str(config.demo),
        }
        uvicorn.run("tocsin.workers.up:application", factory=True, reload=True, **options)  # type: ignore[arg-type]
    else:
        uvicorn.run(assemble(config), timeout_graceful_shutdown=10, **options)  # type: ignore[arg-type]


def _check_address(host: str, port: int) -> None:
    """Raises `BadSetting` if nobody can listen there: said before anything is made, and not after the greeting."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, _, _, address = found[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise BadSetting(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another address with --port or --host"
        ) from error


def application() -> FastAPI:
    """For the reloading server, which makes the application anew in a process of its own."""
    return assemble(load_config())


def assemble(config: Config) -> FastAPI:
    """The application with its services and workers; they run from start-up to shutdown."""
    services = build(config)
    url = f"http://{_reachable(config.host)}:{config.port}"
    made = services.access.bootstrap(lambda first: _keep(config, url, first))
    _greet(config, services, url, made)
    workers = Workers(services, url)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        collect_seldom()
        workers.start()
        try:
            yield
        finally:
            workers.stop()

    app = create_app(services)
    app.router.lifespan_context = lifespan
    return app


def _keep(config: Config, url: str, first: FirstStart) -> None:
    save_local_keys(config.data, LocalKeys(url, first.api_key, first.app_key))


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _greet(config: Config, services: Services, url: str, made: FirstStart | None) -> None:
    """Say where Tocsin is and how to sign in; what was made up at the first start is shown only now."""
    keys = read_local_keys(config.data)
    if keys.url and keys.url != url:
        save_local_keys(config.data, LocalKeys(url, keys.api_key, keys.app_key))
    console = Console(stderr=True, highlight=False)
    console.print(f"\n  [bold]Tocsin[/] is at [bold]{url}[/]")
    if made is None:
        console.print("  Sign in as before. A password is lost? tocsin user password E-MAIL\n")
    elif made.is_password_generated:
        console.print(f"  Sign in as [bold]{made.email}[/] with the password [bold]{made.password}[/]")
        console.print("  It is shown only now; change it with: tocsin user password " + made.email + "\n")
    else:
        console.print(f"  Sign in as [bold]{made.email}[/] with the password that you gave.\n")
    if services.places_warning:
        log.warning(services.places_warning)
