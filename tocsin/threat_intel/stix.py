"""STIX 2.1 bundles: indicators with their patterns, and what the other objects say about them (siem.md §6.2).

A pattern is a condition on what happened; of those that hold as soon as one value occurs (`[ipv4-addr:value = '…']`,
alternatives by OR and IN) each value becomes an indicator. Any other pattern is skipped with the reason, because its
parts alone would accuse the innocent. A conjunction that holds a file hash stands for that hash: nothing else has it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from tocsin.threat_intel.reading import BadFeed, Reading, moment

TYPES_OF: Mapping[tuple[str, str], str] = {
    ("ipv4-addr", "value"): "ip_address",
    ("ipv6-addr", "value"): "ip_address",
    ("domain-name", "value"): "domain",
    ("url", "value"): "url",
    ("network-traffic", "dst_ref.value"): "ip_address",
    ("network-traffic", "src_ref.value"): "ip_address",
}

HASHES: Mapping[str, str] = {"md5": "md5", "sha-1": "sha1", "sha1": "sha1", "sha-256": "sha256", "sha256": "sha256"}

INTENTIONS: Mapping[str, str] = {
    "malicious-activity": "malicious",
    "compromised": "malicious",
    "attribution": "malicious",
    "anomalous-activity": "suspicious",
    "anonymization": "suspicious",
    "benign": "benign",
    "unknown": "unknown",
}
"""Of STIX's indicator types; where an indicator has several, the first of this order counts."""

CATEGORIES: Mapping[str, str] = {
    "malware": "malware",
    "tool": "malware",
    "threat-actor": "attack",
    "intrusion-set": "attack",
    "campaign": "attack",
    "attack-pattern": "attack",
}
"""By the type of the object that an indicator indicates."""

_SIMPLE = re.compile(
    r"\s*\[\s*([a-z0-9\-]+):((?:[A-Za-z0-9_]+|'[^'\\]+')(?:\.(?:[A-Za-z0-9_\-]+|'[^'\\]+'))*)\s*=\s*'([^'\\]*)'\s*\]\s*"
)
"""One comparison for equality, which nearly all patterns are; OASIS's parser takes some milliseconds for each."""

_LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'")

Comparison = tuple[str, str, str]
"""Object type, path, value."""


class HardPattern(Exception):
    """A pattern does not come down to values of which one is enough; says why."""


def read_stix(content: bytes, reading: Reading) -> None:
    """A bundle, or a TAXII envelope, which has `objects` too. Raises `BadFeed` when it is neither."""
    try:
        document = orjson.loads(content)
    except ValueError as error:
        raise BadFeed(f"the bundle is no JSON: {error}") from error
    objects = document.get("objects") if isinstance(document, dict) else None
    if not isinstance(objects, list):
        raise BadFeed("a STIX 2.1 bundle is an object with the list `objects`")
    read_objects(objects, reading)


def read_objects(objects: Iterable[Any], reading: Reading) -> None:
    """The indicators among STIX objects; of several versions of one the latest counts."""
    by_id: dict[str, dict[str, Any]] = {}
    for item in objects:
        if isinstance(item, dict) and isinstance(item.get("id"), str) and isinstance(item.get("type"), str):
            before = by_id.get(item["id"])
            if before is None or str(item.get("modified", "")) >= str(before.get("modified", "")):
                by_id[item["id"]] = item
    indicated: dict[str, list[dict[str, Any]]] = {}
    for item in by_id.values():
        if item["type"] == "relationship" and item.get("relationship_type") == "indicates":
            target = by_id.get(str(item.get("target_ref")))
            if target is not None:
                indicated.setdefault(str(item.get("source_ref")), []).append(target)
    for item in by_id.values():
        if item["type"] == "indicator":
            _read_indicator(item, indicated.get(item["id"], []), by_id, reading)


