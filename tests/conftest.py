"""Fixtures for all tests; each lives in the file of its subject."""

import os

from api_server import api, fresh_api
from event_stores import clickhouse_cluster, event_store, open_store
from hypothesis import HealthCheck, settings
from postgres import postgres_server, postgres_url

__all__ = ["api", "clickhouse_cluster", "event_store", "fresh_api", "open_store", "postgres_server", "postgres_url"]

# A developer's run looks for new examples each time; `make test`, which must not fail by chance, takes the same ones.
# Durations are never asserted: neither of an example, nor of making the first ones up.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
