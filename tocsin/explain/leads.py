"""What leads on from a signal: searches of its logs, what there is to read about it, and whom it is about (api.md §5).

Nothing of it follows from what senders wrote but values, each as the value of one field: links are those of the rule
as its author wrote it, never of a message with an event's words in it.
"""

import re
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Protocol

from tocsin.event import Json
from tocsin.rule import Rule
from tocsin.rules.attack import techniques
from tocsin.signals.service import SignalsService

_MARKDOWN_LINK = re.compile(r"\[([^\[\]\n]+)\]\((https?://[^\s)]+)\)")
_BARE_LINK = re.compile(r"(?<!\]\()(?<!\w)https?://[^\s<>)\]\"'`*]+")

_USERS = ("usr.", "useridentity.", "user.")
_HOSTS = ("host", "hostname", "host.name", "host.hostname")


class RuleVersions(Protocol):
    """What leads ask of the rules."""

    def rule_at(self, rule_id: str, version: int) -> Rule | None: ...


class Leads:
    """Safe to use from many threads."""

    def __init__(self, signals: SignalsService, rules: RuleVersions) -> None:
        self._signals = signals
        self._rules = rules

    def suggested_actions(self, signal_id: str) -> list[dict[str, Json]]:
        """The searches that lead on from the signal, then what there is to read. Raises `SignalNotFound`."""
        custom = self._signals.get(signal_id)["attributes"]["custom"]
        told = custom["workflow"]["rule"]
        rule = self._rules.rule_at(told["id"], told["version"])
        links = reading(rule) if rule else ()
        return [
            *self._signals.investigation_queries(signal_id),
            *(
                {
                    "id": f"{signal_id}-reading-{number}",
                    "type": "recommended_blog_posts",
                    "attributes": {"title": title, "url": url},
                }
                for number, (title, url) in enumerate(links)
            ),
        ]

    def entities(self, signal_id: str, limit: int) -> list[dict[str, Json]]:
        """Whom the signal is about, at most so many. Raises `SignalNotFound`."""
        custom = self._signals.get(signal_id)["attributes"]["custom"]
        return [entity(text) for text in custom["entities"][:limit]]


def entity(text: str) -> dict[str, Json]:
    """`@usr.id:bob` with what it is, and the search for its logs."""
    field, _, value = text.partition(":")
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return {
        "id": text,
        "kind": _kind(field.removeprefix("@").lower(), value),
        "attribute": field,
        "value": value,
        "query": f'{field}:"{quoted}"',
    }


def _kind(path: str, value: str) -> str:
    if path in _HOSTS:
        return "host"
    if path.startswith(_USERS):
        return "user"
    try:
        ip_address(value)
    except ValueError:
        return "domain" if path.startswith("dns.") else "other"
    return "ip_address"


def reading(rule: Rule) -> Sequence[tuple[str, str]]:
    """Titles and addresses of the pages that the rule's author names, then of its techniques; each page once."""
    found: dict[str, str] = {}
    for title, url in (*_links(rule.custom_message or rule.message), *_techniques(rule)):
        if "{{" not in url:
            found.setdefault(url, title)
    return [(title, url) for url, title in found.items()]


def _links(message: str) -> Iterator[tuple[str, str]]:
    places = [(found.start(), found[1], found[2]) for found in _MARKDOWN_LINK.finditer(message)]
    places += [(found.start(), found[0], found[0].rstrip(".,;:!?")) for found in _BARE_LINK.finditer(message)]
    for _, title, url in sorted(places):
        yield title.rstrip(".,;:!?") if title.startswith(url) else title, url


def _techniques(rule: Rule) -> Iterator[tuple[str, str]]:
    for tag in rule.tags:
        key, _, value = tag.partition(":")
        known = techniques().get(value.partition("-")[0].upper()) if key == "technique" else None
        if known:
            yield f"MITRE ATT&CK {known.id}: {known.name}", known.url
