"""Whether a rule that learns can be stored: new value and anomaly (siem.md §2.14, §2.15, §2.28)."""

from collections.abc import Iterator

from tocsin.errors import BadRequest
from tocsin.evaluate.anomaly import read_percentile
from tocsin.evaluate.condition import ConditionError
from tocsin.evaluate.new_value import MAX_METRICS
from tocsin.query import QueryError, parse_field
from tocsin.rule import Rule, RuleCase
from tocsin.rules.problems import Problem
from tocsin.rules.searches import shortened


def check_learning(rule: Rule) -> Iterator[Problem]:
    """What is wrong with the options and metrics of such a rule; the ranges of single options are in the schema."""
    if rule.options.detection_method != "new_value":
        return
    target = "options.newValueOptions"
    options = rule.options.method_options.get("newValueOptions") or {}
    if options.get("forgetAfter") is None:
        message = (
            "newValueOptions.forgetAfter is missing: after how many days without it, 1 to 30, is a value new again?"
        )
        yield Problem(f"{target}.forgetAfter", message, "missing")
    if options.get("learnPerGroup") is False and options.get("learningMethod") == "threshold":
        message = "learnPerGroup goes with the learningMethod 'duration': a threshold is about the values of each group"
        yield Problem(f"{target}.learnPerGroup", message, "unsupported")
    for i, query in enumerate(rule.queries):
        if query.aggregation == "new_value" and not 1 <= len(query.metrics) <= MAX_METRICS:
            message = f"Aggregation 'new_value' needs 1 to {MAX_METRICS} metrics, {len(query.metrics)} given"
            yield Problem(f"queries[{i}].metrics", message, "arity")


def check_single_case(rule: Rule) -> Iterator[Problem]:
    """Methods that find one kind of thing have one case, which gives the severity."""
    method = rule.options.detection_method
    if len(rule.cases) > 1:
        message = f"Detection method '{method}' has exactly one case, {len(rule.cases)} given"
        yield Problem("cases", message, "too_many")
    for i, case in enumerate(rule.cases):
        if case.condition.strip():
            message = f"The case of detection method '{method}' has no condition; leave '{case.condition}' out"
            yield Problem(f"cases[{i}].condition", message, "unsupported")


def check_percentiles(rule: Rule) -> Iterator[Problem]:
    """The conditions of anomaly rules: `a > 0.995`, or none for just this."""
    labels = tuple(query.label for query in rule.queries) or ("a",)
    for i, case in enumerate(rule.cases):
        target = f"cases[{i}].condition"
        try:
            read_percentile(case.condition, labels)
        except ConditionError as error:
            message = f"Case condition '{shortened(case.condition)}': {error}"
            yield Problem(target, message, error.code, error.start, error.end)
        except BadRequest as error:
            yield Problem(target, f"Case condition {error}", "percentile")


def check_every_new_value(target: str, case: RuleCase) -> Iterator[Problem]:
    """Recipients that hear of each new value of an attribute while a signal lives (siem.md §2.11)."""
    for i, given in enumerate(case.extra.get("everyNewValue") or ()):
        place = f"{target}.everyNewValue[{i}]"
        recipient = given.get("recipient") or ""
        if recipient not in case.notifications:
            message = f"'{recipient}' is no recipient of the case; only those in notifications hear of every new value"
            yield Problem(f"{place}.recipient", message, "unknown_recipient")
        try:
            parse_field(given.get("attribute") or "")
        except QueryError as error:
            message = f"Invalid attribute '{given.get('attribute') or ''}': {error}"
            yield Problem(f"{place}.attribute", message, error.code, error.start, error.end)
