"""Every IP address in an event, wherever it stands (siem.md §1.7).

Not collected: what is glued to letters or digits, dotted numbers of more than four parts, versions (`Chrome/120.0.0.0`,
`version 1.2.3.4`, attributes whose name ends in `version`), and a bare `::` inside a text (it is rather Ruby or C++).
"""

import re
import string
from collections.abc import Mapping
from ipaddress import AddressValueError, IPv6Address

from tocsin.event import Event, Json
from tocsin.query.values import Scalar, flatten, whole_text
from tocsin.remembering import remembered

ADDRESSES = 100
"""Addresses that are kept of one event."""

ATTEMPTS = 2_000
"""Occurrences of `::` that are looked at in one text."""

PLACES = 20
"""Paths that are kept for one address."""

_BELOW = "network.ip."
"""Where the result is kept."""

# From its first dot on, since dots are few and the engine searches for a plain character many times faster than for a
# set; what stands before is looked at afterwards. The short form of IPv6 is found by its `::` in the same way.
_V4_REST = re.compile(r"\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?!\w|\.\w)")
_DIGITS = frozenset("0123456789")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_V4_WHOLE = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
"""Written so, an address has its short form already."""
_V6_LONG = re.compile(
    r"[0-9A-Fa-f][0-9A-Fa-f]{0,3}(?::[0-9A-Fa-f]{1,4}){5}:(?:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}|[0-9.]{7,15})(?![\w:]|\.\w)"
)
_V6_CHARACTERS = frozenset("0123456789abcdefABCDEF:")
_V6_TAIL = re.compile(r"[0-9A-Fa-f:]*(?:(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){3})?(?![\w:]|\.\w)")
_LONGEST_V6 = 46
_BEFORE = ("_", ".", ":", "%")
_PRODUCT = re.compile(r"[A-Za-z][\w.+-]*/\Z|(?i:version|ver|release|build)s?[\"'\s:=/]{0,4}v?\Z")
_NO_LAST_LETTERS = frozenset(string.ascii_letters + string.digits) - frozenset("rnedsRNEDS")
"""What none of those words ends with."""
_PORT = re.compile(r":[0-9]{1,5}(?![0-9])")

Found = tuple[str, ...]


def addresses_in(text: str) -> Found:
    """The addresses of one text in order, each once, in their short lower-case form."""
    if ("." in text and text.count(".") >= 3) or (":" in text and ("::" in text or text.count(":") >= 6)):
        return _remembered(text)
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
        for match in _V4_REST.finditer(text):
            if len(found) >= ADDRESSES:
                break
            start = dot = match.start()
            while start and dot - start < 3 and text[start - 1] in _DIGITS:
                start -= 1
            if start == dot:
                continue
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
            address = canonical(text[start : match.end()])
            if address is not None:
                found.append((start, match.end(), address))
    if len(found) < 2:
        return (found[0][2],) if found else ()
    found.sort()
    return tuple(dict.fromkeys([address for _, _, address in found]))


def _may_be_version(text: str, end: int) -> bool:
    """Whether the second half of `_PRODUCT` can match what ends here; a tenth of its price.

    What stands at the end is no letter.
    """
    if end > 1 and text[end - 2] in _NO_LAST_LETTERS:
        return False
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


_remembered = remembered(65536)(_search)
"""Names, addresses and agents repeat, with what they hold."""


@remembered(65536)
def canonical(text: str) -> str | None:
    """The short lower-case form; IPv4-mapped IPv6 as IPv4. None if the text is no address."""
    text = text.partition("%")[0]
    try:
        if ":" not in text:
            return text if _V4_WHOLE.fullmatch(text) else None
        address = IPv6Address(text)
    except AddressValueError:
        return None
    return str(address.ipv4_mapped) if address.ipv4_mapped else address.compressed


def is_version(name: str) -> bool:
    """Whether an attribute is a version by its name, so that four numbers in it are no address."""
    return name.lower().endswith("version")


def collect(event: Event, values: Mapping[str, list[Scalar]]) -> list[tuple[str, list[str], list[str]]]:
    """Each address of an event with its sources (`@` and the top-level name) and paths, in order of appearance.

    `values` are those of its attributes by path. At most `ADDRESSES`. What is below `network.ip`, where the result is
    kept, is not looked at.
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

    # Lines do not repeat: remembered, they would push out what does.
    if event.message and (addresses := _search(event.message)):
        note(addresses, "@message", "message")
    if event.host and (addresses := addresses_in(event.host)):
        note(addresses, "@host", "host")
    if event.service and (addresses := addresses_in(event.service)):
        note(addresses, "@service", "service")
    for tag in event.tags:
        if tag.count(".") >= 3 or tag.count(":") >= 3:
            key, _, value = tag.partition(":")
            if addresses := addresses_in(value or key):
                note(addresses, "@tags", f"tags.{key}" if value else "tags")
    for path, at_path in values.items():
        for text in at_path:
            # As in `addresses_in`: most texts hold no address, and calls are dear here.
            if (
                text.__class__ is str
                and (("." in text and text.count(".") >= 3) or (":" in text and ("::" in text or text.count(":") >= 6)))
                and (addresses := _remembered(text))
                and not is_version(path)
                and not path.startswith(_BELOW)
            ):
                note(addresses, f"@{_top(path, event.attributes)}", path)
    return [(address, list(sources), list(paths)) for address, (sources, paths) in found.items()]


def _top(path: str, attributes: Mapping[str, Json]) -> str:
    """The top-level name that a path begins with; it may have dots itself."""
    name = path.partition(".")[0]
    if name in attributes:
        return name
    return next((name for name in attributes if path == name or path.startswith(f"{name}.")), name)


def add_addresses(event: Event, values: dict[str, list[Scalar]] | None = None) -> None:
    """Write `network.ip.list` and `network.ip.attributes`; nothing where the event holds no address.

    `values` are those of its attributes by path, if they are at hand; they learn the same.
    """
    if values is None:
        values = flatten(event.attributes)
    found = collect(event, values)
    if not found:
        return
    network = event.attributes.get("network")
    if type(network) is not dict:
        if network is not None:
            return  # the record has a `network` of its own that is no object: it is not overwritten
        network = event.attributes["network"] = {}
    is_overwritten = "ip" in network
    addresses = [address for address, _, _ in found]
    network["ip"] = {
        "list": addresses,
        "attributes": [{"ip": address, "source": sources, "paths": paths} for address, sources, paths in found],
    }
    if is_overwritten:
        values.clear()
        values.update(flatten(event.attributes))
        return
    # What `flatten` would find in it.
    sources = [source if source.isascii() else whole_text(source) for _, those, _ in found for source in those]
    paths = [path if path.isascii() else whole_text(path) for _, _, those in found for path in those]
    for name, learnt in (("list", addresses), ("attributes.ip", addresses), ("attributes.source", sources)):
        values.setdefault(_BELOW + name, []).extend(learnt)
    values.setdefault(f"{_BELOW}attributes.paths", []).extend(paths)
