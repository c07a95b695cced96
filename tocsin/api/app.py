"""The HTTP application: every router of this package, the layers around them, and the web application's files."""

import importlib
import pkgutil
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import GZipMiddleware

import tocsin as package
from tocsin import api
from tocsin.api import errors, intake
from tocsin.api.context import Tocsin
from tocsin.api.edge import Body, Edge
from tocsin.api.web import WebFiles

WEB_FILES = Path(package.__file__).parent / "web"


def create_app(services: Tocsin, web_files: Path = WEB_FILES) -> FastAPI:
    """The application over these services. `web_files` is the built web application, served if it is there."""
    app = FastAPI(
        title="Tocsin",
        version=package.__version__,
        description="Logs in, threats found, signals triaged. Paths and shapes are those of Datadog's public API.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.tocsin = services
    errors.install(app)
    # Routes are tried in turn, and what comes in most goes first.
    for router in sorted(routers(), key=lambda router: router is not intake.router):
        app.include_router(router)
    app.add_middleware(Body)
    app.add_middleware(WebFiles, folder=web_files)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(Edge, metrics=services.metrics)
    return app


def routers() -> list[APIRouter]:
    """The `router` of every module of this package that has one, in the order of the modules' names."""
    modules = (importlib.import_module(f"{api.__name__}.{found.name}") for found in pkgutil.iter_modules(api.__path__))
    return [module.router for module in modules if isinstance(getattr(module, "router", None), APIRouter)]
