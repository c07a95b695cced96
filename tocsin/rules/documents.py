"""Rule files as YAML (JSON is YAML too), whoever wrote them: what is nested without end is refused, not followed."""

from collections.abc import Mapping
from typing import Any

import yaml

from tocsin.errors import BadRequest

MAX_DEPTH = 64
"""Of a file: no rule or event comes near, and what reads it calls itself for each level."""

MANY_OPENINGS = 5_000
"""The reader itself calls itself for each level, and ends the process at some 20,000."""


class TooDeep(BadRequest):
    def __init__(self) -> None:
        super().__init__(f"more than {MAX_DEPTH} levels within one another, or an alias within itself")


def read_documents(text: str) -> list[Any]:
    """All documents of a text. Raises `yaml.YAMLError`, `ValueError`, `RecursionError` or `TooDeep`."""
    if sum(map(text.count, ("[", "{", "- ", "? "))) > MANY_OPENINGS:
        _check_events(text)
    documents = list(yaml.load_all(text, Loader=_LOADER))
    if _is_deep(documents):
        raise TooDeep
    return documents


def _check_events(text: str) -> None:
    """Look at the text piece by piece, which needs no recursion. Raises `TooDeep`."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise TooDeep


def _is_deep(documents: list[Any]) -> bool:
    """Whether any goes deeper than `MAX_DEPTH`. Level by level, so that what many aliases name is looked at once."""
    level: dict[int, Any] = {id(documents): documents}
    for _ in range(MAX_DEPTH + 1):
        below = (each.values() if isinstance(each, Mapping) else each for each in level.values())
        level = {id(inner): inner for inners in below for inner in inners if isinstance(inner, Mapping | list)}
        if not level:
            return False
    return True


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
