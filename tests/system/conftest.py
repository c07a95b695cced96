"""Fixtures of the system tests; each lives in the file of its subject."""

from browser import ana, browser, reader, readers_account, web_server

__all__ = ["ana", "browser", "reader", "readers_account", "web_server"]
