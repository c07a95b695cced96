"""The detection methods by the name that a rule gives (siem.md §2.1)."""

from collections.abc import Callable, Mapping

from tocsin.errors import BadRequest
from tocsin.evaluate import anomaly, new_value, threshold
from tocsin.evaluate.method import Plan
from tocsin.rule import Rule

METHODS: Mapping[str, Callable[[Rule], Plan]] = {
    "threshold": threshold.plan,
    "new_value": new_value.plan,
    "anomaly_detection": anomaly.plan,
}
"""`options.detectionMethod` -> what reads the rule. Each raises `BadRequest` for a rule that it cannot decide."""


def plan(rule: Rule) -> Plan:
    """Read a rule; raises `BadRequest`."""
    method = rule.options.detection_method
    if method not in METHODS:
        raise BadRequest(f"no method '{method}' is known; there are {', '.join(METHODS)}")
    return METHODS[method](rule)
