"""Rules as files that people keep under version control: YAML in the shape of `content/rules` (siem.md §2.29)."""

import re
from collections.abc import Mapping
from typing import Any

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


def rule_file(body: Mapping[str, Any], tests: Any = None) -> str:
    """The file of a rule as the API answers it: what may be written of it, and its tests if it has any."""
    kept = {"id": body["id"], **writable(body)}
    ordered = {name: kept[name] for name in (*_ORDER, *kept) if name in kept and kept[name] not in (None, [], {})}
    ordered |= {"isEnabled": bool(body.get("isEnabled", True)), **({"tests": tests} if tests else {})}
    return yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def file_name(body: Mapping[str, Any]) -> str:
    """A name that says what the rule is, and is its own: two rules may be called alike."""
    words = _NOT_A_NAME.sub("_", str(body["name"]).lower()).strip("_")[:80]
    return f"{words}_{body['id']}.yaml" if words else f"{body['id']}.yaml"
