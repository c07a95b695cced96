"""Whether a rule can be stored: every reason why not, each with the member it is about (siem.md §2.28).

First the types of all members, then, if these are right, what they mean. The order of `CHECKS` is the order of the
messages.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from tocsin.evaluate.condition import ConditionError, check_labels, parse_condition
from tocsin.query import QueryError, parse_field
from tocsin.rule import CONTENT_ANOMALY, HARDCODED, MAX_CASES, MAX_QUERIES, THIRD_PARTY, WINDOW_SECONDS, Rule, RuleQuery
from tocsin.rules.correlation import check_correlation
from tocsin.rules.learning import check_every_new_value, check_learning, check_percentiles, check_single_case
from tocsin.rules.methods import check_contents, check_places, check_sequence, check_third_party
from tocsin.rules.problems import InvalidRule, Problem
from tocsin.rules.scheduled.checks import check_calculated, check_indexes, check_only_scheduled, check_schedule
from tocsin.rules.schema import RuleBody, RuleChanges
from tocsin.rules.searches import check_fields, check_search, shortened
from tocsin.rules.shape import WINDOWLESS, rule_from_api

RULE_TYPES = ("log_detection", "signal_correlation")
DETECTION_METHODS = (
    "threshold",
    "new_value",
    "anomaly_detection",
    CONTENT_ANOMALY,
    "impossible_travel",
    THIRD_PARTY,
    "sequence_detection",
    HARDCODED,
)
DATA_SOURCES = ("logs", "security_signals")
"""What this version can run; the API knows more (`schema`), and refuses it by name, so that nothing is stored
that never fires."""

_OTHER_SOURCES: Mapping[str, str] = {
    "audit": "the audit trail is Tocsin's own record, which rules do not look at; other products' trails come as logs",
    "events": "events are taken in as logs",
    "spans": "traces are not taken in yet",
    "app_sec_spans": "traces are not taken in yet, and this name for them is deprecated",
    "security_runtime": "no agent of our own watches workloads; what Falco, auditd or Sysmon see comes as logs",
    "network": "flows have no track of their own; those of firewalls, Zeek, Suricata and clouds come as logs",
}
"""Why a query cannot read what the API names besides (siem.md §2.4), and what to do instead."""

AGGREGATIONS: Mapping[str, tuple[str, ...]] = {
    "threshold": ("count", "cardinality", "sum", "max"),
    "new_value": ("new_value",),
    "anomaly_detection": ("count", "cardinality"),
    CONTENT_ANOMALY: ("count",),
    "impossible_travel": ("geo_data",),
    "sequence_detection": ("count", "cardinality", "sum", "max"),
    HARDCODED: ("count",),
}
"""What the queries of each detection method compute."""

MAX_NAME = 500
MAX_MESSAGE = 100_000
"""Characters: far above any real rule, below what would hurt a list of them."""

_NO_OPTIONS: Mapping[str, str] = {
    "complianceSignalOptions": "complianceSignalOptions go with type 'cloud_configuration', which is not supported yet",
}

_OTHER_PRODUCTS: Mapping[str, str] = {
    "complianceRuleOptions": "complianceRuleOptions go with type 'cloud_configuration', which is not supported yet",
}
"""The same for members of `options`."""

_TYPE_MESSAGES: Mapping[str, str] = {
    "missing": "is missing",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}


def read_rule(body: Any, *, rule_id: str = "", is_job: bool = False) -> Rule:
    """The rule that a complete body describes. Raises `InvalidRule` with every reason.

    `is_job`: of a historical job, which may have what else only scheduled rules have.
    """
    if problems := check(body, is_job=is_job):
        raise InvalidRule(problems)
    return rule_from_api(body, rule_id=rule_id)


def check(body: Any, *, is_job: bool = False) -> list[Problem]:
    """All that is wrong with a complete rule; empty if it can be stored, or run as a historical job."""
    if problems := check_types(body):
        return problems
    rule = rule_from_api(body)
    checks = [one_check for one_check in CHECKS if not (is_job and one_check is check_only_scheduled)]
    return [problem for one_check in checks for problem in one_check(rule)]


def check_types(body: Any, schema: type[RuleChanges] = RuleBody) -> list[Problem]:
    """Members that are missing or of a wrong type; `RuleChanges` allows any subset."""
    try:
        schema.model_validate(body)
    except ValidationError as error:
        return [_wrong_type(dict(item)) for item in error.errors(include_url=False)]
    return []


def _wrong_type(error: Mapping[str, Any]) -> Problem:
    target = path_text(error["loc"])
    kind = error["type"]
    if kind == "literal_error":
        message = f"must be one of {error['ctx']['expected']}, not {_shown(error['input'])}"
    elif kind in _TYPE_MESSAGES:
        message = _TYPE_MESSAGES[kind]
    else:
        message = str(error["msg"]).replace("Input should be", "must be")
    return Problem(target, f"{target or 'The rule'} {message}", kind)


def path_text(location: tuple[str | int, ...]) -> str:
    """`("queries", 0, "query")` as `queries[0].query`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _check_texts(rule: Rule) -> Iterator[Problem]:
    if not rule.name.strip():
        yield Problem("name", "Rule name cannot be empty", "empty")
    if len(rule.name) > MAX_NAME:
        yield Problem("name", f"Rule name has {len(rule.name)} characters, {MAX_NAME} are allowed", "too_long")
    for target, text in (("message", rule.message), ("customMessage", rule.custom_message or "")):
        if len(text) > MAX_MESSAGE:
            yield Problem(target, f"{target} has {len(text)} characters, {MAX_MESSAGE} are allowed", "too_long")
    for i, tag in enumerate(rule.tags):
        if not tag.strip():
            yield Problem(f"tags[{i}]", "A tag cannot be empty", "empty")


