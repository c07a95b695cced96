"""Adds context where the pipelines did not: places of addresses, details of user agents and URLs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tocsin.enrich.geo import LONGEST_ADDRESS
from tocsin.enrich.url import parse_url
from tocsin.enrich.user_agent import parse_user_agent, user_agent_values
from tocsin.event import Event
from tocsin.query.values import Scalar, flatten

Place = Callable[[str], dict[str, Any]]
Values = Mapping[str, Sequence[Scalar]]

REMEMBERED = 16_384
"""Addresses whose values are remembered: places have few and short ones."""


class Enricher:
    """`place` looks an address up: `Places.place`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._known: dict[str, Values] = {}

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
                        if place and values is not None:
                            _learn(values, f"network.{side}.geoip", self._values(address, place))
        http = attributes.get("http")
        if type(http) is dict:
            agent = http.get("useragent")
            if type(agent) is str and "useragent_details" not in http:
                http["useragent_details"] = parse_user_agent(agent)
                _learn(values, "http.useragent_details", user_agent_values(agent))
            url = http.get("url")
            if type(url) is str and "url_details" not in http:
                http["url_details"] = details = parse_url(url)
                _learn(values, "http.url_details", flatten(details))

    def _values(self, address: str, place: dict[str, Any]) -> Values:
        known = self._known.get(address)
        if known is None:
            known = flatten(place)
            if len(address) <= LONGEST_ADDRESS:
                if len(self._known) >= REMEMBERED:
                    self._known.clear()
                self._known[address] = known
        return known


def _learn(values: dict[str, list[Scalar]] | None, path: str, added: Values) -> None:
    if values is None:
        return
    for below, found in added.items():
        values.setdefault(f"{path}.{below}", []).extend(found)
