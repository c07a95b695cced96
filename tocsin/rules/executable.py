"""A rule as detection runs it (siem.md §2.3)."""

from collections.abc import Sequence
from dataclasses import replace

from tocsin.query.track import LOGS
from tocsin.rule import THIRD_PARTY, Rule, RuleQuery
from tocsin.rules.third_party import compiled


def executable(rule: Rule) -> Rule:
    """The rule with its filters folded into its queries: `require` must hold, `suppress` must not.

    A third-party rule has the queries that its roots and cases make.
    """
    return _narrowed(
        compiled(rule) if rule.options.detection_method == THIRD_PARTY else rule,
        [
            f"({given['query']})" if given["action"] == "require" else f"NOT ({given['query']})"
            for given in rule.extra.get("filters") or ()
        ],
    )


def excluding(rule: Rule, queries: Sequence[str]) -> Rule:
    """The rule without the events that these queries find (siem.md §5.2)."""
    return _narrowed(rule, [f"NOT ({query})" for query in queries])


def analysing(rule: Rule, query: str | None) -> Rule:
    """The rule over the logs that security filters let it see, all of them if `query` is None (siem.md §1.15)."""
    if query is None:
        return rule
    terms = [f"({query})"]
    return replace(
        rule, queries=tuple(_with(one, terms) if one.data_source == LOGS.name else one for one in rule.queries)
    )


def _narrowed(rule: Rule, terms: Sequence[str]) -> Rule:
    return replace(rule, queries=tuple(_with(query, terms) for query in rule.queries)) if terms else rule


def _with(query: RuleQuery, terms: Sequence[str]) -> RuleQuery:
    own = [f"({query.custom_query_extension})"] if query.custom_query_extension.strip() else []
    return replace(query, custom_query_extension=" AND ".join([*own, *terms]))
