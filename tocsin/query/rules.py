"""A detection rule as the query language sees it: what the rule list, suppressions and critical assets search by.

A rule is an event of a small track of its own: bare words look at name, message and queries; `type:`, `source:`,
`severity:`, `enabled:`, `ruleId:`, `tactic:` … are tags.
"""

from collections.abc import Callable

from tocsin.event import Event
from tocsin.query.parser import parse
from tocsin.query.to_predicate import to_predicate
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


def rule_predicate(query: str) -> Callable[[Rule], bool]:
    """Whether a query finds a rule; an empty one finds all. Raises `QueryError`."""
    if not query.strip():
        return lambda rule: True
    holds = to_predicate(parse(query), RULES)
    return lambda rule: holds(rule_event(rule))


def rule_event(rule: Rule) -> Event:
    """The rule as an event of the track `RULES`."""
    texts = (title_of(rule), rule.name, rule.custom_message or rule.message, *(query.query for query in rule.queries))
    tags = [f"{key}:{value}" for key, values in facts_of(rule).items() for value in values]
    tags += [tag for tag in rule.tags if ":" not in tag]
    return Event(id=rule.id, timestamp=rule.updated_at, message="\n".join(texts), tags=[tag.lower() for tag in tags])


def facts_of(rule: Rule) -> dict[str, list[str]]:
    """Values by facet: what the rule says about itself, and what its tags say."""
    facts: dict[str, list[str]] = {
        "id": [rule.id],
        "ruleId": [rule.id],
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


def highest_severity(rule: Rule) -> str:
    """The most severe of the rule's cases; `info` if it has none."""
    return max((case.severity for case in rule.cases), key=SEVERITIES.index, default=SEVERITIES[0])


def title_of(rule: Rule) -> str:
    """The name that people gave a default rule, else its own."""
    return rule.custom_name or rule.name


def _yes_no(value: bool) -> str:
    return "true" if value else "false"
