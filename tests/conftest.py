"""Fixtures for all tests; each lives in the file of its subject."""

import os
from collections.abc import Iterator

import pytest
from api_server import api, fresh_api
from event_stores import clickhouse_cluster, event_store, kept_chdb, kept_cluster, open_store
from hypothesis import HealthCheck, settings
from postgres import postgres_server, postgres_url

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

LONG = (
    "test_survives",
    "test_ingest_shared",
    "test_evaluator",
    "test_event_store",
    "test_cli",
    "test_openapi",
    "test_browser_rule_editor",
    "test_browser_suppressions",
    "test_learning",
    "test_correlation",
    "test_browser",
    "test_intake_store",
    "test_browser_intel",
    "test_browser_detect",
    "test_rules_cli",
    "test_access_api",
    "test_backtest",
    "test_browser_races",
    "test_browser_reader",
    "test_explore_agrees",
    "test_scheduled",
)
"""Where most of the time goes, longest first. Workers take file after file: they end together if the last are short
(decision 0159)."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first; all others keep their places."""
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONG)))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """The tests, and all that they import, stay to the end: looking through them again and again for what nobody can
    reach took a tenth of the time."""
    collect_nothing()
    yield
    collect_seldom()
