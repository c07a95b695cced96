"""From which versions of a rule a version learns (decision 0080).

A rule that learns goes on knowing what it knew when only its message, severity, times or notifications change: the
matches that adjacent earlier versions with the same baseline wrote are history to it. Other queries, metrics or
group-by fields begin anew, also when an older version comes back: meanwhile nobody looked.
"""

from collections.abc import Callable
from typing import NamedTuple

from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.history import baseline
from tocsin.evaluate.method import Plan
from tocsin.evaluate.repository import StoredMatch
from tocsin.rule import Rule

RuleAt = Callable[[str, int], Rule | None]
"""A rule as it was at a version, as detection runs it."""

INSTANT = 1 << 31
"""Set in the version under which matches are stored that were made from older logs (`instant.py`, and those of one
window before a scheduled rule's first run)."""


class Taught(NamedTuple):
    """A plan that knows since when it learns, the first version that has its baseline, and whose matches teach it."""

    plan: Plan
    first: Rule
    teachers: tuple[int, ...] = ()


def taught(rule_at: RuleAt, prepared: Plan) -> Taught:
    """Look which earlier versions teach this one."""
    rule = prepared.rule
    if prepared.baseline is None:
        return Taught(prepared, rule, (rule.version | INSTANT,) if prepared.has_window_before else ())
    first, teachers = rule, []
    while (earlier := rule_at(rule.id, first.version - 1)) is not None and baseline(earlier) == prepared.baseline:
        first = earlier
        teachers.append(first.version)
    if prepared.has_instant_baseline:
        teachers.append(first.version | INSTANT)
    return Taught(prepared.learning_since(first.updated_at), first, tuple(teachers))


def row_for(match: StoredMatch, version: int) -> MatchRow:
    """A match as a version of the rule reads it: its own, or history."""
    return match.row if match.rule_version == version else match.row._replace(is_history=True)
