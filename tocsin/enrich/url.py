"""URLs to `host`, `port`, `path`, `queryString`, `scheme`, `hash` (siem.md §1.11); whatever is written, none fails."""

import re
from typing import Any
from urllib.parse import unquote_plus

from tocsin.remembering import remembered

LONGEST = 8_000
"""Characters that are looked at."""

REMEMBERED_CHARACTERS = 300
"""Shorter URLs are parsed once: pages repeat, long queries do not."""

KEYS = 100
"""Keys of a query string that are kept."""

_URL = re.compile(
    # Without a scheme there is no host: in a request line, `//admin` is a path.
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*):"
    r"(?://(?:[^/?#]*@)?(?P<host>\[[^\]/?#]*\]|[^/?#:]*)(?::(?P<port>\d{1,5}))?(?=[/?#]|\Z))?)?"
    r"(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<hash>.*))?",
    re.DOTALL,
)


def parse_url(text: str) -> dict[str, Any]:
    """Only the parts that the URL has; a new object. A repeated key of the query becomes a list."""
    parts, query = _remembered(text[:LONGEST])
    found: dict[str, Any] = dict(parts)
    if query:
        found["queryString"] = {key: list(value) if isinstance(value, tuple) else value for key, value in query}
    return found


Query = tuple[tuple[str, str | tuple[str, ...]], ...]


def _parts(text: str) -> tuple[tuple[tuple[str, str | int], ...], Query]:
    match = _URL.fullmatch(text)
    if match is None:
        return (("path", text),), ()
    found: list[tuple[str, str | int]] = []
    host = match["host"]
    # In `localhost:80/x` the name is no scheme.
    scheme = match["scheme"]
    path = match["path"]
    if scheme and host is None and re.match(r"\d+(?:/|\Z)", path):
        scheme, path = None, f"{scheme}:{path}"
    if scheme:
        found.append(("scheme", scheme.lower()))
    if host:
        found.append(("host", host.strip("[]") if host.startswith("[") else host))
    if match["port"] and int(match["port"]) < 65536:
        found.append(("port", int(match["port"])))
    if path:
        found.append(("path", path))
    if match["hash"]:
        found.append(("hash", match["hash"]))
    return tuple(found), _query(match["query"] or "")


_remembered = remembered(16384, REMEMBERED_CHARACTERS)(_parts)


def _query(text: str) -> Query:
    values: dict[str, list[str]] = {}
    for pair in text.split("&", KEYS)[:KEYS] if text else ():
        if not pair:
            continue
        key, _, value = pair.partition("=")
        values.setdefault(unquote_plus(key), []).append(unquote_plus(value))
    return tuple((key, many[0] if len(many) == 1 else tuple(many)) for key, many in values.items())
