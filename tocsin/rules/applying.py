"""Rules as files brought into a server: what would happen to each, decided before anything does (siem.md §2.29)."""

from collections.abc import Sequence
from dataclasses import dataclass

CREATE, UPDATE, UNCHANGED, REFUSED = "create", "update", "unchanged", "refused"

MAX_RULES = 500
"""In one call: they are one transaction."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What applying one rule does. `changes` as in the rule's history, `reasons` why it is refused."""

    id: str
    name: str
    action: str
    changes: Sequence[dict[str, str]] = ()
    reasons: Sequence[str] = ()
