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

ATTEMPTS = 2_000
"""Occurrences of `::` that are looked at in one text."""

PLACES = 20
"""Paths that are kept for one address."""

DEPTH = 64
"""Deeper objects are not walked; the limits of events end long before."""

# It begins with a plain set of characters, which the engine searches many times faster than an assertion; what
# stands before a match is looked at afterwards. The same for the long form of IPv6; the short one is found by its `::`.
_V4 = re.compile(r"[0-9][0-9]{0,2}(?:\.[0-9]{1,3}){3}(?!\w|\.\w)")
_V6_LONG = re.compile(
    r"[0-9A-Fa-f][0-9A-Fa-f]{0,3}(?::[0-9A-Fa-f]{1,4}){5}:(?:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}|[0-9.]{7,15})(?![\w:]|\.\w)"
)
_V6_CHARACTERS = frozenset("0123456789abcdefABCDEF:")
_V6_TAIL = re.compile(r"[0-9A-Fa-f:]*(?:(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){3})?(?![\w:]|\.\w)")
_LONGEST_V6 = 46
_BEFORE = ("_", ".", ":", "%")
_PRODUCT = re.compile(r"[A-Za-z][\w.+-]*/\Z|(?i:version|ver|release|build)s?[\"'\s:=/]{0,4}v?\Z")
_PORT = re.compile(r":[0-9]{1,5}(?![0-9])")
_SHORT = 256
"""Texts up to this length are remembered with what they hold: names, addresses and agents repeat."""

Found = tuple[str, ...]


def addresses_in(text: str) -> Found:
    """The addresses of one text in order, each once, in their short lower-case form."""
    if ("." in text and text.count(".") >= 3) or (":" in text and ("::" in text or text.count(":") >= 6)):
        return _remembered(text) if len(text) <= _SHORT else _search(text)
    return ()


def _search(text: str) -> Found:
    found: list[tuple[int, int, str]] = []
    if "::" in text:
        _short_v6(text, found)
    if text.count(":") >= 6:
        for match in _V6_LONG.finditer(text):
            before = text[match.start() - 1 : match.start()]
            if not (before.isalnum() or before in _BEFORE) and (address := canonical(match[0])):
                found.append((*match.span(), address))
    if text.count(".") >= 3:
        for match in _V4.finditer(text):
            if len(found) >= ADDRESSES:
                break
            start = match.start()
            if start:
                before = text[start - 1]
                if before == "." or before == "_" or before.isalnum():
                    continue
                # A product and its version look like a path and an address, but a version has no port.
                if (
                    (before == "/" or _may_be_version(text, start))
                    and _PRODUCT.search(text, max(0, start - 40), start)
                    and not _PORT.match(text, match.end())
                ):
                    continue
                if before == ":" and any(first < start < last for first, last, _ in found):
                    continue  # the end of an IPv6 address that is written with an IPv4
            address = canonical(match[0])
            if address is not None:
                found.append((*match.span(), address))
    if len(found) > 1:
        found.sort()
    return tuple(dict.fromkeys(address for _, _, address in found))


def _may_be_version(text: str, end: int) -> bool:
    """Whether the second half of `_PRODUCT` can match what ends here; a tenth of its price."""
    tail = text[max(0, end - 16) : end].casefold()
    return "ver" in tail or "release" in tail or "build" in tail


def _short_v6(text: str, found: list[tuple[int, int, str]]) -> None:
    """IPv6 addresses that are written with `::`. In ARNs and qualified names the letter before it ends it at once."""
    at = text.find("::")
    for _ in range(ATTEMPTS):
        if at < 0 or len(found) >= ADDRESSES:
            return
        start = at
        while start and at - start < _LONGEST_V6 and text[start - 1] in _V6_CHARACTERS:
            start -= 1
        before = text[start - 1 : start]
        tail = None if before.isalnum() or before in _BEFORE else _V6_TAIL.match(text, at)
        end = at + 2
        if tail is not None:
            end = max(end, tail.end())
            written = text[start:end]
            if (written != "::" or len(text) <= 3) and end - start <= _LONGEST_V6 and (address := canonical(written)):
                found.append((start, end, address))
        at = text.find("::", end)


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


def is_version(name: str) -> bool:
    """Whether an attribute is a version by its name, so that four numbers in it are no address."""
    return name.lower().endswith("version")


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
        if tag.count(".") >= 3 or tag.count(":") >= 3:
            key, _, value = tag.partition(":")
            if addresses := addresses_in(value or key):
                note(addresses, "@tags", f"tags.{key}" if value else "tags")
    for name, value in event.attributes.items():
        kind = type(value)
        if kind is str:
            # The same look as in `addresses_in`: most texts hold neither a dot nor a colon, and calls are dear here.
            if ("." in value or ":" in value) and (addresses := addresses_in(value)) and not is_version(name):
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
                if ("." in value or ":" in value) and (addresses := addresses_in(value)) and not is_version(key):
                    hits.append((prefix + key, addresses))
            elif (kind is dict or kind is list) and depth and not (key == "ip" and path == "network"):
                _walk(value, prefix + key, hits, depth - 1)
    else:
        for value in node:
            kind = type(value)
            if kind is str:
                if ("." in value or ":" in value) and (addresses := addresses_in(value)):
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
