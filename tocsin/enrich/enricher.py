"""Adds context where the pipelines did not: places of addresses, details of user agents and URLs."""

from collections.abc import Callable
from typing import Any

from tocsin.enrich.url import parse_url
from tocsin.enrich.user_agent import parse_user_agent
from tocsin.event import Event
from tocsin.query.values import Scalar, flatten

Place = Callable[[str], dict[str, Any]]


class Enricher:
    """`place` looks an address up: `Places.place`."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def enrich(self, event: Event, values: dict[str, list[Scalar]] | None = None) -> None:
        """Add `network.client.geoip`, `network.destination.geoip`, `http.useragent_details`, `http.url_details`.

        What is there stays as it is. An address that is private or unknown gives an empty object. `values` are those of
        the attributes by path, if they are at hand; they learn the same.
        """
        attributes = event.attributes
        network = attributes.get("network")
        if type(network) is dict:
            for side in ("client", "destination"):
                peer = network.get(side)
                if type(peer) is dict and "geoip" not in peer:
                    address = peer.get("ip")
                    if type(address) is str:
                        peer["geoip"] = place = self._place(address)
                        _learn(values, f"network.{side}.geoip", place)
        http = attributes.get("http")
        if type(http) is dict:
            agent = http.get("useragent")
            if type(agent) is str and "useragent_details" not in http:
                http["useragent_details"] = details = parse_user_agent(agent)
                _learn(values, "http.useragent_details", details)
            url = http.get("url")
            if type(url) is str and "url_details" not in http:
                http["url_details"] = details = parse_url(url)
                _learn(values, "http.url_details", details)


def _learn(values: dict[str, list[Scalar]] | None, path: str, added: dict[str, Any]) -> None:
    if values is not None and added:
        for below, found in flatten(added).items():
            values.setdefault(f"{path}.{below}", []).extend(found)
