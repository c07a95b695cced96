"""Default rules: what may be changed about them, and how changes survive an upgrade (siem.md §2.3).

A default rule belongs to Tocsin, so most of it can only be cloned. What people may change is kept apart from what is
shipped: a new shipped version takes the place of the old one underneath their changes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

ALLOWED = (
    "isEnabled, options, tags, customName, customMessage, cases[].notifications, cases[].customStatus "
    "and queries[].customQueryExtension"
)

_FREE = ("isEnabled", "options", "customName", "customMessage", "tags")
_FREE_IN_CASES = ("notifications", "customStatus")
_FREE_IN_QUERIES = ("customQueryExtension",)


def forbidden_changes(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Paths of members that differ although they may not. Both bodies are complete, with defaults filled in."""
    places = []
    for name in dict.fromkeys((*current, *wanted)):
        if name in _FREE:
            continue
        if name == "cases":
            places += _forbidden_in_list("cases", current[name], wanted[name], _FREE_IN_CASES)
        elif name == "queries":
            places += _forbidden_in_list("queries", current[name], wanted[name], _FREE_IN_QUERIES)
        elif current.get(name) != wanted.get(name):
            places.append(name)
    return places


def with_default_tags(tags: Sequence[str], default_tags: Sequence[str]) -> list[str]:
    """Default tags stay, whatever was sent; added ones follow them."""
    return [*default_tags, *(tag for tag in dict.fromkeys(tags) if tag not in default_tags)]


def carry_over(shipped: Mapping[str, Any], current: Mapping[str, Any], upgraded: Mapping[str, Any]) -> dict[str, Any]:
    """The upgraded rule with what people changed about the rule as it was shipped before."""
    result = dict(upgraded)
    for name in ("isEnabled", "customName", "customMessage"):
        if name in current and current[name] != shipped.get(name):
            result[name] = current[name]
    result["options"] = dict(upgraded["options"])
    for name, value in current["options"].items():
        if value != shipped["options"].get(name):
            result["options"][name] = value
    added = [tag for tag in current["tags"] if tag not in shipped["tags"]]
    result["tags"] = with_default_tags(added, upgraded["tags"])
    for kind, free in (("cases", _FREE_IN_CASES), ("queries", _FREE_IN_QUERIES)):
        result[kind] = [
            _carry_over_item(shipped[kind], current[kind], _place(shipped[kind], upgraded[kind], index), item, free)
            for index, item in enumerate(upgraded[kind])
        ]
    return result


def _place(shipped: Sequence[Mapping[str, Any]], upgraded: Sequence[Mapping[str, Any]], index: int) -> int | None:
    """Where the item stood before: items are known by their name, those of one name by their order."""
    name = upgraded[index].get("name")
    before = [place for place, item in enumerate(shipped) if item.get("name") == name]
    now = [place for place, item in enumerate(upgraded) if item.get("name") == name]
    if len(before) == len(now):
        return before[now.index(index)]
    return index if index in before else None


def _carry_over_item(
    shipped: Sequence[Mapping[str, Any]],
    current: Sequence[Mapping[str, Any]],
    index: int | None,
    upgraded: Mapping[str, Any],
    free: Sequence[str],
) -> dict[str, Any]:
    result = dict(upgraded)
    if index is not None and index < len(current):
        for name in free:
            if name in current[index] and current[index][name] != shipped[index].get(name):
                result[name] = current[index][name]
    return result


def _forbidden_in_list(
    place: str, current: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]], free: Sequence[str]
) -> list[str]:
    if len(current) != len(wanted):
        return [place]
    return [
        f"{place}[{index}].{name}"
        for index, (old, new) in enumerate(zip(current, wanted, strict=True))
        for name in dict.fromkeys((*old, *new))
        if name not in free and old.get(name) != new.get(name)
    ]
