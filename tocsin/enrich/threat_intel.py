"""`threat_intel.*` on events: which indicators occur in them, and where they are looked for (siem.md §6.2, §6.3)."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tocsin.enrich.domains import domain_of
from tocsin.enrich.indicator_table import RESULTS, IndicatorTable, Rows
from tocsin.enrich.indicators import HASH_TYPES, host_of, image_key, registry_account, ssh_key, url_key
from tocsin.event import Event
from tocsin.query.values import Scalar, flatten, text_of
from tocsin.remembering import remembered

KNOWN_PATHS = 50_000
"""Paths whose meaning is remembered; senders may invent any number of them."""

REMEMBERED = 16_384
"""Texts whose domain or URL was worked out; those of one table."""

_HASHES = re.compile(r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{64}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{32})(?![0-9A-Za-z])")

_LAST: Mapping[str, str] = {
    **dict.fromkeys(("md5", "sha1", "sha256", "hash", "hashes", "filehash", "imagehash"), "hash"),
    "ssdeep": "ssdeep",
    **dict.fromkeys(("url", "uri"), "url"),
    **dict.fromkeys(
        ("hostname", "domain", "fqdn", "queryname", "destinationhostname", "domainname", "servername", "sni"), "domain"
    ),
    "email": "email",
    **dict.fromkeys(("accountid", "awsaccountid", "recipientaccountid", "owneraccountid", "awsaccount"), "account"),
    **dict.fromkeys(("image", "imagename", "containerimage", "containerimagename"), "image"),
    **dict.fromkeys(("registryaccount", "containerregistryaccountname"), "registry"),
    **dict.fromkeys(("publickey", "sshpublickey", "publickeymaterial", "publickeybody"), "key"),
    **dict.fromkeys(("useragent", "useragentoriginal"), "agent"),
}
"""What the last part of a path means, folded and without separators: `recipientAccountId`, `file.hash.sha256`."""

_WHOLE: Mapping[str, str] = {
    "network.ip.list": "address",
    "dns.question.name": "domain",
    "dns.answer.name": "domain",
    "http.url_details.host": "domain",
    "container.image.name": "image",
    "key": "key",
}


def meaning(path: str) -> str | None:
    """What the values of an attribute are to threat intelligence; None: nothing that is looked up."""
    whole = _WHOLE.get(path)
    if whole is not None:
        return whole
    parts = path.lower().rsplit(".", 2)
    last = re.sub(r"[^a-z0-9]", "", parts[-1])
    if len(parts) > 1 and re.sub(r"[^a-z0-9]", "", parts[-2]) in ("hash", "hashes") and last != "algorithm":
        return "ssdeep" if last == "ssdeep" else "hash"
    return _LAST.get(last)


class ThreatIntel:
    """Looks the values of events up in a table. One object for each process; threads may share it."""

    def __init__(self, table: IndicatorTable | None) -> None:
        """Without a table events stay as they are."""
        self._table = table
        self._known: set[str] = set()
        self._watched: dict[str, Callable[[str], Rows]] = {}
        self._lookups = {} if table is None else _lookups(table)

    def add(self, event: Event, values: dict[str, list[Scalar]]) -> None:
        """Write `threat_intel` on the event, and into `values`, which are its flattened attributes.

        What the record itself says there is kept behind ours.
        """
        if self._table is None or not len(self._table):
            return
        rows = self.rows(event, values)
        if rows:
            write(event, values, [result for row in rows for result in self._table.results(row)])

    def rows(self, event: Event, values: Mapping[str, Sequence[Scalar]]) -> list[int]:
        """The rows of all indicators that occur in an event, ascending."""
        if not self._known.issuperset(values):
            self._learn(values)
        rows: set[int] = set()
        watched = self._watched
        for path in values.keys() & watched.keys():
            lookup = watched[path]
            for value in values[path]:
                found = lookup(value if isinstance(value, str) else text_of(value))
                if found:
                    rows.update(found)
        host = event.host
        if host and "." in host and (found := self._lookups["domain"](host)):
            rows.update(found)
        return sorted(rows) if rows else []

    def _learn(self, paths: Iterable[str]) -> None:
        if len(self._known) > KNOWN_PATHS:
            self._known, self._watched = set(), {}
        for path in paths:
            lookup = self._lookups.get(meaning(path) or "")
            if lookup is not None:
                self._watched[path] = lookup
        self._known.update(paths)


def write(event: Event, values: dict[str, list[Scalar]], results: Sequence[Mapping[str, Any]]) -> None:
    """Put results (at most 50, those of the record itself last) and the types that they name on an event."""
    there = event.attributes.get("threat_intel")
    own = there if isinstance(there, dict) else {}
    said_results = own.get("results", [])
    theirs = [
        result
        for result in (said_results if isinstance(said_results, list) else [said_results])
        if result not in results
    ]
    types = dict.fromkeys(result["type"] for result in results)
    said = own.get("indicators_matched", [])
    types |= dict.fromkeys(kind for kind in (said if isinstance(said, list) else [said]) if isinstance(kind, str))
    added = {**own, "indicators_matched": list(types), "results": [*results, *theirs][:RESULTS]}
    if there is not None:
        for path in [path for path in values if path == "threat_intel" or path.startswith("threat_intel.")]:
            del values[path]
    event.attributes["threat_intel"] = added
    values.update(flatten({"threat_intel": added}))


def _lookups(table: IndicatorTable) -> dict[str, Callable[[str], Rows]]:
    """How the values of each meaning are looked up; meanings without any indicator are not looked up at all."""
    value = table.value

    @remembered(REMEMBERED)
    def domain(text: str) -> Rows:
        if "." not in text:
            return ()
        name = text if text.islower() and text.isascii() else domain_of(text)
        return table.domain(name.rstrip(".")) if name else ()

    @remembered(REMEMBERED)
    def url(text: str) -> Rows:
        if "://" not in text:
            return ()
        key = url_key(text)
        host = host_of(text)
        found = value("url", key) if key else ()
        return found + (table.domain(host) if host else ())

    def email(text: str) -> Rows:
        return domain(text.rpartition("@")[2])

    def hashes(text: str) -> Rows:
        if len(text) in HASH_TYPES:
            return value(HASH_TYPES[len(text)], text.lower())
        if len(text) < 32:
            return ()
        return tuple(row for found in _HASHES.findall(text) for row in value(HASH_TYPES[len(found)], found.lower()))

    def image(text: str) -> Rows:
        key, account = image_key(text), registry_account(text)
        found = value("container_image_name", key) if key else ()
        return found + (value("container_registry_account_name", account) if account else ())

    def registry(text: str) -> Rows:
        account = text.strip("/").lower()
        return value("container_registry_account_name", account) or value(
            "container_registry_account_name", f"docker.io/{account}"
        )

    def key(text: str) -> Rows:
        found = ssh_key(text)
        return value("ssh_public_key", found) if found else ()

    lookups: dict[str, tuple[Callable[[str], Rows], tuple[str, ...]]] = {
        "address": (table.address, ("ip_address",)),
        "domain": (domain, ("domain",)),
        "url": (url, ("url", "domain")),
        "email": (email, ("domain",)),
        "hash": (hashes, ("md5", "sha1", "sha256")),
        "ssdeep": (lambda text: value("ssdeep", text), ("ssdeep",)),
        "account": (lambda text: value("aws_account_id", text.zfill(12)), ("aws_account_id",)),
        "image": (image, ("container_image_name", "container_registry_account_name")),
        "registry": (registry, ("container_registry_account_name",)),
        "key": (key, ("ssh_public_key",)),
        "agent": (lambda text: value("user_agent", text), ("user_agent",)),
    }
    return {
        name: lookup
        for name, (lookup, kinds) in lookups.items()
        if name == "domain" or any(table.has(kind) for kind in kinds)
    }
