"""The third-party method: a vendor's alerts as signals (siem.md §2.18).

The queries are those of `rules.third_party.compiled`: an event meets exactly one, which says its case. An event without
group-by values is a signal of its own. Otherwise a signal takes in what has its values for 24 hours from its first
event on; the first event after that opens another. Severity only rises meanwhile.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tocsin.errors import BadRequest
from tocsin.evaluate.decision import Decision, MatchRow, position
from tocsin.evaluate.evidence import Entry, Life
from tocsin.evaluate.machine import events_of
from tocsin.evaluate.method import FIRST_EVENTS, Plan
from tocsin.evaluate.refs import packed
from tocsin.evaluate.window import counted
from tocsin.rule import Rule

ROLL_UP_SECONDS = 86_400


@dataclass(frozen=True)
class ThirdPartyPlan(Plan):
    """`rule` has the times that the method lays down, whatever its options say."""

    @property
    def lookback_ms(self) -> int:
        return 0

    def group_by(self, decision: Decision) -> tuple[str, ...]:
        return self.rule.queries[decision.first_events[0].query_index].group_by_fields

    def machine(self, start: int | None = None, named: int = FIRST_EVENTS) -> "ThirdPartyMachine":
        return ThirdPartyMachine(self, start, named)


def plan(rule: Rule) -> ThirdPartyPlan:
    """Read a compiled rule; raises `BadRequest` for what this method cannot decide."""
    if not rule.queries or not rule.cases or len(rule.queries) % len(rule.cases):
        raise BadRequest("a third-party rule needs its root queries and cases compiled: rules.third_party.compiled")
    if rule.group_signals_by:
        raise BadRequest("groupSignalsBy does not go with third-party rules: their root queries group")
    has_groups = any(query.group_by_fields for query in rule.queries)
    return ThirdPartyPlan(_lasting(rule, ROLL_UP_SECONDS if has_groups else 0), None)


def title_template(rule: Rule) -> str:
    """What the rule says a signal's title is; empty if it says nothing."""
    options = rule.options.method_options.get("thirdPartyRuleOptions") or {}
    return options.get("signalTitleTemplate") or ""


def _lasting(rule: Rule, seconds: int) -> Rule:
    return replace(
        rule, options=replace(rule.options, evaluation_window=0, keep_alive=seconds, max_signal_duration=seconds)
    )


class ThirdPartyMachine:
    """O(1) for each match."""

    def __init__(self, prepared: ThirdPartyPlan, start: int | None, named: int) -> None:
        self.plan = prepared
        self.start = start
        self.position: tuple[int, str] | None = None
        self.entries = 0
        self._serial = 0
        self._named = named
        self._life: Life | None = None

    def copy(self) -> "ThirdPartyMachine":
        twin = ThirdPartyMachine(self.plan, self.start, self._named)
        twin.position = self.position
        twin.entries = self.entries
        twin._serial = self._serial
        twin._life = self._life.copy() if self._life else None
        return twin

    def feed(self, rows: Iterable[MatchRow]) -> None:
        for together in events_of(rows):
            at = position(together[0])
            self.position = at
            if self.start is None or at[0] >= self.start:
                self._event(min(together, key=lambda row: row.query_index))

    def decisions(self) -> list[Decision]:
        return self._life.decisions() if self._life else []

    def closed(self) -> list[Decision]:
        return self._life.closed() if self._life else []

    def forget(self) -> None:
        if self._life:
            self._life.forget()

    def _event(self, row: MatchRow) -> None:
        rule = self.plan.rule
        if self._life is None:
            # All matches of a signal group have the same number of values: all belong to roots that group, or none.
            rule = rule if row.group else _lasting(rule, 0)
            self._life = Life(replace(self.plan, rule=rule), self._named)
        self._serial += 1
        entry = Entry(self._serial, row.timestamp, packed(row.event_id), counted(row.query_index))
        values = tuple(float(index == row.query_index) for index in range(len(rule.queries)))
        signal, _ = self._life.hit(entry, row.group, row.query_index % len(rule.cases), values, 1)
        signal.take(row.group, [entry])
