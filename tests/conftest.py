"""Fixtures for all tests; each lives in the file of its subject."""

from api_server import api, fresh_api
from event_stores import clickhouse_cluster, event_store, open_store
from postgres import postgres_server, postgres_url

__all__ = ["api", "clickhouse_cluster", "event_store", "fresh_api", "open_store", "postgres_server", "postgres_url"]
