"""What changed between two versions of a rule, member by member (siem.md §2.29)."""

from collections.abc import Mapping
from typing import Any

from tocsin.access import changes

_NOT_COMPARED = ("id", "version", "createdAt", "creationAuthorId", "creator", "updatedAt", "updateAuthorId", "updater")


def changes_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, str]]:
    """`[{"type": "create|update|delete", "field", "change"}]`, in the order of the new version's members."""
    return changes.changes_between(old, new, _NOT_COMPARED)
