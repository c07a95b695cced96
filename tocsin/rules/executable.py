"""A rule as detection runs it (siem.md §2.3)."""

from dataclasses import replace

from tocsin.rule import Rule


def executable(rule: Rule) -> Rule:
    """The rule with its filters folded into its queries: `require` must hold, `suppress` must not."""
    filters = [
        f"({given['query']})" if given["action"] == "require" else f"NOT ({given['query']})"
        for given in rule.extra.get("filters") or ()
    ]
    if not filters:
        return rule
    queries = []
    for query in rule.queries:
        own = [f"({query.custom_query_extension})"] if query.custom_query_extension.strip() else []
        queries.append(replace(query, custom_query_extension=" AND ".join([*own, *filters])))
    return replace(rule, queries=tuple(queries))
