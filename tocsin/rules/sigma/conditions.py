"""A Sigma rule's detections and condition as a tree of our query language."""

from collections.abc import Callable
from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from tocsin.query.parser import parse
from tocsin.query.tree import Node, conjunction, disjunction, negation
from tocsin.rules.sigma.errors import NotImportable
from tocsin.rules.sigma.logsources import LogSource
from tocsin.rules.sigma.values import clause, keyword


def tree_of(rule: SigmaRule, source: LogSource) -> Node:
    """What an event must be for the rule to match: of the log source, and as one of the conditions says.

    Raises `NotImportable`.
    """
    try:
        conditions = [condition.parsed for condition in rule.detection.parsed_condition]
    except SigmaError as error:
        raise NotImportable(f"its condition cannot be read: {error}") from error
    asked = disjunction([_node(condition, source) for condition in conditions])
    return conjunction([parse(source.query), asked]) if source.query else asked


def _node(item: Any, source: LogSource) -> Node:
    joins: tuple[tuple[type, Callable[[list[Node]], Node]], ...] = (
        (ConditionAND, conjunction),
        (ConditionOR, disjunction),
    )
    for kind, join in joins:
        if isinstance(item, kind):
            return join([_node(part, source) for part in item.args if part is not None])  # type: ignore[attr-defined]
    if isinstance(item, ConditionNOT):
        return negation(_node(item.args[0], source))
    if isinstance(item, ConditionFieldEqualsValueExpression):
        return clause(source.places(item.field), item.value, is_dash_absent=source.is_dash_absent)
    if isinstance(item, ConditionValueExpression):
        return keyword(item.value)
    raise NotImportable(f"its condition holds a part that is not known: {type(item).__name__}")
