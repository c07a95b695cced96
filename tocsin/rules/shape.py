"""The API's JSON shape of a rule, read and written (siem.md §2.2, api.md §4).

Reading and writing are inverse: what was sent comes back with the same order, the same empty strings and the same
omissions, plus the defaults that the contract fills in, or Terraform would plan a change that nobody made. The same
shape is what the state store keeps and what `content/rules` ships.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from tocsin.rule import (
    CONTENT_ANOMALY,
    CONTENT_ANOMALY_ALIAS,
    DEFAULT_EVALUATION_WINDOW,
    DEFAULT_KEEP_ALIVE,
    DEFAULT_MAX_SIGNAL_DURATION,
    SIGNALS,
    THIRD_PARTY,
    CalculatedField,
    Rule,
    RuleCase,
    RuleOptions,
    RuleQuery,
    Schedule,
    query_label,
)
from tocsin.rules.third_party import is_third_party, shown_cases, shown_queries

WRITABLE = (
    "name",
    "message",
    "isEnabled",
    "options",
    "queries",
    "cases",
    "type",
    "tags",
    "filters",
    "hasExtendedTitle",
    "groupSignalsBy",
    "referenceTables",
    "thirdPartyCases",
    "schedulingOptions",
    "calculatedFields",
    "complianceSignalOptions",
    "customName",
    "customMessage",
    "tests",
)
"""What a caller may send; anything else in a request is ignored (api.md §1)."""

GIVEN_BY_US = (
    "id",
    "version",
    "createdAt",
    "creationAuthorId",
    "creator",
    "updatedAt",
    "updateAuthorId",
    "updater",
    "isDefault",
    "isPartner",
    "isBeta",
    "isDeleted",
    "isDeprecated",
    "deprecationDate",
    "defaultTags",
    "blocking",
    "metadata",
)
"""What only the answer has."""

QUERY_MEMBERS = (
    "query",
    "name",
    "aggregation",
    "groupByFields",
    "distinctFields",
    "metrics",
    "metric",
    "dataSource",
    "hasOptionalGroupByFields",
    "customQueryExtension",
    "index",
    "indexes",
    "queryLanguage",
    "datasetIds",
    "ruleId",
    "defaultRuleId",
    "correlatedByFields",
    "correlatedQueryIndex",
)
CASE_MEMBERS = ("name", "status", "condition", "notifications", "everyNewValue", "actions", "customStatus")
OPTION_MEMBERS = (
    "detectionMethod",
    "evaluationWindow",
    "keepAlive",
    "maxSignalDuration",
    "decreaseCriticalityBasedOnEnv",
    "newValueOptions",
    "anomalyDetectionOptions",
    "contentAnomalyOptions",
    "impossibleTravelOptions",
    "thirdPartyRuleOptions",
    "sequenceDetectionOptions",
    "hardcodedEvaluatorType",
    "complianceRuleOptions",
    "reopenOnUpdate",
)
WINDOWLESS = ("new_value", "impossible_travel", "sequence_detection")
"""Methods without use for an evaluation window of the rule: clients leave it out (siem.md §2.9)."""

_TIMED_DEFAULTS: Mapping[str, int] = {
    "evaluationWindow": DEFAULT_EVALUATION_WINDOW,
    "keepAlive": DEFAULT_KEEP_ALIVE,
    "maxSignalDuration": DEFAULT_MAX_SIGNAL_DURATION,
}


def writable(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of a request counts: known members that a caller may set."""
    return {name: body[name] for name in WRITABLE if name in body}


