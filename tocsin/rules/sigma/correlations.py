"""Sigma's correlations as threshold rules over several queries, as far as they mean the same (siem.md §2.6-§2.8).

A correlation that ours would answer differently is refused: a wrong count is worse than none.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sigma.correlations import (
    SigmaCorrelationCondition,
    SigmaCorrelationConditionOperator,
    SigmaCorrelationRule,
    SigmaCorrelationType,
)
from sigma.rule import SigmaRule
from sigma.rule.base import SigmaRuleBase

from tocsin.query.tree import Field, disjunction
from tocsin.rule import DEFAULT_KEEP_ALIVE, DEFAULT_MAX_SIGNAL_DURATION, MAX_QUERIES, WINDOW_SECONDS, query_label
from tocsin.rules.sigma.conditions import tree_of
from tocsin.rules.sigma.convert import Converted, Origin, converted, query_text, source_of
from tocsin.rules.sigma.errors import NotImportable
from tocsin.rules.sigma.logsources import written

Find = Callable[[str], SigmaRuleBase | None]
"""A rule by its name or id."""

_OPERATORS = {SigmaCorrelationConditionOperator.GT: ">", SigmaCorrelationConditionOperator.GTE: ">="}
_AGGREGATIONS = {
    SigmaCorrelationType.EVENT_COUNT: "count",
    SigmaCorrelationType.VALUE_COUNT: "cardinality",
    SigmaCorrelationType.VALUE_SUM: "sum",
}
_JOINS = {SigmaCorrelationType.TEMPORAL: " && ", SigmaCorrelationType.TEMPORAL_ORDERED: " then "}


def referenced(rule: SigmaCorrelationRule) -> tuple[str, ...]:
    """Names or ids of the rules that a correlation is about."""
    return tuple(each.reference for each in rule.rules or ())


def convert_correlation(rule: SigmaCorrelationRule, path: str, origin: Origin, find: Find) -> Converted:
    """Raises `NotImportable`, also for what the rules that it names cannot be."""
    if rule.type not in _AGGREGATIONS and rule.type not in _JOINS:
        raise NotImportable(f"correlations of type {rule.type.name.lower()} have no counterpart")
    if not isinstance(rule.condition, SigmaCorrelationCondition) or not rule.rules:
        raise NotImportable("conditions over the names of rules have no counterpart")
    window = rule.timespan.seconds
    if window not in WINDOW_SECONDS:
        allowed = ", ".join(map(str, WINDOW_SECONDS[1:]))
        raise NotImportable(f"its timespan of {window} s is none of the windows that there are ({allowed} s)")
    members = [(reference, _member(reference, find)) for reference in referenced(rule)]
    build = _counted if rule.type in _AGGREGATIONS else _joined
    queries, condition = build(rule, rule.condition, members)
    options = {
        "detectionMethod": "threshold",
        "evaluationWindow": window,
        "keepAlive": max(window, DEFAULT_KEEP_ALIVE),
        "maxSignalDuration": DEFAULT_MAX_SIGNAL_DURATION,
    }
    return converted(rule, path, origin, source_of(members[0][1]), queries, condition, options)


Members = Sequence[tuple[str, SigmaRule]]


def _member(reference: str, find: Find) -> SigmaRule:
    found = find(reference)
    if found is None:
        raise NotImportable(f"it names the rule '{reference}', which is not there")
    if not isinstance(found, SigmaRule):
        raise NotImportable(f"it names the correlation '{reference}': correlations over correlations are not taken")
    if found.errors:
        raise NotImportable(f"it names the rule '{reference}', which is broken")
    return found


def _counted(
    rule: SigmaCorrelationRule, asked: SigmaCorrelationCondition, members: Members
) -> tuple[list[dict[str, Any]], str]:
    """One query that finds what any of the rules finds, and a number."""
    operator = _OPERATORS.get(asked.op)
    if operator is None:
        name = asked.op.name.lower()
        raise NotImportable(f"'{name}' cannot be decided while events still come: only gt and gte are taken")
    groups = {tuple(_groups(rule, reference, member)) for reference, member in members}
    counted = {_counted_field(asked, member) for _, member in members}
    if len(groups) > 1 or len(counted) > 1:
        raise NotImportable("its rules keep what is grouped or counted in different attributes")
    query = _query(disjunction([tree_of(member, source_of(member)) for _, member in members]), next(iter(groups)))
    query["aggregation"] = _AGGREGATIONS[rule.type]
    if field := next(iter(counted)):
        query |= {"metrics": [field]} if query["aggregation"] == "sum" else {"distinctFields": [field]}
    return [query], f"a {operator} {asked.count:g}"


def _counted_field(asked: SigmaCorrelationCondition, member: SigmaRule) -> str:
    if asked.fieldref is None:
        return ""
    if not isinstance(asked.fieldref, str):
        raise NotImportable("values of several fields are not counted together")
    return written(source_of(member).places(asked.fieldref))


def _joined(
    rule: SigmaCorrelationRule, asked: SigmaCorrelationCondition, members: Members
) -> tuple[list[dict[str, Any]], str]:
    """One query for each rule; all of them must find something, in any order or in the given one."""
    if len(members) > MAX_QUERIES:
        raise NotImportable(f"it joins {len(members)} rules, {MAX_QUERIES} are possible")
    if len(members) < 2 or asked.op is not SigmaCorrelationConditionOperator.GTE or asked.count != len(members):
        raise NotImportable("only correlations that want all of at least two rules are taken")
    queries = [
        _query(tree_of(member, source_of(member)), _groups(rule, reference, member)) for reference, member in members
    ]
    labels = [query_label(number, "") for number in range(len(members))]
    return queries, _JOINS[rule.type].join(f"{label} > 0" for label in labels)


def _query(tree: Any, groups: Sequence[str]) -> dict[str, Any]:
    return {
        "name": "",
        "query": query_text(tree),
        "aggregation": "count",
        "groupByFields": list(groups),
        "distinctFields": [],
        "hasOptionalGroupByFields": False,
        "dataSource": "logs",
    }


def _groups(rule: SigmaCorrelationRule, reference: str, member: SigmaRule) -> list[str]:
    """What is grouped by, as this member names it; queries are joined by position (siem.md §2.6)."""
    aliases: Mapping[str, Any] = rule.aliases.aliases
    found = []
    for name in rule.group_by or ():
        if name in aliases:
            own = {each.reference: field for each, field in aliases[name].mapping.items()}
            if reference not in own:
                raise NotImportable(f"the alias '{name}' does not say what it is in the rule '{reference}'")
            name = own[reference]
        places: tuple[Field, ...] = source_of(member).places(name)
        found.append(written(places))
    return found
