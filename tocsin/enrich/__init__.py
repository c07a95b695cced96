"""3. Event to Event with context: geography, user agent, addresses."""

from tocsin.enrich.enricher import Enricher
from tocsin.enrich.geo import BadDatabase, Places
from tocsin.enrich.url import parse_url
from tocsin.enrich.user_agent import parse_user_agent

__all__ = ["BadDatabase", "Enricher", "Places", "parse_url", "parse_user_agent"]
