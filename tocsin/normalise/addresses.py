"""Every IP address in an event, wherever it stands (siem.md §1.7).

Not collected: what is glued to letters or digits, dotted numbers of more than four parts, versions (`Chrome/120.0.0.0`,
`version 1.2.3.4`, attributes whose name ends in `version`), and a bare `::` inside a text (it is rather Ruby or C++).
"""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from tocsin.event import Event, Json

ADDRESSES = 100
"""Addresses that are kept of one event."""

PLACES = 20
"""Paths that are kept for one address."""

DEPTH = 64
"""Deeper objects are not walked; the limits of events end long before."""

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_CANDIDATE = re.compile(
    # IPv6: at least two colons, hexadecimal; it may end in a dotted IPv4.
    rf"(?<![\w:.%-])(?P<v6>(?=[0-9A-Fa-f]*:[0-9A-Fa-f]*:)[0-9A-Fa-f:]{{2,39}}(?:{_OCTET}(?:\.{_OCTET}){{3}})?)(?![\w:]|\.\w)"
    rf"|(?<![\w.])(?P<v4>{_OCTET}(?:\.{_OCTET}){{3}})(?!\w|\.\w)"
)
_PRODUCT = re.compile(r"[A-Za-z][\w.+-]*/\Z|(?i:version|ver|release|build)s?[\"'\s:=/]{0,4}v?\Z")
_PORT = re.compile(r":[0-9]{1,5}(?![0-9])")
_SHORT = 256
"""Texts up to this length are remembered with what they hold: names, addresses and agents repeat."""

Found = tuple[str, ...]


def addresses_in(text: str) -> Found:
    """The addresses of one text in order, each once, in their short lower-case form."""
    if text.count(".") < 3 and text.count(":") < 2:
        return ()
    return _remembered(text) if len(text) <= _SHORT else _search(text)


def _search(text: str) -> Found:
    found: dict[str, None] = {}
    for match in _CANDIDATE.finditer(text):
        start, end = match.span()
        if match["v4"] is not None:
            # A product and its version look like a path and an address, but a version has no port.
            if start and _PRODUCT.search(text, max(0, start - 40), start) and not _PORT.match(text, end):
                continue
            found[match["v4"]] = None
            continue
        written = match["v6"]
        if written == "::" and len(text) > 3:
            continue
        address = canonical(written)
        if address is not None:
            found[address] = None
    return tuple(found)


_remembered = lru_cache(maxsize=65536)(_search)


@lru_cache(maxsize=65536)
def canonical(text: str) -> str | None:
    """The short lower-case form; IPv4-mapped IPv6 as IPv4. None if the text is no address."""
    text = text.partition("%")[0]
    try:
        if ":" not in text:
            return str(IPv4Address(text))
        address = IPv6Address(text)
    except AddressValueError:
        return None
    return str(address.ipv4_mapped) if address.ipv4_mapped else address.compressed


def collect(event: Event) -> list[tuple[str, list[str], list[str]]]:
    """Each address of an event with its sources (`@` and the top-level name) and paths, in order of appearance.

    At most `ADDRESSES`. `network.ip` itself, where the result is kept, is not looked at.
    """
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}

    def note(addresses: Found, source: str, path: str) -> None:
        for address in addresses:
            places = found.get(address)
            if places is None:
                if len(found) >= ADDRESSES:
                    continue
                places = found[address] = ({}, {})
            places[0][source] = None
            if len(places[1]) < PLACES:
                places[1][path] = None

    if event.message:
        addresses = addresses_in(event.message)
        if addresses:
            note(addresses, "@message", "message")
    for name in ("host", "service"):
        value = getattr(event, name)
        if value and (addresses := addresses_in(value)):
            note(addresses, f"@{name}", name)
    for tag in event.tags:
        key, _, value = tag.partition(":")
        if addresses := addresses_in(value or key):
            note(addresses, "@tags", f"tags.{key}" if value else "tags")
    for name, value in event.attributes.items():
        kind = type(value)
        if kind is str:
            addresses = addresses_in(value)
            if addresses and not name.lower().endswith("version"):
                note(addresses, f"@{name}", name)
        elif kind is dict or kind is list:
            hits: list[tuple[str, Found]] = []
            _walk(value, name, hits, DEPTH)
            for path, addresses in hits:
                note(addresses, f"@{name}", path)
    return [(address, list(sources), list(paths)) for address, (sources, paths) in found.items()]


def _walk(node: Json, path: str, hits: list[tuple[str, Found]], depth: int) -> None:
    if type(node) is dict:
        prefix = path + "."
        for key, value in node.items():
            kind = type(value)
            if kind is str:
                if (value.count(".") >= 3 or value.count(":") >= 2) and (addresses := addresses_in(value)):
                    if not key.lower().endswith("version"):
                        hits.append((prefix + key, addresses))
            elif (kind is dict or kind is list) and depth and not (key == "ip" and path == "network"):
                _walk(value, prefix + key, hits, depth - 1)
    else:
        for value in node:
            kind = type(value)
            if kind is str:
                addresses = addresses_in(value)
                if addresses:
                    hits.append((path, addresses))
            elif (kind is dict or kind is list) and depth:
                _walk(value, path, hits, depth - 1)


def add_addresses(event: Event) -> None:
    """Write `network.ip.list` and `network.ip.attributes`; nothing where the event holds no address."""
    found = collect(event)
    if not found:
        return
    network = event.attributes.get("network")
    if type(network) is not dict:
        if network is not None:
            return  # the record has a `network` of its own that is no object: it is not overwritten
        network = event.attributes["network"] = {}
    network["ip"] = {
        "list": [address for address, _, _ in found],
        "attributes": [{"ip": address, "source": sources, "paths": paths} for address, sources, paths in found],
    }
