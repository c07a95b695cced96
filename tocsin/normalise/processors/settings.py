"""A processor's description with its members read by name, so that what is wrong is said at its place.

The API writes `override_on_conflict` and `is_enabled`, published integration pipelines `overrideOnConflict` and
`enabled`: both are read.
"""

import re
from collections.abc import Mapping
from typing import Any

from tocsin.normalise.errors import BadPipeline

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
_ALIASES = {
    "enabled": "is_enabled",
    "encoded": "is_encoded",
    "replace_missing": "is_replace_missing",
}


def snake_case(name: str) -> str:
    plain = _HUMP.sub(lambda hump: "_" + hump[1].lower(), name)
    return _ALIASES.get(plain, plain)


class Settings:
    """Members of one object in a description; `where` is its place, such as `processors[2]`."""

    __slots__ = ("_members", "where")

    def __init__(self, body: Any, where: str) -> None:
        if not isinstance(body, Mapping):
            raise BadPipeline(where, "an object is expected")
        self._members = {snake_case(str(name)): value for name, value in body.items()}
        self.where = where

    def bad(self, name: str, problem: str, code: str = "invalid") -> BadPipeline:
        return BadPipeline(f"{self.where}.{name}" if self.where else name, problem, code)

    def has(self, name: str) -> bool:
        return self._members.get(name) is not None

    def raw(self, name: str) -> Any:
        return self._members.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        value = self._members.get(name)
        if value is None:
            if default is None:
                raise self.bad(name, "is required")
            return default
        if not isinstance(value, str) or not (value or default == ""):
            raise self.bad(name, f"a text is expected, not {value!r:.40}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._members.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.bad(name, f"true or false is expected, not {value!r:.40}")
        return value

    def choice(self, name: str, choices: tuple[str, ...], default: str | None = None) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise self.bad(name, f"'{value}' is none of {', '.join(choices)}")
        return value

    def texts(self, name: str, default: tuple[str, ...] | None = None) -> list[str]:
        value = self._members.get(name)
        if value is None and default is not None:
            return list(default)
        if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
            raise self.bad(name, "a list of at least one text is expected")
        return list(value)

    def objects(self, name: str) -> "list[Settings]":
        value = self._members.get(name)
        if not isinstance(value, list):
            raise self.bad(name, "a list is expected")
        return [Settings(item, f"{self.where}.{name}[{index}]") for index, item in enumerate(value)]

    def inner(self, name: str) -> "Settings":
        if name not in self._members:
            raise self.bad(name, "is required")
        return Settings(self._members[name], f"{self.where}.{name}")

    def target(self, name: str = "target", default: str | None = None) -> str:
        path = self.text(name, default)
        if ":" in path or "," in path:
            raise self.bad(name, "':' and ',' are not possible in the name of an attribute")
        if any(not segment for segment in path.split(".")):
            raise self.bad(name, f"'{path}' has an empty part between dots")
        return path