def _check_supported(rule: Rule) -> Iterator[Problem]:
    method = rule.options.detection_method
    if rule.type not in RULE_TYPES:
        yield _unsupported("type", f"Rule type '{rule.type}'", RULE_TYPES)
    if method not in DETECTION_METHODS:
        yield _unsupported("options.detectionMethod", f"Detection method '{method}'", DETECTION_METHODS)
    for name, message in _NO_OPTIONS.items():
        if rule.extra.get(name):
            yield Problem(name, message, "unsupported")
    for name, message in _OTHER_PRODUCTS.items():
        if rule.options.method_options.get(name):
            yield Problem(f"options.{name}", message, "unsupported")
    if rule.options.method_options.get("hardcodedEvaluatorType") and method != HARDCODED:
        message = f"hardcodedEvaluatorType goes with detection method '{HARDCODED}'"
        yield Problem("options.hardcodedEvaluatorType", message, "unsupported")
    if rule.extra.get("thirdPartyCases") and method != THIRD_PARTY:
        yield Problem("thirdPartyCases", f"thirdPartyCases go with detection method '{THIRD_PARTY}'", "unsupported")


def _check_queries(rule: Rule) -> Iterator[Problem]:
    if rule.options.detection_method == THIRD_PARTY:
        yield from check_third_party(rule)
        return
    if not rule.queries:
        yield Problem("queries", "A rule needs at least one query", "empty")
    if len(rule.queries) > MAX_QUERIES:
        yield Problem("queries", f"{len(rule.queries)} queries given, {MAX_QUERIES} are allowed", "too_many")
    taken: dict[str, int] = {}
    for i, query in enumerate(rule.queries):
        if query.label in taken:
            other = taken[query.label]
            message = (
                f"Queries {other + 1} and {i + 1} are both labelled '{query.label}'; give one of them another name"
            )
            yield Problem(f"queries[{i}].name", message, "label_taken")
        taken.setdefault(query.label, i)
        if query.extra.get("ruleId") == "":
            yield Problem(f"queries[{i}].ruleId", "Choose the rule whose signals this query reads", "empty")
            continue
        yield from _check_query(f"queries[{i}]", query, rule.options.detection_method)


