"""How title and message of a rule's signals read: for its author, with one log as an example (siem.md §2.25)."""

from dataclasses import dataclass, replace

from tocsin.errors import BadRequest
from tocsin.evaluate.decision import Decision, QueryEvidence, Verdict
from tocsin.evaluate.methods import plan
from tocsin.evaluate.refs import EventRef
from tocsin.event import Event
from tocsin.match.matcher import Matcher
from tocsin.rule import Rule
from tocsin.rules.problems import Problem
from tocsin.signals.projection import project
from tocsin.tables import ColumnOf


@dataclass(frozen=True, slots=True)
class Rendered:
    """`matched`: the labels of the queries that find the log."""

    title: str
    message: str
    severity: str
    matched: tuple[str, ...]
    hints: tuple[Problem, ...] = ()


def rendered(rule: Rule, event: Event, case_index: int, now: int, column: ColumnOf) -> Rendered:
    """The signal that this one event would make if it opened one under this case, made as every signal is.

    The rule is as detection runs it, `now` Unix milliseconds. Raises `BadRequest` for a case that is not there.
    """
    if not 0 <= case_index < len(rule.cases):
        raise BadRequest(f"case must be the position of a case, 0 to {len(rule.cases) - 1}")
    prepared = plan(rule)
    matches = Matcher([replace(rule, is_enabled=True)], column=column).match(event)
    index = matches[0].query_index if matches else 0
    group = prepared.signal_group(matches[0].group) if matches else ()
    met = {match.query_index for match in matches}
    counts = tuple(QueryEvidence(int(i in met), float(i in met)) for i in range(len(rule.queries)))
    at, seen = event.timestamp, (EventRef(event.timestamp, event.id, index),)
    values = tuple(evidence.value for evidence in counts)
    decision = Decision(
        group=group,
        opened_by=event.id,
        timestamp=at,
        first_seen=at,
        last_seen=at,
        last_hit=at,
        closes_at=at + rule.keep_alive_ms,
        hits=1,
        verdicts=(Verdict(case_index, at, event.id, group, values, 1),),
        events_matched=1,
        queries=counts,
        groups=(),
        first_events=seen,
        last_events=seen,
    )
    signal = project(prepared, decision, [event], now).signal
    labels = tuple(query.label for i, query in enumerate(rule.queries) if i in met)
    return Rendered(signal.title, signal.message, signal.severity, labels)
