"""Third-party rules: how their roots and cases become queries (siem.md §2.18, api.md §4).

Such a rule says which alerts of a vendor it takes (`rootQueries`) and which severity they get (`thirdPartyCases`). An
answer of the API shows each case as a query with aggregation `none`. Detection runs one query for each pair of root and
case, and one for each root with no case, so that every event meets exactly one: the first root, the first case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tocsin.rule import THIRD_PARTY, Rule, RuleCase, RuleQuery

DEFAULT_NAME = "default"
"""Of the query for what no case takes."""


def is_third_party(body: Mapping[str, Any]) -> bool:
    return bool((body.get("options") or {}).get("detectionMethod") == THIRD_PARTY)


def shown_queries(cases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The `queries` of an answer."""
    return [{"query": case.get("query") or "", "aggregation": "none"} for case in cases]


def shown_cases(cases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The `cases` of an answer."""
    return [{name: value for name, value in case.items() if name != "query"} for case in cases]


def compiled(rule: Rule) -> Rule:
    """The rule with the queries and cases that detection runs; the last case is the default.

    The query of root r and case c stands at r * (number of cases with the default) + c.
    """
    options = rule.options.method_options.get("thirdPartyRuleOptions") or {}
    roots = options.get("rootQueries") or ()
    default = RuleCase(
        options.get("defaultStatus") or "info", notifications=tuple(options.get("defaultNotifications") or ())
    )
    names = [case.name or f"case {number}" for number, case in enumerate(rule.cases, 1)]
    queries = []
    for number, root in enumerate(roots):
        own = [f"({root['query']})", *(f"NOT ({earlier['query']})" for earlier in roots[:number])]
        for at, name in enumerate([*names, DEFAULT_NAME]):
            taken = [f"({rule.queries[at].query})"] if at < len(names) else []
            passed = [f"NOT ({query.query})" for query in rule.queries[:at]]
            label = name if len(roots) == 1 else f"{name} of root {number + 1}"
            queries.append(
                RuleQuery(
                    label,
                    " AND ".join([*own, *taken, *passed]),
                    aggregation="none",
                    group_by_fields=tuple(root.get("groupByFields") or ()),
                )
            )
    return replace(rule, queries=tuple(queries), cases=(*rule.cases, default))
