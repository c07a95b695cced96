"""A rule as a Terraform resource (api.md §4, "Terraform text")."""

from collections.abc import Mapping, Sequence
from typing import Any

from tocsin.rule import Rule
from tocsin.rules.shape import rule_to_api


def to_terraform(rule: Rule) -> str:
    """One `resource "datadog_security_monitoring_rule"` block, ending in a newline."""
    body = rule_to_api(rule)
    lines = [f'resource "datadog_security_monitoring_rule" "{label(rule.name)}" {{']
    lines += _members({"name": rule.name, "enabled": rule.is_enabled}, 1)
    for query in body["queries"]:
        lines += _block("query", _pick(query, _QUERY))
    lines += _block("options", _pick(body["options"], _OPTIONS))
    for case in body["cases"]:
        lines += _block("case", _pick(case, _CASE))
    for given in body["filters"]:
        lines += _block("filter", _pick(given, {"action": "action", "query": "query"}))
    lines += _members({"message": rule.message, "tags": rule.tags, "has_extended_title": rule.has_extended_title}, 1)
    if rule.group_signals_by:
        lines += _members({"group_signals_by": rule.group_signals_by}, 1)
    lines += [*_members({"type": rule.type}, 1), "}"]
    return "\n".join(lines) + "\n"


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
}
_OPTIONS = {
    "keepAlive": "keep_alive",
    "maxSignalDuration": "max_signal_duration",
    "detectionMethod": "detection_method",
    "evaluationWindow": "evaluation_window",
    "decreaseCriticalityBasedOnEnv": "decrease_criticality_based_on_env",
}
_CASE = {
    "name": "name",
    "status": "status",
    "notifications": "notifications",
    "condition": "condition",
    "customStatus": "custom_status",
}


def _pick(body: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {written: body[name] for name, written in names.items() if name in body}


def _block(name: str, members: Mapping[str, Any]) -> list[str]:
    return [f"\t{name} {{", *_members(members, 2), "\t}"]


def _members(members: Mapping[str, Any], depth: int) -> list[str]:
    return ["\t" * depth + f"{name} = {_value(value)}" for name, value in members.items()]


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
