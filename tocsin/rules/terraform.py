"""A rule as a Terraform resource (api.md §4, "Terraform text")."""

from collections.abc import Mapping, Sequence
from typing import Any

from tocsin.rule import THIRD_PARTY, Rule
from tocsin.rules.shape import rule_to_api


def to_terraform(rule: Rule) -> str:
    """One `resource "datadog_security_monitoring_rule"` block, ending in a newline."""
    body = rule_to_api(rule)
    lines = [f'resource "datadog_security_monitoring_rule" "{label(rule.name)}" {{']
    lines += _members({"name": rule.name, "enabled": rule.is_enabled}, 1)
    is_third_party = rule.options.detection_method == THIRD_PARTY
    for query in () if is_third_party else body["queries"]:
        if query.get("ruleId") or query.get("defaultRuleId"):
            lines += _block("signal_query", _pick(query, _SIGNAL_QUERY))
        else:
            one_index = {"indexes": [query["index"]]} if query.get("index") else {}
            lines += _block("query", _pick({**query, **one_index}, _QUERY))
    lines += _block("options", _pick(body["options"], _OPTIONS))
    for case in () if is_third_party else body["cases"]:
        lines += _block("case", _pick(case, _CASE))
    for case in body.get("thirdPartyCases") or ():
        lines += _block("third_party_case", _pick(case, _THIRD_PARTY_CASE))
    for given in body["filters"]:
        lines += _block("filter", _pick(given, {"action": "action", "query": "query"}))
    lines += _members({"message": rule.message, "tags": rule.tags, "has_extended_title": rule.has_extended_title}, 1)
    if rule.group_signals_by:
        lines += _members({"group_signals_by": rule.group_signals_by}, 1)
    for name, member in _BLOCKS.items():
        if body.get(member):
            lines += _members({name: body[member]}, 1)
    lines += [*_members({"type": rule.type}, 1), "}"]
    return "\n".join(lines) + "\n"


def resource(type_name: str, name: str, members: Mapping[str, Any]) -> str:
    """A block of any other type, of flat members and lists of blocks, ending in a newline."""
    return "\n".join([f'resource "{type_name}" "{label(name)}" {{', *_members(members, 1), "}"]) + "\n"


def label(name: str) -> str:
    """The name of the block: every character outside `[A-Za-z0-9_]` becomes `_`."""
    return "".join(c if c == "_" or (c.isascii() and c.isalnum()) else "_" for c in name)


_QUERY = {
    "query": "query",
    "groupByFields": "group_by_fields",
    "hasOptionalGroupByFields": "has_optional_group_by_fields",
    "distinctFields": "distinct_fields",
    "aggregation": "aggregation",
    "metrics": "metrics",
    "name": "name",
    "dataSource": "data_source",
    "customQueryExtension": "custom_query_extension",
    "indexes": "indexes",
}
_SIGNAL_QUERY = {
    "name": "name",
    "ruleId": "rule_id",
    "defaultRuleId": "default_rule_id",
    "aggregation": "aggregation",
    "correlatedByFields": "correlated_by_fields",
    "correlatedQueryIndex": "correlated_query_index",
}
_OPTIONS = {
    "keepAlive": "keep_alive",
    "maxSignalDuration": "max_signal_duration",
    "detectionMethod": "detection_method",
    "evaluationWindow": "evaluation_window",
    "decreaseCriticalityBasedOnEnv": "decrease_criticality_based_on_env",
    "newValueOptions": "new_value_options",
    "anomalyDetectionOptions": "anomaly_detection_options",
    "contentAnomalyOptions": "content_anomaly_options",
    "impossibleTravelOptions": "impossible_travel_options",
    "thirdPartyRuleOptions": "third_party_rule_options",
    "sequenceDetectionOptions": "sequence_detection_options",
    "hardcodedEvaluatorType": "hardcoded_evaluator_type",
}
_CASE = {
    "name": "name",
    "status": "status",
    "notifications": "notifications",
    "condition": "condition",
    "customStatus": "custom_status",
}
_BLOCKS = {
    "reference_tables": "referenceTables",
    "scheduling_options": "schedulingOptions",
    "calculated_field": "calculatedFields",
}
_THIRD_PARTY_CASE = {"name": "name", "query": "query"} | _CASE
_SINGULAR = {"rootQueries": "root_query"}


def _pick(body: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {written: body[name] for name, written in names.items() if name in body}


def _block(name: str, members: Mapping[str, Any]) -> list[str]:
    return [f"\t{name} {{", *_members(members, 2), "\t}"]


def _members(members: Mapping[str, Any], depth: int) -> list[str]:
    """Objects, and each of a list of objects, are blocks, with names as the configuration language spells them."""
    lines = []
    for name, value in members.items():
        blocks = value if _is_blocks(value) else [value] if isinstance(value, Mapping) else []
        for block in blocks:
            inner = {_SINGULAR.get(member) or _snake(member): given for member, given in block.items()}
            lines += ["\t" * depth + f"{name} {{", *_members(inner, depth + 1), "\t" * depth + "}"]
        if not blocks:
            lines.append("\t" * depth + f"{name} = {_value(value)}")
    return lines


def _is_blocks(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Sequence):
        return f"[{', '.join(_value(item) for item in value)}]"
    return str(value)


def _quoted(text: str) -> str:
    """A string of the configuration language: `${` and `%{` would start a template."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    escaped = escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return '"' + escaped.replace("${", "$${").replace("%{", "%%{") + '"'
