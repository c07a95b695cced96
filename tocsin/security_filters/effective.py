"""What security filters add to the query of a rule (siem.md §1.15). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

ALL = "*"


@dataclass(frozen=True, slots=True)
class Exclusion:
    name: str
    query: str


@dataclass(frozen=True, slots=True)
class SecurityFilter:
    """One filter. The built-in one takes all logs."""

    id: str
    name: str
    query: str
    is_enabled: bool
    is_builtin: bool
    exclusions: tuple[Exclusion, ...]
    version: int


def effective_query(filters: Iterable[SecurityFilter]) -> str | None:
    """The condition that a log must meet to be analysed; None where all do.

    At least one enabled filter accepts it and none of that filter's exclusions does: `f1 OR f2 …` with
    `fi = query -(exclusion) -(exclusion)`. Without an enabled filter no log is analysed.
    """
    accepted: list[str] = []
    for one in filters:
        if not one.is_enabled:
            continue
        if not one.exclusions and one.query.strip() in (ALL, ""):
            return None
        terms = [f"({one.query.strip() or ALL})", *(f"-({exclusion.query})" for exclusion in one.exclusions)]
        accepted.append(" ".join(terms))
    return " OR ".join(f"({term})" for term in accepted) if accepted else f"-{ALL}"
