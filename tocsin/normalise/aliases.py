"""Standard attributes and the aliases that are copied to them after the pipelines (siem.md §1.4, §1.5)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tocsin.normalise.errors import BadPipeline
from tocsin.normalise.paths import Attributes, Getter, Setter, getter, setter
from tocsin.normalise.processors.settings import Settings

TYPES = ("string", "integer", "double", "boolean")


class Aliases:
    """Compiled aliases: both source and destination stay; the destination is overwritten."""

    def __init__(self, standard: Sequence[tuple[str, str, Sequence[str]]]) -> None:
        """`standard`: path, type and aliases of each standard attribute; the first alias that is present counts."""
        paths = [path for path, _, _ in standard]
        for path, kind, aliases in standard:
            if kind not in TYPES:
                raise BadPipeline(path, f"'{kind}' is none of {', '.join(TYPES)}")
            for other in paths:
                if other.startswith(path + "."):
                    raise BadPipeline(path, f"is a parent of the standard attribute '{other}'")
            for alias in aliases:
                if alias in paths:
                    raise BadPipeline(path, f"its alias '{alias}' is a standard attribute itself")
        self._copies: list[tuple[Setter, str, list[Getter]]] = []
        self._by_head: dict[str, list[int]] = {}
        for path, kind, aliases in standard:
            if not aliases:
                continue
            for head in dict.fromkeys(part for alias in aliases for part in (alias.partition(".")[0], alias)):
                self._by_head.setdefault(head, []).append(len(self._copies))
            self._copies.append((setter(path), kind, [getter(alias) for alias in aliases]))
        self._heads = frozenset(self._by_head)

    def apply(self, attributes: Attributes) -> None:
        heads = self._heads
        if heads.isdisjoint(attributes):  # of most records; `&` would walk through all heads instead
            return
        for index in sorted({index for head in heads.intersection(attributes) for index in self._by_head[head]}):
            write, kind, sources = self._copies[index]
            for get in sources:
                value = get(attributes)
                if value is not None:
                    made = typed(value, kind)
                    if made is not None:
                        write(attributes, made)
                    break


def typed(value: Any, kind: str) -> Any:
    """The value in a type; None where that is impossible."""
    if isinstance(value, dict | list):
        return None
    match kind:
        case "string":
            return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
        case "boolean":
            return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())
        case _:
            if isinstance(value, bool):
                return None
            try:
                number = float(value)
                return int(number) if kind == "integer" else number
            except (ValueError, OverflowError):
                return None


def read_aliases(file: Path) -> Aliases:
    """The shipped list: `attributes: [{path, type, aliases?, description}]`."""
    body: Mapping[str, Any] = yaml.safe_load(file.read_text())
    standard = []
    for item in Settings(body, file.name).objects("attributes"):
        standard.append((item.text("path"), item.text("type", "string"), item.texts("aliases", ())))
    return Aliases(standard)
