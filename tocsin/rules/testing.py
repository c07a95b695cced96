"""Unit tests of a rule: does this query match this log, as expected? (siem.md §2.27)"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tocsin.errors import BadRequest
from tocsin.event import Event, Rejected
from tocsin.match.log4shell import recognise, recognises
from tocsin.match.presence import presences
from tocsin.query import parse, to_predicate
from tocsin.query.calculate import with_calculated
from tocsin.query.track import LOGS
from tocsin.rule import Rule, RuleQuery
from tocsin.tables import ColumnOf, no_column

ToEvent = Callable[[Mapping[str, Any]], Event]
"""A log as it is sent (`ddsource`, `ddtags`, `hostname`, `message`, `service`, any attributes) to the event that it
becomes: through the pipelines and the enrichment that live logs go through. Raises `Rejected`."""

MAX_PAYLOADS = 100


def run_tests(rule: Rule, payloads: Any, to_event: ToEvent, column: ColumnOf = no_column) -> list[bool]:
    """For each `{index, expectedResult, payload}`: whether the query does as expected; no windows are run.

    `column` gives the columns of reference tables that the rule filters by.
    """
    if rule.type != "log_detection":
        raise BadRequest(f"Only rules of type 'log_detection' can be tested, not '{rule.type}'")
    if not any(query.data_source == LOGS.name for query in rule.queries):
        raise BadRequest("A rule that reads signals cannot be tested with logs")
    if not isinstance(payloads, list) or not payloads:
        raise BadRequest("ruleQueryPayloads must be a list with at least one log")
    if len(payloads) > MAX_PAYLOADS:
        raise BadRequest(f"{len(payloads)} ruleQueryPayloads given, {MAX_PAYLOADS} are allowed")
    predicates = [None if query.reads_signals else _predicate(rule, query, column) for query in rule.queries]
    return [_run(f"ruleQueryPayloads[{i}]", item, predicates, to_event) for i, item in enumerate(payloads)]


def _predicate(rule: Rule, query: RuleQuery, column: ColumnOf) -> Callable[[Event], bool]:
    track = with_calculated(LOGS, rule.calculated_fields)
    finds, filters = to_predicate(parse(query.full_query), track), presences(rule, query, LOGS, column)
    is_recognised = recognise if recognises(rule) else None
    return lambda event: (
        finds(event)
        and all(presence.passes(event) for presence in filters)
        and (is_recognised is None or bool(is_recognised(event)))
    )


def _run(place: str, item: Any, predicates: Sequence[Callable[[Event], bool] | None], to_event: ToEvent) -> bool:
    if not isinstance(item, Mapping):
        raise BadRequest(f"{place} must be an object")
    index, expected, payload = item.get("index", 0), item.get("expectedResult", True), item.get("payload")
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(predicates):
        raise BadRequest(f"{place}.index must be the position of a query, 0 to {len(predicates) - 1}")
    predicate = predicates[index]
    if predicate is None:
        raise BadRequest(
            f"{place}.index: the query at position {index} reads signals, which cannot be tested with logs"
        )
    if not isinstance(expected, bool):
        raise BadRequest(f"{place}.expectedResult must be true or false")
    if not isinstance(payload, Mapping):
        raise BadRequest(f"{place}.payload must be a log, as an object")
    try:
        event = to_event(payload)
    except Rejected as rejected:
        raise BadRequest(f"{place}.payload would be rejected: {rejected.reason}") from rejected
    return predicate(event) == expected
