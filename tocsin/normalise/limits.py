"""What one event may hold (siem.md §1.3). Too much is cut, never dropped whole, and the event is tagged `truncated:true`."""

from dataclasses import dataclass
from typing import Any

import orjson

from tocsin.event import Event, Json


@dataclass(frozen=True, slots=True)
class Limits:
    """`attributes` counts distinct paths; `key` and `tag` are characters; the rest bytes and levels."""

    event_bytes: int = 1_000_000
    attributes: int = 256
    depth: int = 20
    key: int = 200  # siem.md says 50; labels and annotations of Kubernetes are longer, and a cut key is another key
    tags: int = 100
    tag: int = 200


LIMITS = Limits()
TRUNCATED = "truncated:true"
SMALL = 16_000
"""Records of fewer bytes than this cannot be too large, and are rarely too wide."""

_FIRST = ("usr", "evt", "network", "http", "winlog", "process", "syslog", "error")
"""What pipelines made is kept before what the record brought."""


def enforce(event: Event, size: int, limits: Limits = LIMITS) -> None:
    """Cut an event of `size` bytes to the limits."""
    is_cut = False
    if len(event.tags) > limits.tags or any(len(tag) > limits.tag for tag in event.tags):
        event.tags = list(dict.fromkeys(tag[: limits.tag] for tag in event.tags[: limits.tags]))
        is_cut = True
    if size > limits.event_bytes and len(event.message) > limits.event_bytes // 4:
        cut = event.message.encode("utf-8", "replace")[: limits.event_bytes].decode("utf-8", "ignore")
        is_cut = is_cut or len(cut) < len(event.message)
        event.message = cut
    if size > limits.event_bytes or is_wide(event.attributes, limits):
        attributes = event.attributes
        order = [name for name in _FIRST if name in attributes] + [name for name in attributes if name not in _FIRST]
        cutter = _Cutter(limits, limits.event_bytes - len(event.message))
        event.attributes = cutter.object({name: attributes[name] for name in order}, "", 1)
        is_cut = is_cut or cutter.has_cut
    if is_cut and TRUNCATED not in event.tags:
        event.tags.append(TRUNCATED)


def is_wide(attributes: dict[str, Json], limits: Limits) -> bool:
    """Whether an object may break a limit; it may say yes too often, but never no."""
    count = 0
    level: list[Any] = [attributes]
    depth = 0
    while level:
        depth += 1
        if depth > limits.depth:
            return True
        below: list[Any] = []
        for node in level:
            count += len(node)
            if type(node) is dict:
                if len(max(node, key=len, default="")) > limits.key:
                    return True
                below.extend([value for value in node.values() if type(value) is dict or type(value) is list])
            else:
                below.extend([value for value in node if type(value) is dict or type(value) is list])
        if count > limits.attributes:
            return True
        level = below
    return False


class _Cutter:
    def __init__(self, limits: Limits, budget: int) -> None:
        self.limits = limits
        self.budget = budget
        self.paths: set[str] = set()
        self.has_cut = False

    def object(self, node: dict[str, Json], prefix: str, depth: int) -> dict[str, Json]:
        made: dict[str, Json] = {}
        for key, value in node.items():
            if len(key) > self.limits.key:
                key = key[: self.limits.key]
                self.has_cut = True
            kept = self.value(value, prefix + key, depth)
            if kept is not _DROPPED:
                made[key] = kept
        return made

    def value(self, value: Json, path: str, depth: int) -> Json:
        if isinstance(value, dict | list):
            if depth >= self.limits.depth:
                self.has_cut = True
                return self.value(orjson.dumps(value).decode(), path, 0)
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