def rule_from_api(body: Mapping[str, Any], *, rule_id: str | None = None) -> Rule:
    """Read a rule, as sent or as answered; `rule_id` wins over the body's `id`.

    The body must have the right types (`validation.check` says whether it has).
    """
    rule_type = body.get("type") or "log_detection"
    known = (*WRITABLE, *GIVEN_BY_US)
    queries, cases = body.get("queries") or (), body.get("cases") or ()
    if is_third_party(body):
        given = body.get("thirdPartyCases") or ()
        queries, cases = shown_queries(given), shown_cases(given)
    rule = Rule(
        id=rule_id if rule_id is not None else body.get("id", ""),
        name=body.get("name", ""),
        message=body.get("message", ""),
        queries=tuple(_read_query(i, query, rule_type) for i, query in enumerate(queries)),
        cases=tuple(_read_case(case) for case in cases),
        options=_read_options(body.get("options") or {}),
        type=rule_type,
        version=body.get("version") or 1,
        is_enabled=_or(body.get("isEnabled"), True),
        is_default=bool(body.get("isDefault")),
        is_deleted=bool(body.get("isDeleted")),
        tags=tuple(body.get("tags") or ()),
        group_signals_by=tuple(body.get("groupSignalsBy") or ()),
        has_extended_title=bool(body.get("hasExtendedTitle")),
        custom_name=body.get("customName"),
        custom_message=body.get("customMessage"),
        created_at=body.get("createdAt") or 0,
        updated_at=body.get("updatedAt") or 0,
        creator=(body.get("creator") or {}).get("handle", ""),
        updater=(body.get("updater") or {}).get("handle", ""),
        schedule=_read_schedule(body.get("schedulingOptions")),
        calculated_fields=tuple(
            CalculatedField(field["name"], field["expression"]) for field in body.get("calculatedFields") or ()
        ),
    )
    return replace(rule, extra={"filters": [], **_unread(body, known, _write_rule(rule))})


def rule_to_api(rule: Rule) -> dict[str, Any]:
    """The answer of the API for a rule, with the defaults that the contract fills in."""
    return {**rule.extra, **_write_rule(rule)}


def _write_rule(rule: Rule) -> dict[str, Any]:
    written: dict[str, Any] = {
        "id": rule.id,
        "version": rule.version,
        "name": rule.name,
        "message": rule.message,
        "type": rule.type,
        "isEnabled": rule.is_enabled,
        "isDefault": rule.is_default,
        "isDeleted": rule.is_deleted,
        "queries": [_write_query(query) for query in rule.queries],
        "cases": [_write_case(case) for case in rule.cases],
        "options": _write_options(rule.options),
        "tags": list(rule.tags),
        "hasExtendedTitle": rule.has_extended_title,
        "createdAt": rule.created_at,
        "updatedAt": rule.updated_at,
    }
    if rule.group_signals_by:
        written["groupSignalsBy"] = list(rule.group_signals_by)
    if rule.schedule is not None:
        written["schedulingOptions"] = asdict(rule.schedule)
    if rule.calculated_fields:
        written["calculatedFields"] = [asdict(field) for field in rule.calculated_fields]
    if rule.custom_name is not None:
        written["customName"] = rule.custom_name
    if rule.custom_message is not None:
        written["customMessage"] = rule.custom_message
    return written


def _read_schedule(body: Mapping[str, Any] | None) -> Schedule | None:
    """An empty object is none, as clients write it that know the member but have no schedule."""
    if not body or all(value is None for value in body.values()):
        return None
    return Schedule(*(body.get(name) or "" for name in ("rrule", "start", "timezone")))


def _read_query(index: int, body: Mapping[str, Any], rule_type: str) -> RuleQuery:
    """A query that names a rule looks at the signals of that rule, grouped by what it correlates by."""
    name = body.get("name") or ""
    metric = body.get("metric")
    correlated = body.get("ruleId") or body.get("defaultRuleId")
    source = SIGNALS if correlated else "spans" if rule_type == "application_security" else "logs"
    query = RuleQuery(
        label=query_label(index, name),
        query=f'@workflow.rule.id:"{correlated}"' if correlated else body.get("query") or "",
        name=name,
        aggregation=body.get("aggregation") or ("event_count" if correlated else "count"),
        group_by_fields=tuple(body.get("correlatedByFields" if correlated else "groupByFields") or ()),
        distinct_fields=tuple(body.get("distinctFields") or ()),
        metrics=tuple(body.get("metrics") or ((metric,) if metric else ())),
        data_source=source if correlated else body.get("dataSource") or source,
        has_optional_group_by_fields=bool(body.get("hasOptionalGroupByFields")),
        custom_query_extension=body.get("customQueryExtension") or "",
    )
    return replace(query, extra=_unread(body, QUERY_MEMBERS, _write_query(query)))


