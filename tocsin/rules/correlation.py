"""Whether a rule over signals can be stored (siem.md §2.4, §2.20, §2.28): what its queries say, and whom they read."""

from collections.abc import Iterator, Mapping

from tocsin.evaluate.correlation import MAX_CORRELATED_FIELDS, cycle, reads_signals, source_rules
from tocsin.match.presence import filters_of
from tocsin.query import QueryError, parse
from tocsin.query.tree import FieldKind, leaves
from tocsin.rule import Rule, RuleQuery
from tocsin.rules.ids import is_rule_id
from tocsin.rules.problems import Problem

CORRELATION = "signal_correlation"
SEQUENCE = "sequence_detection"
METHODS = ("threshold", SEQUENCE)
"""What can be decided over signals."""

AGGREGATIONS = ("count", "cardinality", "sum", "max", "event_count")
"""Of queries over signals; those that name a rule only count."""

_CHANGING = ("workflow.triage", "workflow.window")
"""What people and the clock change about a signal: a rule that asked for it would say something else each time."""


def check_correlation(rule: Rule) -> Iterator[Problem]:
    """What is wrong with the queries over signals, and with their company."""
    if any(query.extra.get("ruleId") == "" for query in rule.queries):
        return  # nobody has chosen yet, and is told so
    if rule.type == CORRELATION and not all(query.correlated_rule for query in rule.queries):
        message = "Every query of a rule of type 'signal_correlation' must name a rule (ruleId)"
        yield Problem("queries", message, "mixed")
    if not reads_signals(rule):
        return
    method = rule.options.detection_method
    if method not in METHODS:
        message = f"Detection method '{method}' cannot read signals; {', '.join(METHODS)} can"
        yield Problem("options.detectionMethod", message, "unsupported")
    for i, query in enumerate(rule.queries):
        if query.reads_signals and any(filters_of(rule, query)):
            message = f"A reference table filters logs, and the query '{query.label}' reads signals"
            yield Problem("referenceTables", message, "unsupported")
        if query.correlated_rule is not None:
            yield from _check_naming(f"queries[{i}]", query, rule)
        elif query.reads_signals:
            yield from _check_searching(f"queries[{i}]", query)


def _check_naming(target: str, query: RuleQuery, rule: Rule) -> Iterator[Problem]:
    name = "ruleId" if "ruleId" in query.extra else "defaultRuleId"
    is_sequence = rule.options.detection_method == SEQUENCE
    if rule.type != CORRELATION and not is_sequence:
        message = "Queries over other rules' signals go with type 'signal_correlation', or with sequences"
        yield Problem(target, message, "unsupported")
    if "ruleId" in query.extra and "defaultRuleId" in query.extra:
        yield Problem(target, "A query names one rule: give ruleId or defaultRuleId, not both", "mixed")
    if not is_rule_id(query.correlated_rule or ""):
        message = f"'{query.correlated_rule}' is not the id of a rule; ids look like abc-d1e-2fg"
        yield Problem(f"{target}.{name}", message, "unknown_rule")
    if query.aggregation != "event_count":
        message = (
            f"A query that names a rule counts its signals: the aggregation is event_count, not {query.aggregation}"
        )
        yield Problem(f"{target}.aggregation", message, "unsupported")
    if query.has_optional_group_by_fields:
        message = "Optional group-by fields are not available for correlation"
        yield Problem(f"{target}.hasOptionalGroupByFields", message, "unsupported")
    if len(query.group_by_fields) > MAX_CORRELATED_FIELDS:
        message = f"{len(query.group_by_fields)} correlatedByFields given, {MAX_CORRELATED_FIELDS} are allowed"
        yield Problem(f"{target}.correlatedByFields", message, "too_many")
    first = len(rule.queries[0].group_by_fields)
    if len(query.group_by_fields) != first and not is_sequence:
        message = (
            f"All queries must correlate by the same number of fields, which are joined by position:"
            f" {len(query.group_by_fields)} here, {first} in the first query"
        )
        yield Problem(f"{target}.correlatedByFields", message, "arity")


def _check_searching(target: str, query: RuleQuery) -> Iterator[Problem]:
    try:
        asked = leaves(parse(query.full_query))
    except QueryError:  # told by the check of the query itself
        return
    for leaf in asked:
        field = getattr(leaf, "field", None)
        if field is not None and field.kind is FieldKind.ATTRIBUTE and field.name.startswith(_CHANGING):
            message = f"'@{field.name}' changes after a signal was raised; a rule cannot ask for it"
            yield Problem(f"{target}.query", message, "unsupported")


def check_references(rule: Rule, rules: Mapping[str, Rule]) -> list[Problem]:
    """What is wrong with the rules that a rule names, among all `rules` by id; it may be one of them, as it was before.

    An unsaved rule has the id "".
    """
    problems = []
    for i, query in enumerate(rule.queries):
        if query.correlated_rule is None:
            continue
        name = "ruleId" if "ruleId" in query.extra else "defaultRuleId"
        source = rules.get(query.correlated_rule)
        if source is None:
            message = f"There is no rule {query.correlated_rule}"
            problems.append(Problem(f"queries[{i}].{name}", message, "unknown_rule"))
        elif (index := query.extra.get("correlatedQueryIndex")) is not None and index >= len(source.queries):
            message = f"The rule '{source.name}' has {len(source.queries)} queries, none with the index {index}"
            problems.append(Problem(f"queries[{i}].correlatedQueryIndex", message, "unknown_query"))
    if rule.id and reads_signals(rule):
        sources = {other.id: source_rules(other) for other in rules.values() if reads_signals(other)}
        if path := cycle(rule.id, sources | {rule.id: source_rules(rule)}):
            names = {other.id: other.name for other in rules.values()} | {rule.id: rule.name}
            shown = " → ".join(f"'{names[step]}' ({step})" for step in path)
            what = "The rule would read its own" if len(path) == 2 else "The rules would read one another's"
            problems.append(Problem("queries", f"{what} signals without end: {shown}", "cycle"))
    return problems
