"""Fixtures for all tests; each lives in the file of its subject."""

from postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]