def _write_query(query: RuleQuery) -> dict[str, Any]:
    written: dict[str, Any] = {**query.extra, "name": query.name, "aggregation": query.aggregation}
    if query.correlated_rule is None:
        written |= {
            "query": query.query,
            "groupByFields": list(query.group_by_fields),
            "distinctFields": list(query.distinct_fields),
            "hasOptionalGroupByFields": query.has_optional_group_by_fields,
            "dataSource": query.data_source,
        }
    if query.metrics:
        written["metrics"] = list(query.metrics)
    if query.custom_query_extension:
        written["customQueryExtension"] = query.custom_query_extension
    return written


def _read_case(body: Mapping[str, Any]) -> RuleCase:
    case = RuleCase(
        status=body.get("status") or "info",
        condition=body.get("condition") or "",
        name=body.get("name") or "",
        notifications=tuple(body.get("notifications") or ()),
        custom_status=body.get("customStatus"),
    )
    return replace(case, extra=_unread(body, CASE_MEMBERS, _write_case(case)))


def _write_case(case: RuleCase) -> dict[str, Any]:
    written: dict[str, Any] = {
        **case.extra,
        "name": case.name,
        "status": case.status,
        "notifications": list(case.notifications),
    }
    if case.condition:
        written["condition"] = case.condition
    if case.custom_status is not None:
        written["customStatus"] = case.custom_status
    return written


def _read_options(body: Mapping[str, Any]) -> RuleOptions:
    given = body.get("detectionMethod") or "threshold"
    method = CONTENT_ANOMALY if given == CONTENT_ANOMALY_ALIAS else given
    times = {name: _or(body.get(name), default) for name, default in _TIMED_DEFAULTS.items()}
    if method in WINDOWLESS and body.get("evaluationWindow") is None:
        times["evaluationWindow"] = 0
    if method == THIRD_PARTY:
        times["keepAlive"] = body.get("keepAlive") or 0
    read = (*_TIMED_DEFAULTS, "decreaseCriticalityBasedOnEnv")
    kept = _unread(body, OPTION_MEMBERS, ("detectionMethod", *read))
    return RuleOptions(
        detection_method=method,
        evaluation_window=0 if method == THIRD_PARTY else times["evaluationWindow"],
        keep_alive=times["keepAlive"],
        max_signal_duration=times["maxSignalDuration"],
        decrease_criticality_based_on_env=bool(body.get("decreaseCriticalityBasedOnEnv")),
        # An alias is answered as it was given.
        method_options=kept if given == method else {"detectionMethod": given, **kept},
        omitted=tuple(
            name
            for name in read
            if body.get(name) is None and not (name == "evaluationWindow" and method == THIRD_PARTY)
        ),
    )


def _write_options(options: RuleOptions) -> dict[str, Any]:
    written: dict[str, Any] = {
        "detectionMethod": options.detection_method,
        "evaluationWindow": options.evaluation_window,
        "keepAlive": options.keep_alive,
        "maxSignalDuration": options.max_signal_duration,
        "decreaseCriticalityBasedOnEnv": options.decrease_criticality_based_on_env,
    }
    return {
        **{name: value for name, value in written.items() if name not in options.omitted},
        **options.method_options,
    }


def _unread(body: Mapping[str, Any], known: Iterable[str], written: Iterable[str]) -> dict[str, Any]:
    """Members of a body that the typed fields would not write again; nulls are absent (api.md §1)."""
    return {name: body[name] for name in known if body.get(name) is not None and name not in written}


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value
