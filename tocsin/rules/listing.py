"""The list of rules: search, facets, order (siem.md §2.30).

A rule is searched in the language of every other search; `query/rules.py` says what a query sees of it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from tocsin.errors import BadRequest
from tocsin.query.hints import Hint
from tocsin.query.parser import parse
from tocsin.query.rules import RULES, facts_of, highest_severity, rule_predicate, title_of
from tocsin.query.tree import Equals, FieldKind, leaves
from tocsin.query.values import fold
from tocsin.rule import SEVERITIES, Rule

EVERY_RULE = 1_000_000
"""The size of a page that holds all rules."""

FACETS = (
    "type",
    "source",
    "severity",
    "enabled",
    "origin",
    "method",
    "tactic",
    "technique",
    "author",
    "deprecated",
)


def matching(rules: Iterable[Rule], query: str) -> list[Rule]:
    """The rules that a query finds. Raises `QueryError`."""
    holds = rule_predicate(query)
    return [rule for rule in rules if holds(rule)]


def slips(rules: Iterable[Rule], query: str) -> list[Hint]:
    """What a query that parses probably means instead, where it asks for a tag or value that no rule has."""
    known: dict[str, set[str]] = {"severity": set(SEVERITIES), "enabled": {"true", "false"}}
    for rule in rules:
        for name, values in facts_of(rule).items():
            known.setdefault(name.lower(), set()).update(value.lower() for value in values)
    found = []
    for leaf in leaves(parse(query)) if query.strip() else ():
        if not isinstance(leaf, Equals) or leaf.field.kind is not FieldKind.NAME or leaf.field.name in RULES.columns:
            continue
        name, value = leaf.field.name, fold(leaf.text)
        there = known.get(name.lower(), set())
        if value in there:
            continue
        asked = leaf.text if there else f"{name}:"
        near = get_close_matches(value, there, n=1) or ([] if there else get_close_matches(name.lower(), known, n=1))
        start, end = leaf.span
        source = query[start:end]
        message, fix = f"no rule has {source}", None
        if near:
            meant = near[0] if there else f"{near[0]}:"
            message += f": did you mean {meant}?"
            fix = query[:start] + source.replace(asked, meant) + query[end:] if source.count(asked) == 1 else None
        elif there:
            message += f": there are {', '.join(sorted(there)[:5])}"
        found.append(Hint(start, end, message, fix))
    return found


SORT_KEYS: Mapping[str, Callable[[Rule], Any]] = {
    "name": lambda rule: title_of(rule).casefold(),
    "creation_date": lambda rule: rule.created_at,
    "update_date": lambda rule: rule.updated_at,
    "enabled": lambda rule: rule.is_enabled,
    "type": lambda rule: rule.type,
    "highest_severity": lambda rule: SEVERITIES.index(highest_severity(rule)),
    "source": lambda rule: sorted(facts_of(rule).get("source", [""])),
}


def ordered(rules: Iterable[Rule], sort: str) -> list[Rule]:
    """By one of `SORT_KEYS`, descending with `-` before it; equal ones by name and id, so that pages are stable."""
    key = SORT_KEYS.get(sort.removeprefix("-"))
    if key is None:
        raise BadRequest(f"Unknown sort '{sort}'; use one of {', '.join(SORT_KEYS)}, with '-' before it to descend")
    by_name = sorted(rules, key=lambda rule: (title_of(rule).casefold(), rule.id))
    return sorted(by_name, key=key, reverse=sort.startswith("-"))


@dataclass(frozen=True, slots=True)
class FacetValue:
    value: str
    count: int


def facets(rules: Sequence[Rule]) -> dict[str, list[FacetValue]]:
    """How many of these rules have each value of each facet, most frequent first."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    for rule in rules:
        facts = facts_of(rule)
        for name in FACETS:
            counts[name].update(facts.get(name, ()))
    return {
        name: [FacetValue(value, count) for value, count in sorted(counter.items(), key=lambda i: (-i[1], i[0]))]
        for name, counter in counts.items()
    }
