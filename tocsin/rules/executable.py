"""A rule as detection runs it (siem.md §2.3)."""

from collections.abc import Sequence
from dataclasses import replace

from tocsin.rule import THIRD_PARTY, Rule
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


def _narrowed(rule: Rule, terms: Sequence[str]) -> Rule:
    if not terms:
        return rule
    queries = []
    for query in rule.queries:
        own = [f"({query.custom_query_extension})"] if query.custom_query_extension.strip() else []
        queries.append(replace(query, custom_query_extension=" AND ".join([*own, *terms])))
    return replace(rule, queries=tuple(queries))
