"""Domains and where their registrable part begins, by the public suffix list that the library carries (no network)."""

import re
from functools import cache

from publicsuffixlist import PublicSuffixList

from tocsin.remembering import remembered

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_\-]{0,61}[a-z0-9_])?")


@cache
def _suffixes(private: bool) -> PublicSuffixList:
    return PublicSuffixList(only_icann=not private)


def domain_of(text: str) -> str | None:
    """A domain of at least two labels in lower case and ASCII (Punycode), without the dot at its end; else None."""
    name = text.strip().lower().rstrip(".")
    if "." not in name or len(name) > 253:
        return None
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    labels = name.split(".")
    if labels[-1].isdigit() or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    return name


@remembered(4096)
def is_public_suffix(domain: str, *, private: bool) -> bool:
    """Whether anybody may have names below a domain: `co.uk`, and with `private` also `github.io` or `dyndns.org`."""
    return bool(_suffixes(private).is_public(domain))