def _check_query(target: str, query: RuleQuery, method: str) -> Iterator[Problem]:
    if not query.query.strip():
        yield Problem(f"{target}.query", "Query filter cannot be empty", "empty")
    else:
        yield from check_search(f"{target}.query", query.query)
    if query.custom_query_extension.strip():
        yield from check_search(f"{target}.customQueryExtension", query.custom_query_extension)
    if query.data_source not in DATA_SOURCES:
        why = _OTHER_SOURCES.get(query.data_source, "nothing of that name is taken in")
        message = f"Data source '{query.data_source}' is not supported: {why}; use {' or '.join(DATA_SOURCES)}"
        yield Problem(f"{target}.dataSource", message, "unsupported")
    for member in ("datasetIds", "queryLanguage"):
        if query.extra.get(member):
            message = (
                "SQL over datasets is not supported; write a search, with calculated fields where a formula is needed"
            )
            yield Problem(f"{target}.{member}", message, "unsupported")
    if query.correlated_rule is None:
        yield from _check_aggregation(target, query, method)
    for name, fields in (
        ("groupByFields" if query.correlated_rule is None else "correlatedByFields", query.group_by_fields),
        ("distinctFields", query.distinct_fields),
        ("metrics", query.metrics),
    ):
        yield from check_fields(f"{target}.{name}", fields)


def _check_aggregation(target: str, query: RuleQuery, method: str) -> Iterator[Problem]:
    aggregation = query.aggregation
    known = AGGREGATIONS.get(method, (aggregation,))
    if aggregation not in known:
        message = (
            f"Detection method '{method}' does not go with the aggregation '{aggregation}'; use {', '.join(known)}"
        )
        yield Problem(f"{target}.aggregation", message, "unsupported")
    elif aggregation == "cardinality" and not query.distinct_fields:
        yield Problem(f"{target}.distinctFields", "Aggregation 'cardinality' needs distinctFields", "arity")
    elif aggregation in ("sum", "max") and len(query.metrics) != 1:
        message = f"Aggregation '{aggregation}' needs exactly one metric, {len(query.metrics)} given"
        yield Problem(f"{target}.metrics", message, "arity")


def _check_grouping(rule: Rule) -> Iterator[Problem]:
    grouped = {name for query in rule.queries for name in query.group_by_fields}
    for i, name in enumerate(rule.group_signals_by):
        if name not in grouped:
            message = f"groupSignalsBy names '{name}', which no query groups by"
            yield Problem(f"groupSignalsBy[{i}]", message, "not_grouped")
        elif name in rule.group_signals_by[:i]:
            yield Problem(f"groupSignalsBy[{i}]", f"Field '{name}' is listed twice", "duplicate")


def _check_cases(rule: Rule) -> Iterator[Problem]:
    if rule.options.detection_method == THIRD_PARTY:
        return
    if not rule.cases:
        yield Problem("cases", "A rule needs at least one case", "empty")
    if len(rule.cases) > MAX_CASES:
        yield Problem("cases", f"{len(rule.cases)} cases given, {MAX_CASES} are allowed", "too_many")
    for i, case in enumerate(rule.cases):
        if case.extra.get("actions"):
            message = "Case actions go with type 'application_security' only"
            yield Problem(f"cases[{i}].actions", message, "unsupported")
        yield from check_every_new_value(f"cases[{i}]", case)
    yield from _CONDITIONS.get(rule.options.detection_method, _check_conditions)(rule)


def _check_conditions(rule: Rule) -> Iterator[Problem]:
    labels = tuple(query.label for query in rule.queries)
    if not labels:
        return  # told of by the check of the queries
    for i, case in enumerate(rule.cases):
        target = f"cases[{i}].condition"
        if not case.condition.strip():
            yield Problem(target, "Case condition cannot be empty; write for example a > 0", "empty")
            continue
        try:
            condition = parse_condition(case.condition)
            check_labels(condition, labels)
        except ConditionError as error:
            message = f"Case condition '{shortened(case.condition)}': {error}"
            yield Problem(target, message, error.code, error.start, error.end)
            continue
        if condition.is_sequence and (len(rule.cases) > 1 or len(rule.queries) < 2):
            yield Problem(target, "'then' needs two queries or more, and allows only one case", "then")