def _read_indicator(
    item: Mapping[str, Any], indicated: list[dict[str, Any]], by_id: Mapping[str, Mapping[str, Any]], reading: Reading
) -> None:
    place = str(item["id"])[:100]
    if item.get("revoked") is True:
        reading.skip(place, "it is revoked")
        return
    if item.get("pattern_type", "stix") != "stix":
        reading.skip(place, f"its pattern is of the type '{str(item.get('pattern_type'))[:40]}'")
        return
    try:
        comparisons = list(alternatives(str(item.get("pattern", ""))))
    except HardPattern as hard:
        reading.skip(place, str(hard))
        return
    kinds = [str(kind) for kind in item.get("indicator_types") or () if isinstance(kind, str)]
    creator = by_id.get(str(item.get("created_by_ref")), {})
    data: dict[str, Any] = {"stix_id": place}
    for name, value in (("name", item.get("name")), ("description", item.get("description"))):
        if isinstance(value, str) and value:
            data[name] = value[:500]
    if labels := [str(label)[:100] for label in item.get("labels") or ()][:20]:
        data["labels"] = labels
    if indicated:
        data["indicates"] = [str(target.get("name", target["id"]))[:100] for target in indicated][:20]
    for object_type, path, value in comparisons:
        kind = _type(object_type, path)
        if kind is None:
            reading.skip(place, f"{object_type}:{path} is nothing that logs are looked through for")
            continue
        reading.add(
            place,
            kind,
            value,
            category=_category(item, indicated),
            intention=next((meant for kind, meant in INTENTIONS.items() if kind in kinds), ""),
            source_name=str(creator.get("name") or ""),
            additional_data=data,
            expires_at=moment(item.get("valid_until")),
            repeats=True,
        )


def _category(item: Mapping[str, Any], indicated: list[dict[str, Any]]) -> str:
    phases = {str(phase.get("phase_name")) for phase in item.get("kill_chain_phases") or () if isinstance(phase, dict)}
    if "command-and-control" in phases or "c2" in phases:
        return "c2"
    for target in indicated:
        if target["type"] == "infrastructure":
            return "c2" if "command-and-control" in (target.get("infrastructure_types") or ()) else "attack"
        if target["type"] in CATEGORIES:
            return CATEGORIES[target["type"]]
    return ""


def _type(object_type: str, path: str) -> str | None:
    found = TYPES_OF.get((object_type, path))
    if found is not None:
        return found
    if object_type == "file" and path.startswith("hashes."):
        name = path.removeprefix("hashes.").lower()
        return "ssdeep" if name == "ssdeep" else HASHES.get(name)
    if object_type == "network-traffic" and path.lower().endswith("request_header.user-agent"):
        return "user_agent"
    return None


def alternatives(pattern: str) -> Iterator[Comparison]:
    """The comparisons of which any one makes the pattern true. Raises `HardPattern`."""
    simple = _SIMPLE.fullmatch(pattern)
    if simple is not None:
        yield simple[1], simple[2].replace("'", ""), simple[3]
        return
    yield from parsed_alternatives(pattern)


def parsed_alternatives(pattern: str) -> Iterator[Comparison]:
    """The same by OASIS's parser alone."""
    # Here, so that no start waits for it: few patterns need it, and it takes a tenth of a second.
    from stix2patterns.exceptions import ParseException
    from stix2patterns.v21.pattern import Pattern

    try:
        data = Pattern(pattern).inspect()
    except (ParseException, RecursionError) as error:
        raise HardPattern(f"its pattern cannot be read: {str(error)[:200]}") from error
    if data.qualifiers:
        raise HardPattern("its pattern asks for repetition or a span of time")
    if data.observation_ops & {"AND", "FOLLOWEDBY"}:
        raise HardPattern("its pattern asks for several observations")
    comparisons = [
        (object_type, ".".join(str(part) for part in path), operator, value)
        for object_type, found in data.comparisons.items()
        for path, operator, value in found
    ]
    operators = set(re.findall(r"\b(?:AND|OR)\b", _LITERAL.sub("''", pattern)))
    if "AND" in operators:
        comparisons = [each for each in comparisons if each[0] == "file" and each[1].lower().startswith("hashes.")]
        if not comparisons or "OR" in operators:
            raise HardPattern("its pattern asks for several things at once")
    for object_type, path, operator, value in comparisons:
        if operator not in ("=", "==", "IN"):
            raise HardPattern(f"its pattern compares {object_type}:{path} with {operator}")
        for text in _literals(value):
            yield object_type, path, text


def _literals(text: str) -> list[str]:
    """The texts of one literal, or of a set of them; numbers and others as they are written."""
    quoted = _LITERAL.findall(text)
    return [re.sub(r"\\(.)", r"\1", each) for each in quoted] if quoted else [text]
