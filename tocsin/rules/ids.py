"""Ids of rules: three groups of three base-36 characters, `abc-d1e-2fg` (siem.md §0.2)."""

from collections.abc import Callable

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def new_rule_id(random_below: Callable[[int], int]) -> str:
    """A new id from a source of randomness (`random_below(n)` gives 0 … n-1); 36**9 of them, so look before use."""
    characters = [_DIGITS[random_below(36)] for _ in range(9)]
    return "-".join("".join(characters[start : start + 3]) for start in (0, 3, 6))


def is_rule_id(text: str) -> bool:
    groups = text.split("-")
    return len(groups) == 3 and all(len(group) == 3 and set(group) <= set(_DIGITS) for group in groups)
