"""Rules as files that people keep under version control, in the shape of `content/rules` (siem.md §2.29): YAML, or JSON
where the file's name says so."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml

from tocsin.rules.shape import writable

_ORDER = ("id", "name", "type", "isEnabled", "tags", "queries", "cases", "options")

_NOT_A_NAME = re.compile(r"[^a-z0-9]+")


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as such, lists below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def write_rule(path: Path, body: Mapping[str, Any], tests: Any = None) -> None:
    """Write the file of a rule as the API answers it, whole or not at all: the tests in it may be nowhere else.

    Raises `TypeError` for tests that are no JSON where the file is.
    """
    document = _document(body, tests)
    if path.suffix == ".json":
        content = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    else:
        content = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120).encode()
    target = path.resolve()  # a link stays one
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")  # no suffix of a rule: a torn one is never read
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            beside.chmod(target.stat().st_mode & 0o777)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _document(body: Mapping[str, Any], tests: Any) -> dict[str, Any]:
    """What may be written of the rule, in the order in which people read it, and its tests if it has any."""
    kept = {"id": body["id"], **writable(body)}
    ordered = {name: kept[name] for name in (*_ORDER, *kept) if name in kept and kept[name] not in (None, [], {})}
    return ordered | {"isEnabled": bool(body.get("isEnabled", True)), **({"tests": tests} if tests else {})}


def file_name(body: Mapping[str, Any]) -> str:
    """A name that says what the rule is, and is its own: two rules may be called alike."""
    words = _NOT_A_NAME.sub("_", str(body["name"]).lower()).strip("_")[:80]
    return f"{words}_{body['id']}.yaml" if words else f"{body['id']}.yaml"
