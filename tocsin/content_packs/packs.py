"""Content packs as they are shipped: one for each source that Tocsin has rules for (siem.md §1.16).

A pack says only what nothing else says: its name, its sources, and how their logs are sent. Which rules and pipelines
belong to it follows from the sources that their tags and filters name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tocsin.errors import NotFound, TocsinError
from tocsin.event import Event
from tocsin.query import parse_cached, to_predicate
from tocsin.rule import Rule

SOURCE_TAG = "source:"


class BrokenPack(TocsinError):
    """A shipped file is wrong; says which and how."""


class PackNotFound(NotFound):
    def __init__(self, pack_id: str) -> None:
        super().__init__(f"Content pack {pack_id} not found")


@dataclass(frozen=True, slots=True)
class Step:
    """How logs are sent: a sentence in which `code` is marked, and what is to be copied below it. `{url}` and `{host}`
    in both stand for where Tocsin is."""

    text: str
    command: str


@dataclass(frozen=True, slots=True)
class Pack:
    """`sources` as logs name them (`ddsource`); `about` is one line."""

    id: str
    name: str
    about: str
    sources: tuple[str, ...]
    guide: tuple[Step, ...]

    @property
    def query(self) -> str:
        """What finds its logs, its signals, and among rules those about it."""
        return f"source:{self.sources[0]}" if len(self.sources) == 1 else f"source:({' OR '.join(self.sources)})"


def read_packs(directory: Path) -> tuple[Pack, ...]:
    """All packs of a directory, by name. Raises `BrokenPack`."""
    packs = sorted((_read(path) for path in directory.glob("*.yaml")), key=lambda pack: pack.name.casefold())
    seen: dict[str, str] = {}
    for pack in packs:
        for source in pack.sources:
            if seen.setdefault(source, pack.id) != pack.id:
                raise BrokenPack(f"the packs {seen[source]} and {pack.id} both have the source {source}")
    return tuple(packs)


def _read(path: Path) -> Pack:
    try:
        body: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        guide = tuple(Step(step["text"], step["command"]) for step in body["guide"])
        return Pack(path.stem, body["name"], body["about"], tuple(body["sources"]), guide)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        reason = f"{error!r}; a pack has name, about, sources, guide (text, command)"
        raise BrokenPack(f"{path}: {reason}") from error


def packs_of(rule: Rule, packs: Iterable[Pack]) -> list[Pack]:
    """The packs that a rule belongs to: those with a source that its tags name."""
    named = {tag.removeprefix(SOURCE_TAG) for tag in rule.tags if tag.startswith(SOURCE_TAG)}
    return [pack for pack in packs if not named.isdisjoint(pack.sources)]


def takes(query: str, pack: Pack) -> bool:
    """Whether a query finds logs of a source of the pack of which nothing else is known."""
    holds = to_predicate(parse_cached(query))
    return any(holds(Event("", 0, source=source)) for source in pack.sources)
