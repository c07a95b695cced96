"""Whether a rule can be stored: places, contents, vendors' alerts, sequences (siem.md §2.16–2.19, §2.28)."""

from collections.abc import Iterator, Mapping
from typing import Any

from tocsin.errors import BadRequest
from tocsin.evaluate import sequence
from tocsin.rule import CONTENT_ANOMALY, WINDOW_SECONDS, Rule
from tocsin.rules.problems import Problem
from tocsin.rules.searches import check_fields, check_search

PLACE = "@network.client.geoip"
"""The only attribute that says where an access came from (siem.md §2.17)."""

MAX_CONTENT_FIELDS = 10
MAX_ROOTS = 10
MAX_THIRD_PARTY_CASES = 10


def check_places(rule: Rule) -> Iterator[Problem]:
    """The metric of impossible travel."""
    if rule.options.detection_method != "impossible_travel":
        return
    for i, query in enumerate(rule.queries):
        if query.metrics != (PLACE,):
            given = ", ".join(query.metrics) or "nothing"
            message = f"Aggregation 'geo_data' needs exactly the metric {PLACE}, {given} given"
            yield Problem(f"queries[{i}].metrics", message, "arity")
        if not query.group_by_fields:
            message = "Impossible travel needs the account in groupByFields, for example @usr.id"
            yield Problem(f"queries[{i}].groupByFields", message, "empty")


def check_contents(rule: Rule) -> Iterator[Problem]:
    """The fields that content anomaly compares."""
    if rule.options.detection_method != CONTENT_ANOMALY:
        return
    for i, query in enumerate(rule.queries):
        if not 1 <= len(query.metrics) <= MAX_CONTENT_FIELDS:
            message = (
                f"Content anomaly needs 1 to {MAX_CONTENT_FIELDS} metrics, the fields whose content is compared:"
                f" {len(query.metrics)} given"
            )
            yield Problem(f"queries[{i}].metrics", message, "arity")


def check_third_party(rule: Rule) -> Iterator[Problem]:
    """The roots, the cases and the default; `queries` and `cases` are made of them."""
    target = "options.thirdPartyRuleOptions"
    options: Mapping[str, Any] = rule.options.method_options.get("thirdPartyRuleOptions") or {}
    roots = options.get("rootQueries") or ()
    if not 1 <= len(roots) <= MAX_ROOTS:
        message = f"A third-party rule needs 1 to {MAX_ROOTS} rootQueries, {len(roots)} given"
        yield Problem(f"{target}.rootQueries", message, "arity")
    for i, root in enumerate(roots):
        yield from _check_query(f"{target}.rootQueries[{i}].query", root.get("query"))
        yield from check_fields(f"{target}.rootQueries[{i}].groupByFields", root.get("groupByFields") or ())
    if not options.get("defaultStatus"):
        message = "defaultStatus is missing: the severity of what no case takes"
        yield Problem(f"{target}.defaultStatus", message, "missing")
    cases = rule.extra.get("thirdPartyCases") or ()
    if len(cases) > MAX_THIRD_PARTY_CASES:
        message = f"{len(cases)} thirdPartyCases given, {MAX_THIRD_PARTY_CASES} are allowed"
        yield Problem("thirdPartyCases", message, "too_many")
    for i, case in enumerate(cases):
        yield from _check_query(f"thirdPartyCases[{i}].query", case.get("query"))
    if rule.group_signals_by:
        message = "groupSignalsBy does not go with third-party rules: rootQueries group by their own fields"
        yield Problem("groupSignalsBy", message, "unsupported")


def check_sequence(rule: Rule) -> Iterator[Problem]:
    """The steps, their transitions, and the case that names the last of them."""
    place = "options.sequenceDetectionOptions"
    options: Mapping[str, Any] = rule.options.method_options.get("sequenceDetectionOptions") or {}
    for name in ("steps", "stepTransitions"):
        for i, body in enumerate(options.get(name) or ()):
            seconds = body.get("evaluationWindow") or 0
            if seconds not in WINDOW_SECONDS:
                allowed = ", ".join(map(str, WINDOW_SECONDS))
                message = f"evaluationWindow must be one of {allowed} seconds, not {seconds}"
                yield Problem(f"{place}.{name}[{i}].evaluationWindow", message, "not_allowed")
    try:
        sequence.plan(rule)
    except sequence.SequenceError as error:
        yield Problem(error.target, str(error), error.code, error.start, error.end)
    except BadRequest as error:
        yield Problem("queries", str(error), "unsupported")


def _check_query(target: str, text: Any) -> Iterator[Problem]:
    if not (text or "").strip():
        yield Problem(target, "Query filter cannot be empty", "empty")
    else:
        yield from check_search(target, text)