_CONDITIONS: Mapping[str, Callable[[Rule], Iterator[Problem]]] = {
    "new_value": check_single_case,
    "anomaly_detection": check_percentiles,
    "impossible_travel": check_single_case,
    "sequence_detection": check_sequence,
}
"""What the conditions of a method's cases must be, where they are not comparisons."""


def _check_times(rule: Rule) -> Iterator[Problem]:
    options = rule.options
    times = {
        "evaluationWindow": options.evaluation_window,
        "keepAlive": options.keep_alive,
        "maxSignalDuration": options.max_signal_duration,
    }
    for name, seconds in times.items():
        if seconds not in WINDOW_SECONDS:
            allowed = ", ".join(map(str, WINDOW_SECONDS))
            yield Problem(f"options.{name}", f"{name} must be one of {allowed} seconds, not {seconds}", "not_allowed")
    for shorter, longer in (("evaluationWindow", "keepAlive"), ("keepAlive", "maxSignalDuration")):
        is_without_meaning = shorter == "evaluationWindow" and options.detection_method in WINDOWLESS
        if times[shorter] > times[longer] and not is_without_meaning:
            default = " (its default)" if longer in options.omitted else ""
            message = f"{shorter} ({times[shorter]} s) cannot be longer than {longer} ({times[longer]} s{default})"
            yield Problem(f"options.{longer}", message, "window_order")


def _check_filters(rule: Rule) -> Iterator[Problem]:
    for i, given in enumerate(rule.extra.get("filters") or ()):
        if not (given.get("query") or "").strip():
            yield Problem(f"filters[{i}].query", "Filter query cannot be empty", "empty")
        else:
            yield from check_search(f"filters[{i}].query", given["query"])
        if not given.get("action"):
            yield Problem(f"filters[{i}].action", "A filter needs an action: require or suppress", "missing")


def _check_tables(rule: Rule) -> Iterator[Problem]:
    """A table that is not there is no mistake: it may come later (api.md §4)."""
    names = {name for query in rule.queries for name in (query.label, query.name) if name}
    for i, given in enumerate(rule.extra.get("referenceTables") or ()):
        target = f"referenceTables[{i}]"
        for name in ("tableName", "columnName", "logFieldPath"):
            if not (given.get(name) or "").strip():
                yield Problem(f"{target}.{name}", f"{name} of a reference table cannot be empty", "empty")
        query = given.get("ruleQueryName")
        if query and query not in names:
            message = f"ruleQueryName '{shortened(query)}' is no query of the rule ({', '.join(sorted(names))})"
            yield Problem(f"{target}.ruleQueryName", message, "unknown_query")
        try:
            parse_field(given.get("logFieldPath") or "host")
        except QueryError as error:
            message = f"Invalid logFieldPath '{shortened(given['logFieldPath'])}': {error}"
            yield Problem(f"{target}.logFieldPath", message, error.code, error.start, error.end)


def _check_tests(rule: Rule) -> Iterator[Problem]:
    """Logs that are kept with the rule name a query of it; those of third-party rules are made when it runs."""
    if rule.options.detection_method == THIRD_PARTY:
        return
    for name in ("match", "no_match"):
        for i, given in enumerate((rule.extra.get("tests") or {}).get(name) or ()):
            if (given.get("query") or 0) >= len(rule.queries):
                message = f"The rule has {len(rule.queries)} queries, none at position {given.get('query') or 0}"
                yield Problem(f"tests.{name}[{i}].query", message, "unknown_query")


CHECKS: tuple[Callable[[Rule], Iterator[Problem]], ...] = (
    _check_texts,
    _check_supported,
    _check_queries,
    check_correlation,
    _check_grouping,
    _check_cases,
    check_learning,
    check_places,
    check_contents,
    _check_times,
    check_schedule,
    check_indexes,
    check_only_scheduled,
    check_calculated,
    _check_filters,
    _check_tables,
    _check_tests,
)


def _unsupported(target: str, what: str, supported: tuple[str, ...]) -> Problem:
    return Problem(target, f"{what} is not supported yet; supported now: {', '.join(supported)}", "unsupported")


def _shown(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)
