"""MISP: events as JSON, the manifest of a feed, and warning lists, which say what is *not* hostile."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

from tocsin.enrich.indicators import guess_type
from tocsin.threat_intel.reading import BadFeed, Reading, moment

TYPES_OF: Mapping[str, str] = {
    "ip-src": "ip_address",
    "ip-dst": "ip_address",
    "ip": "ip_address",
    "domain": "domain",
    "hostname": "domain",
    "url": "url",
    "uri": "url",
    "md5": "md5",
    "sha1": "sha1",
    "sha256": "sha256",
    "ssdeep": "ssdeep",
    "user-agent": "user_agent",
    "ssh-public-key": "ssh_public_key",
}

PORTS = ("ip-src|port", "ip-dst|port", "hostname|port")
"""Their first half counts."""

MAX_EVENTS = 2_000
"""That are fetched of one feed, the newest first."""

CATEGORIES: Mapping[str, str] = {
    "Network activity": "c2",
    "Payload delivery": "malware",
    "Payload installation": "malware",
    "Artifacts dropped": "malware",
    "Persistence mechanism": "malware",
    "Financial fraud": "phishing",
    "Social network": "phishing",
}
"""By MISP's category of an attribute; others get the feed's own."""

Fetch = Callable[[str], bytes]
"""A file of the feed by its name relative to the manifest."""


def read_misp(content: bytes, reading: Reading, fetch: Fetch | None = None) -> None:
    """An event, several of them, a warning list, or (with `fetch`) a manifest and the events that it names.

    Raises `BadFeed` when it is none of these.
    """
    try:
        document = orjson.loads(content)
    except ValueError as error:
        raise BadFeed(f"the feed is no JSON: {error}") from error
    if isinstance(document, dict) and isinstance(document.get("list"), list):
        _read_warning_list(document, reading)
        return
    events = list(_events(document))
    if events:
        for event in events:
            _read_event(event, reading)
        return
    names = _manifest(document)
    if names is None:
        raise BadFeed("this is neither a MISP event (`Event`), nor a warning list (`list`), nor a feed's manifest")
    if fetch is None:
        raise BadFeed("a manifest only names events: give the feed's address (URL of its manifest.json)")
    for name in names[:MAX_EVENTS]:
        try:
            found = list(_events(orjson.loads(fetch(f"{name}.json"))))
        except ValueError as error:
            reading.skip(name, f"the event is no JSON: {error}")
            continue
        for event in found:
            _read_event(event, reading)
    if len(names) > MAX_EVENTS:
        reading.skip("manifest.json", f"only the newest {MAX_EVENTS:,} of {len(names):,} events are read")


def _events(document: Any) -> Iterator[Mapping[str, Any]]:
    """Events in any of the wrappings that MISP's exports have."""
    if isinstance(document, list):
        for item in document:
            yield from _events(item)
    elif isinstance(document, dict):
        if isinstance(document.get("response"), list):
            yield from _events(document["response"])
        elif isinstance(document.get("Event"), dict):
            yield document["Event"]


def _manifest(document: Any) -> list[str] | None:
    """Names of the events, the newest first."""
    if not isinstance(document, dict) or not all(isinstance(entry, dict) for entry in document.values()):
        return None
    if not all("timestamp" in entry or "info" in entry for entry in document.values()):
        return None
    names = [name for name in document if all(sign.isalnum() or sign == "-" for sign in name)]
    return sorted(names, key=lambda name: (-(moment(document[name].get("timestamp")) or 0), name))


def _read_event(event: Mapping[str, Any], reading: Reading) -> None:
    source = event.get("Orgc") if isinstance(event.get("Orgc"), dict) else {}
    data = {"misp_event": str(event.get("uuid") or event.get("id") or ""), "info": str(event.get("info") or "")[:500]}
    data = {name: value for name, value in data.items() if value}
    tags = _tags(event)[:20]
    for attribute in _attributes(event):
        _read_attribute(attribute, data, tags, str((source or {}).get("name") or ""), reading)


def _attributes(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    holders: Iterable[Any] = [event, *(event.get("Object") or ())]
    for holder in holders:
        if isinstance(holder, dict):
            yield from (each for each in holder.get("Attribute") or () if isinstance(each, dict))


def _tags(holder: Mapping[str, Any]) -> list[str]:
    return [str(tag["name"])[:100] for tag in holder.get("Tag") or () if isinstance(tag, dict) and tag.get("name")]


def _read_attribute(
    attribute: Mapping[str, Any], data: Mapping[str, Any], tags: list[str], source: str, reading: Reading
) -> None:
    place = str(attribute.get("uuid") or attribute.get("id") or "attribute")[:60]
    kind, value = str(attribute.get("type", "")), str(attribute.get("value", ""))
    if attribute.get("deleted") is True:
        return
    if attribute.get("to_ids") is False:
        reading.skip(place, f"{value[:80]} is not meant for detection (to_ids)")
        return
    parts = list(zip(kind.split("|"), value.split("|"), strict=False)) if "|" in kind else [(kind, value)]
    if kind in PORTS:
        parts = [("ip-dst" if kind != "hostname|port" else "hostname", value.split("|")[0])]
    known = [(TYPES_OF[each], text) for each, text in parts if each in TYPES_OF]
    if not known:
        reading.skip(place, f"'{kind[:60]}' is nothing that logs are looked through for")
        return
    own: dict[str, Any] = {"labels": [*tags, *_tags(attribute)][:20]} if tags or attribute.get("Tag") else {}
    if comment := str(attribute.get("comment") or ""):
        own["comment"] = comment[:500]
    for meant, text in known:
        reading.add(
            place,
            meant,
            text,
            category=CATEGORIES.get(str(attribute.get("category")), ""),
            source_name=source,
            additional_data={**data, **own},
            repeats=True,
        )


def _read_warning_list(document: Mapping[str, Any], reading: Reading) -> None:
    """What is known and harmless: benign, unless the feed's settings say otherwise."""
    name = str(document.get("name") or "")
    for number, value in enumerate(document["list"], start=1):
        place = f"entry {number}"
        text = str(value).strip().removeprefix(".")
        kind = guess_type(text)
        if kind is None:
            reading.skip(place, f"'{text[:60]}' is of no type that shows by its form")
        else:
            reading.add(place, kind, text, source_name=name, repeats=True)
