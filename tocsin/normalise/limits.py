"""What one event may hold (siem.md §1.3). Too much is cut, never dropped whole, and tagged `truncated:true`."""

from dataclasses import dataclass
from typing import Any

import orjson

from tocsin.event import Event, Json


@dataclass(frozen=True, slots=True)
class Limits:
    """`attributes` counts distinct paths, `tag` characters, `depth` levels.

    Names are not cut: labels of Kubernetes are longer than the 50 characters of siem.md §1.3, and a cut name is
    another name.
    """

    event_bytes: int = 1_000_000
    attributes: int = 256
    depth: int = 20
    tags: int = 100
    tag: int = 200


LIMITS = Limits()
TRUNCATED = "truncated:true"
_FIRST = ("usr", "evt", "network", "http", "winlog", "process", "syslog", "error")
"""What pipelines made is kept before what the record brought."""


def cut_tags(event: Event, limits: Limits = LIMITS) -> None:
    """At most so many tags of at most so many characters."""
    tags = event.tags
    # Together they are mostly shorter than one may be.
    if len(tags) <= limits.tags and len("".join(tags)) <= limits.tag:
        return
    if len(tags) > limits.tags or len(max(tags, key=len, default="")) > limits.tag:
        event.tags = [*dict.fromkeys(tag[: limits.tag] for tag in event.tags[: limits.tags]), TRUNCATED]


def enforce(event: Event, size: int, limits: Limits = LIMITS) -> bool:
    """Cut message and attributes of an event of `size` bytes to the limits. Says whether anything was cut."""
    if size <= limits.event_bytes and _fits(event, limits):
        return False
    is_cut = False
    if size > limits.event_bytes and len(event.message) > limits.event_bytes // 4:
        cut = event.message.encode("utf-8", "replace")[: limits.event_bytes].decode("utf-8", "ignore")
        is_cut = len(cut) < len(event.message)
        event.message = cut
    attributes = event.attributes
    order = [name for name in _FIRST if name in attributes] + [name for name in attributes if name not in _FIRST]
    cutter = _Cutter(limits, max(limits.event_bytes - len(event.message), 0))
    made = cutter.object({name: attributes[name] for name in order}, "", 1)
    if cutter.has_cut:
        event.attributes = made
        is_cut = True
    if is_cut and TRUNCATED not in event.tags:
        event.tags.append(TRUNCATED)
    return is_cut


MARGIN = 60
"""Attributes that pipelines may add to a record."""


def may_break(record: bytes, limits: Limits = LIMITS) -> bool:
    """Whether a record may be too large, wide or deep, told by its bytes alone; it may say yes too often, never no.

    Every attribute of a JSON text has a colon, every level a bracket.
    """
    size = len(record)
    return (
        size > limits.event_bytes
        or (size > 6 * (limits.attributes - MARGIN) and record.count(b":") > limits.attributes - MARGIN)
        or (size > 2 * limits.depth and record.count(b"{") + record.count(b"[") >= limits.depth - 5)
    )


WRITABLE = 200
"""Levels of a value. JSON is read to 1,024 levels but written to 254 only, and an event adds a few of its own."""


def writable(value: Json, levels: int = WRITABLE) -> Json:
    """A value that can be written as JSON: what lies deeper than so many levels is left out."""
    if isinstance(value, dict):
        return {key: writable(inner, levels - 1) for key, inner in value.items()} if levels else "…"
    if isinstance(value, list):
        return [writable(inner, levels - 1) for inner in value] if levels else "…"
    return value


def _fits(event: Event, limits: Limits) -> bool:
    """Whether `_Cutter` would cut nothing; it may say no too often. Measuring takes a tenth of making all anew."""
    size, leaves = len(event.message), 0
    stack: list[tuple[Json, int, int]] = [(event.attributes, 0, 1)]
    while stack:
        node, prefix, depth = stack.pop()
        if depth > limits.depth:
            return False
        if type(node) is dict:
            for key, value in node.items():
                kind = type(value)
                path = prefix + len(key)
                if kind is dict:
                    stack.append((value, path + 1, depth + 1))
                elif kind is list:
                    stack.append((value, path, depth + 1))
                else:
                    leaves += 1
                    size += path + 8 + (len(value) if kind is str else 0)
        else:
            for value in node:
                kind = type(value)
                if kind is dict:
                    stack.append((value, prefix + 1, depth + 1))
                elif kind is list:
                    stack.append((value, prefix, depth + 1))
                else:
                    size += prefix + 8 + (len(value) if kind is str else 0)
            leaves += 1
    return leaves <= limits.attributes and size < limits.event_bytes


class _Cutter:
    def __init__(self, limits: Limits, budget: int) -> None:
        self.limits = limits
        self.budget = budget
        self.paths: set[str] = set()
        self.has_cut = False

    def object(self, node: dict[str, Json], prefix: str, depth: int) -> dict[str, Json]:
        made: dict[str, Json] = {}
        for key, value in node.items():
            kept = self.value(value, prefix + key, depth)
            if kept is not _DROPPED:
                made[key] = kept
        return made

    def value(self, value: Json, path: str, depth: int) -> Json:
        if isinstance(value, dict | list):
            if depth >= self.limits.depth:
                self.has_cut = True
                return self.value(orjson.dumps(writable(value)).decode(), path, 0)
            if isinstance(value, dict):
                made = self.object(value, f"{path}.", depth + 1)
                return made if made or not value else _DROPPED
            elements = [self.value(element, path, depth + 1) for element in value]
            return [element for element in elements if element is not _DROPPED]
        if path not in self.paths:
            if len(self.paths) >= self.limits.attributes:
                self.has_cut = True
                return _DROPPED
            self.paths.add(path)
        self.budget -= len(path) + 8
        if self.budget <= 0:
            self.has_cut = True
            return _DROPPED
        if isinstance(value, str):
            if len(value) > self.budget:
                value = value[: self.budget]
                self.has_cut = True
            self.budget -= len(value)
        return value


_DROPPED: Any = object()
