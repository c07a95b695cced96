"""Live detection over events in memory: the same matcher, machines and projection, without a store.

What tests of rules over time run. Rules over signals (siem.md §2.20) read what the others have raised, each after those
that it reads.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from tocsin.errors import BadRequest
from tocsin.evaluate.correlation import in_order, reads_signals
from tocsin.evaluate.decision import Decision, MatchRow, position
from tocsin.evaluate.method import Plan
from tocsin.evaluate.methods import plan
from tocsin.evaluate.replay import Groups, row_of
from tocsin.event import Event
from tocsin.match import Matcher
from tocsin.rule import Rule
from tocsin.rules.executable import executable
from tocsin.signal import Signal
from tocsin.signals.matching import SignalMatcher, raised_event, signal_event
from tocsin.signals.projection import project
from tocsin.tables import ColumnOf, no_column


@dataclass(frozen=True, slots=True)
class Raised:
    """A signal, with the decision that it is."""

    plan: Plan
    decision: Decision
    signal: Signal


@dataclass(slots=True)
class Rehearsed:
    """By rule id: what it raised in order of time, its matches in event time, and groups that could not be decided.

    `named` are the events by id, and the signals where there are rules that read them.
    """

    raised: dict[str, list[Raised]] = field(default_factory=dict)
    rows: dict[str, list[MatchRow]] = field(default_factory=dict)
    failures: dict[str, dict[tuple[str, ...], str]] = field(default_factory=dict)
    named: dict[str, Event] = field(default_factory=dict)


class Rehearsal:
    """Rules that are saved together at `began_at` (Unix milliseconds) and see events from then on."""

    def __init__(self, rules: Iterable[Rule], began_at: int, column: ColumnOf = no_column) -> None:
        """`column` gives the columns of reference tables that rules filter by. Raises `BadRequest` for a rule that
        cannot be run."""
        enabled = [replace(executable(rule), is_enabled=True, is_deleted=False, updated_at=began_at) for rule in rules]
        self.plans = {rule.id: plan(rule) for rule in enabled}
        self._in_order = [rule.id for rule in in_order(prepared.rule for prepared in self.plans.values())]
        self._began_at = began_at
        self.matcher = Matcher(enabled, column=column)
        self._correlating = [rule for rule in enabled if reads_signals(rule)]
        self._signal_matcher = SignalMatcher(self._correlating)
        if self.matcher.problems:
            raise BadRequest(*(f"rule {problem.rule_id}: {problem.message}" for problem in self.matcher.problems))

    def run(self, events: Sequence[Event]) -> Rehearsed:
        """Everything that the rules conclude from the events; their ids must differ."""
        found = Rehearsed(named={event.id: event for event in events})
        rows: dict[str, list[MatchRow]] = {rule_id: [] for rule_id in self.plans}
        for event in events:
            for match in self.matcher.match(event):
                rows[match.rule_id].append(row_of(match, event))
        for rule_id in self._in_order:
            self._decide(rule_id, rows, found)
        return found

    def _decide(self, rule_id: str, rows: dict[str, list[MatchRow]], found: Rehearsed) -> None:
        prepared = self.plans[rule_id]
        groups = Groups(prepared, self._began_at)
        found.rows[rule_id] = sorted(rows[rule_id], key=position)
        groups.feed(found.rows[rule_id])
        raised = []
        for decision in groups.finish():
            refs = dict.fromkeys((*decision.first_events, *decision.last_events))
            signal = project(prepared, decision, [found.named[ref.event_id] for ref in refs], decision.timestamp).signal
            raised.append(Raised(prepared, decision, signal))
            event = signal_event(signal)
            for match in self._signal_matcher.match(signal, prepared, decision):
                rows[match.rule_id].append(row_of(match, event))
            if self._correlating:
                found.named[signal.id] = raised_event(signal)
        found.raised[rule_id] = raised
        if groups.failures:
            found.failures[rule_id] = groups.failures
