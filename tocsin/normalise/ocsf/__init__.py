"""What a schema processor may write: classes, profiles and attributes of OCSF, as `schema.yaml` has them.

A subset of version 1.5.0 (schema.ocsf.io): the classes that detection reads, with the objects that stand in them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

SCHEMA = Path(__file__).with_name("schema.yaml")

ANY = "any"
"""The object that may hold everything."""

FILLED = ("category_name", "category_uid", "class_name", "class_uid", "type_name", "type_uid", "metadata.version")
"""What the processor writes by itself; no mapper may."""


class Kind(StrEnum):
    """What an attribute is; `NUMBER` and `CAPTION` are the two halves of an enumeration."""

    PLAIN = "plain"
    NUMBER = "number"
    CAPTION = "caption"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Attribute:
    """`other` is the other half of an enumeration, or the name of the object."""

    kind: Kind
    other: str = ""


Attributes = Mapping[str, Attribute]


@dataclass(frozen=True, slots=True)
class OcsfClass:
    """A class with the profiles that were chosen. `required` are the root attributes that a mapping must give."""

    uid: int
    name: str
    category_uid: int
    category_name: str
    required: tuple[str, ...]
    attributes: Attributes
    objects: Mapping[str, Attributes]

    def attribute(self, path: str) -> Attribute | None:
        """The attribute at a path below `ocsf`, or None; a number among its parts addresses an element of a list."""
        attributes, found = self.attributes, None
        for name in path.split("."):
            if name.isdecimal() and found is not None:
                continue
            if found is not None and found.other == ANY:
                return Attribute(Kind.PLAIN)
            found = attributes.get(name)
            if found is None:
                return None
            attributes = self.objects.get(found.other, {}) if found.kind is Kind.OBJECT else {}
        return found


class Ocsf:
    """The schema as it was read."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.version: str = body["version"]
        self._base = _attributes(body["base"]["attributes"])
        self._required = tuple(body["base"]["required"])
        self._categories: Mapping[int, str] = body["categories"]
        self._classes: Mapping[int, Mapping[str, Any]] = body["classes"]
        self._profiles = {name: _attributes(listed) for name, listed in body["profiles"].items()}
        self._objects = {name: _attributes(listed) for name, listed in body["objects"].items()}

    @property
    def classes(self) -> Mapping[int, str]:
        """Number and name of every class."""
        return {uid: body["name"] for uid, body in self._classes.items()}

    @property
    def profiles(self) -> tuple[str, ...]:
        return tuple(self._profiles)

    def of(self, class_uid: int, profiles: Sequence[str]) -> OcsfClass:
        """A class with profiles. Raises `KeyError` for one that is not known."""
        body = self._classes[class_uid]
        attributes = {**self._base, **_attributes(body["attributes"])}
        for name in profiles:
            attributes |= self._profiles[name]
        return OcsfClass(
            class_uid,
            body["name"],
            body["category"],
            self._categories[body["category"]],
            (*self._required, *body["required"]),
            attributes,
            self._objects,
        )


def _attributes(listed: Sequence[Any]) -> dict[str, Attribute]:
    return dict(_read(listed))


def _read(listed: Sequence[Any]) -> Iterator[tuple[str, Attribute]]:
    for item in listed:
        if isinstance(item, list):  # a list of others, spliced in
            yield from _read(item)
        elif isinstance(item, Mapping):
            for name, kind in item.items():
                yield name, Attribute(Kind.OBJECT, kind)
        elif "=" in item:
            number, caption = item.split("=")
            yield number, Attribute(Kind.NUMBER, caption)
            yield caption, Attribute(Kind.CAPTION, number)
        else:
            yield item, Attribute(Kind.PLAIN)


@cache
def ocsf() -> Ocsf:
    """The schema, read when the first schema processor is compiled."""
    return Ocsf(yaml.load(SCHEMA.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506
