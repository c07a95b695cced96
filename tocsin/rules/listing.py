"""The list of rules: search, facets, order (siem.md §2.30).

A rule is searched as an event of a small track of its own, in the language of every other search: bare words look at
name, message and queries; `type:`, `source:`, `severity:`, `enabled:`, `tactic:` … are tags.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tocsin.errors import BadRequest
from tocsin.event import Event
from tocsin.query import parse, to_predicate
from tocsin.query.track import Column, Kind, TextField, Track
from tocsin.rule import SEVERITIES, Rule

RULES = Track(
    "rules",
    "rules",
    {
        "message": Column("message", Kind.TEXT, "String"),
        "tags": Column("tags", Kind.TAGS, "Array(String)", is_list=True),
    },
    (TextField("message"),),
    full_text=(),
)

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


def highest_severity(rule: Rule) -> str:
    """The most severe of the rule's cases; `info` if it has none."""
    return max((case.severity for case in rule.cases), key=SEVERITIES.index, default=SEVERITIES[0])


def title_of(rule: Rule) -> str:
    """The name that people gave a default rule, else its own."""
    return rule.custom_name or rule.name


def facts_of(rule: Rule) -> dict[str, list[str]]:
    """Values by facet: what the rule says about itself, and what its tags say."""
    facts: dict[str, list[str]] = {
        "id": [rule.id],
        "type": [rule.type],
        "severity": [highest_severity(rule)],
        "enabled": [_yes_no(rule.is_enabled)],
        "origin": ["default" if rule.is_default else "custom"],
        "method": [rule.options.detection_method],
        "author": [rule.creator] if rule.creator else [],
        "deprecated": [_yes_no(bool(rule.extra.get("isDeprecated")))],
    }
    for tag in rule.tags:
        key, colon, value = tag.partition(":")
        if colon and value not in facts.setdefault(key, []):
            facts[key].append(value)
    return facts


def _yes_no(value: bool) -> str:
    return "true" if value else "false"


def as_event(rule: Rule) -> Event:
    """The rule as the query language sees it."""
    texts = (title_of(rule), rule.name, rule.custom_message or rule.message, *(query.query for query in rule.queries))
    tags = [f"{key}:{value}" for key, values in facts_of(rule).items() for value in values]
    tags += [tag for tag in rule.tags if ":" not in tag]
    return Event(id=rule.id, timestamp=rule.updated_at, message="\n".join(texts), tags=[tag.lower() for tag in tags])


def matching(rules: Iterable[Rule], query: str) -> list[Rule]:
    """The rules that a query finds. Raises `QueryError`."""
    if not query.strip():
        return list(rules)
    holds = to_predicate(parse(query), RULES)
    return [rule for rule in rules if holds(as_event(rule))]


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
