"""Numbered steps of the event store's schema; each may be repeated (`store/migrate.py`)."""
