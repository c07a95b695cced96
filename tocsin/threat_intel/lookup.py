"""What a value that somebody has at hand may be listed as: itself, or something that holds it (siem.md §6.2). Pure.

The same relations as when logs are enriched: an address is in networks, a domain below others, and a URL or an e-mail
address has a host.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Literal

from tocsin.enrich.domains import is_public_suffix
from tocsin.enrich.indicators import TYPES, WIDEST_V4, WIDEST_V6, BadIndicator, canonical, host_of, refanged

Relation = Literal["exact", "network", "parent_domain", "host"]

Key = tuple[str, str]
"""Type and value of an indicator, as feeds keep it."""


def relations(text: str) -> Mapping[Key, Relation]:
    """The indicators that would speak of a value, and how each relates to it, the closest first.

    `text` may be written harmlessly (`hxxps://evil[.]example`) and of any type; empty where it can be none.
    """
    found: dict[Key, Relation] = {}
    text = refanged(text)
    for kind in TYPES:
        if (value := _as(kind, text)) is not None and (kind != "url" or "/" in text):
            found[kind, value] = "exact"
    address = _as("ip_address", text)
    domain = _as("domain", text)
    if address is None and domain is None:
        host = host_of(text if "://" in text else f"any://{text}") or ""
        address, domain = _as("ip_address", host), _as("domain", host)
        if address is not None:
            found["ip_address", address] = "host"
        if domain is not None:
            found["domain", domain] = "host"
    if address is not None:
        found |= {("ip_address", network): "network" for network in _networks(address)}
    elif domain is not None:
        found |= {("domain", parent): "parent_domain" for parent in _parents(domain)}
    return found


def _as(kind: str, text: str) -> str | None:
    try:
        return canonical(kind, text)
    except BadIndicator:
        return None


def _networks(address: str) -> Iterator[str]:
    """The wider networks that hold an address or network, the narrowest first."""
    network = ipaddress.ip_network(address)
    widest = WIDEST_V4 if network.version == 4 else WIDEST_V6
    for length in range(network.prefixlen - 1, widest - 1, -1):
        yield str(network.supernet(new_prefix=length))


def _parents(domain: str) -> Iterator[str]:
    """The domains above one, the nearest first, as far as they are somebody's own."""
    parent = domain
    while "." in parent:
        parent = parent.partition(".")[2]
        if not is_public_suffix(parent, private=True):
            yield parent
