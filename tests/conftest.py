"""Fixtures for all tests; each lives in the file of its subject."""

import os

from api_server import api, fresh_api
from event_stores import clickhouse_cluster, event_store, open_store
from hypothesis import settings
from postgres import postgres_server, postgres_url

__all__ = ["api", "clickhouse_cluster", "event_store", "fresh_api", "open_store", "postgres_server", "postgres_url"]

# A developer's run looks for new examples each time; CI, which must not fail by chance, takes the same ones. Durations
# are never asserted.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
