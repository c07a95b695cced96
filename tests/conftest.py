"""Fixtures for all tests; each lives in the file of its subject."""

import os
from collections.abc import Iterator

import pytest
from api_server import api, fresh_api
from event_stores import clickhouse_cluster, event_store, kept_chdb, kept_cluster, open_store
from hypothesis import HealthCheck, settings
from postgres import postgres_server, postgres_url
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tocsin.garbage import collect_nothing, collect_seldom

__all__ = [
    "api",
    "clickhouse_cluster",
    "event_store",
    "fresh_api",
    "kept_chdb",
    "kept_cluster",
    "open_store",
    "postgres_server",
    "postgres_url",
]

# A developer's run looks for new examples each time; `make test`, which must not fail by chance, takes the same ones.
# Durations are never asserted: neither of an example, nor of making the first ones up.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

BROWSER = "test_browser"

LONG = (
    BROWSER,
    "test_openapi",
    "test_survives",
    "test_evaluator",
    "test_event_store",
    "test_cli",
    "test_ingest_shared",
    "test_learning",
    "test_backtest",
    "test_correlation",
    "test_rules_cli",
    "test_explore_agrees",
    "test_mixed",
    "test_access_api",
    "test_scheduled",
    "test_query_sql_agrees",
    "test_every_route",
    "test_query_on_tracks",
    "test_state_store",
    "test_methods_live",
    "test_shared_records",
    "test_intake_store",
    "test_restriction_policies",
    "test_sdk_jobs",
    "test_replay",
    "test_intake_kill",
    "test_ledger",
)
"""Where most of the time goes, longest first. Workers take file after file: they end together if the last are short
(decisions 0159, 0206)."""


class Shares(LoadFileScheduling):
    """A file is one worker's, and so are all browser tests: each worker with some would start a server and play the
    story on it, which costs more than most of their files."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return BROWSER if BROWSER in file else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shares | None:
    return Shares(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first; all others keep their places. Each test has an id of its own: workers run tests by id."""
    if len({item.nodeid for item in items}) < len(items):
        raise pytest.UsageError("some tests have the same id: workers would run only one of them")
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(BROWSER if BROWSER in item.path.stem else item.path.stem, len(LONG)))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """The tests, and all that they import, stay to the end: looking through them again and again for what nobody can
    reach took a tenth of the time."""
    collect_nothing()
    yield
    collect_seldom()
