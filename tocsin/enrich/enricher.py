"""Adds context where the pipelines did not: places of addresses, details of user agents and URLs."""

from collections.abc import Callable
from typing import Any

from tocsin.enrich.url import parse_url
from tocsin.enrich.user_agent import parse_user_agent
from tocsin.event import Event

Place = Callable[[str], dict[str, Any]]


class Enricher:
    """`place` looks an address up: `Places.place`."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def enrich(self, event: Event) -> None:
        """Add `network.client.geoip`, `network.destination.geoip`, `http.useragent_details`, `http.url_details`.

        What is there stays as it is. An address that is private or unknown gives an empty object.
        """
        attributes = event.attributes
        network = attributes.get("network")
        if type(network) is dict:
            for side in ("client", "destination"):
                peer = network.get(side)
                if type(peer) is dict and "geoip" not in peer:
                    address = peer.get("ip")
                    if type(address) is str:
                        peer["geoip"] = self._place(address)
        http = attributes.get("http")
        if type(http) is dict:
            agent = http.get("useragent")
            if type(agent) is str and "useragent_details" not in http:
                http["useragent_details"] = parse_user_agent(agent)
            url = http.get("url")
            if type(url) is str and "url_details" not in http:
                http["url_details"] = parse_url(url)
