"""What changed between two versions of anything that is kept as a JSON object, member by member (siem.md §2.29)."""

import json
from collections.abc import Collection, Mapping
from typing import Any

MAX_TEXT = 200
"""Characters of a value that a line of history shows; the whole value is in the version itself."""


def changes_between(
    old: Mapping[str, Any], new: Mapping[str, Any], not_compared: Collection[str] = ()
) -> list[dict[str, str]]:
    """`[{"type": "create|update|delete", "field", "change"}]`, in the order of the new version's members."""
    changes = []
    for name in (*new, *(name for name in old if name not in new)):
        if name in not_compared or (name in old and name in new and old[name] == new[name]):
            continue
        if name not in old:
            kind, change = "create", _shown(new[name])
        elif name not in new:
            kind, change = "delete", _shown(old[name])
        else:
            kind, change = "update", f"{_shown(old[name])} → {_shown(new[name])}"
        changes.append({"type": kind, "field": name, "change": change})
    return changes


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
