"""The detection methods by the name that a rule gives (siem.md §2.1)."""

from collections.abc import Callable, Mapping

from tocsin.errors import BadRequest
from tocsin.evaluate import anomaly, content_anomaly, hardcoded, new_value, sequence, third_party, threshold, travel
from tocsin.evaluate.method import Plan
from tocsin.rule import CONTENT_ANOMALY, HARDCODED, THIRD_PARTY, Rule

METHODS: Mapping[str, Callable[[Rule], Plan]] = {
    "threshold": threshold.plan,
    "new_value": new_value.plan,
    "anomaly_detection": anomaly.plan,
    CONTENT_ANOMALY: content_anomaly.plan,
    "impossible_travel": travel.plan,
    THIRD_PARTY: third_party.plan,
    "sequence_detection": sequence.plan,
    HARDCODED: hardcoded.plan,
}
"""`options.detectionMethod` -> what reads the rule. Each raises `BadRequest` for a rule that it cannot decide."""


def plan(rule: Rule) -> Plan:
    """Read a rule; raises `BadRequest`."""
    method = rule.options.detection_method
    if method not in METHODS:
        raise BadRequest(f"no method '{method}' is known; there are {', '.join(METHODS)}")
    return METHODS[method](rule)
